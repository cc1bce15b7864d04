"""Lists of files as bash takes them: short, however many files there are.

Snakemake hands a command to bash as one argument, and Linux takes no argument of 131,072 bytes or
more (MAX_ARG_STRLEN in execve(2)). What bash makes of the command is an argument a file, and all of
them together may take 2 MB (a quarter of the usual limit on the stack).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS = "0123456789"
# A text and its last number, as bash counts: without leading zeros, far below 64 bits.
_LAST_NUMBER = re.compile(r"((?:.*[^0-9])?)(0|[1-9][0-9]{0,8})([^0-9]*)", flags=re.DOTALL)


def folded(paths: Sequence[str]) -> str:
    """Return words that bash expands to just these paths, in this order.

    Neighbours that differ in one folder or name share the rest: ``results/{0..255}.h5``,
    ``runs/{first,second}/card.json``. Short lists, which braces make no shorter, stay as they are.
    """
    parts, words, start = [path.split("/") for path in paths], [], 0
    while start < len(parts):
        place, end = _alike(parts, start)
        names, first = [part[place] for part in parts[start:end]], parts[start]
        before = "".join(f"{part}/" for part in first[:place])
        after = "".join(f"/{part}" for part in first[place + 1 :])
        words.append(_quoted(before) + _either(names) + _quoted(after))
        start = end
    return min(shlex.join(paths), " ".join(words), key=len)


def _alike(parts: list[list[str]], start: int) -> tuple[int, int]:
    """Return in which place alone paths from a start on differ, and before which one that ends."""
    first, place, end = parts[start], len(parts[start]) - 1, start + 1
    is_known = False
    while end < len(parts) and len(parts[end]) == len(first):
        pairs = enumerate(zip(first, parts[end], strict=True))
        differing = [number for number, (one, other) in pairs if one != other]
        if len(differing) > 1 or (is_known and differing not in ([], [place])):
            break
        place, is_known = (differing[0], True) if differing else (place, is_known)
        end += 1
    return place, end


def _either(names: list[str]) -> str:
    """Return a word that bash expands to all of these names."""
    if len(names) == 1:
        return _quoted(names[0])
    before = _shared(names).rstrip(_DIGITS)
    ends = [name[len(before) :] for name in names]
    after = _shared([end[::-1] for end in ends])[::-1].lstrip(_DIGITS)
    choices = _counted([end.removesuffix(after) for end in ends])
    choice = choices[0] if len(choices) == 1 else f"{{{','.join(choices)}}}"
    return _quoted(before) + choice + _quoted(after)


def _shared(texts: list[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (one, other) in pairs if one != other), len(first))]


def _counted(texts: list[str]) -> list[str]:
    """Return choices of a brace; of texts that count on in their last number, one: ``s{0..4}``."""
    choices, start = [], 0
    while start < len(texts):
        before, low, after = _numbered(texts[start])
        n = 1
        while low is not None and texts[start + n : start + n + 1] == [f"{before}{low + n}{after}"]:
            n += 1
        if low is None or n == 1:
            choices.append(_quoted(texts[start]))
        else:
            choices.append(f"{_quoted(before)}{{{low}..{low + n - 1}}}{_quoted(after)}")
        start += n
    return choices


def _numbered(text: str) -> tuple[str, int | None, str]:
    """Return what stands before the last number of a text, the number, and what follows."""
    found = _LAST_NUMBER.fullmatch(text)
    return (found[1], int(found[2]), found[3]) if found else (text, None, "")


def _quoted(text: str) -> str:
    """Return a piece of a word, quoted for bash: commas too, which part the choices of a brace."""
    if not text or "," not in text:
        return shlex.quote(text) if text else ""
    return "'" + text.replace("'", "'\"'\"'") + "'"
