"""The two ways in which a program of zladder ends early: bad input, and unfinished work."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXIT_DONE = 0
EXIT_BAD_INPUT = 2
EXIT_UNFINISHED = 3


class BadInput(Exception):  # noqa: N818 (the contract's own word)
    """Input that cannot be used; the program exits with code 2 and writes nothing.

    Parameters
    ----------
    file
        The file at fault (or the name of what stands in for one, such as ``config``).
    place
        Where in it: a column, a row (counted from 1, the header not counted), a config path.
    expected, found
        What would have been right, and what is there.
    hint
        What the user can do about it.
    """

    def __init__(self, file: str | Path, place: str, expected: str, found: str, hint: str) -> None:
        self.file, self.place = str(file), place
        self.expected, self.found, self.hint = expected, found, hint
        super().__init__(
            f"bad input: {file}: {place}\n"
            f"  expected: {expected}\n"
            f"  found:    {found}\n"
            f"  hint:     {hint}"
        )


class PassingBadInput(BadInput):
    """Bad input in what a program does not declare: the frames of a folder, a disk, a server.

    Its repair changes nothing that a stamp is keyed by, so the next attempt looks again; unless
    the files at fault are known.

    Parameters
    ----------
    file, place, expected, found, hint
        As of `BadInput`.
    causes
        Files, there or not, and whole folders: as long as nothing of them changes, and nothing
        comes to lie beside the files, the next attempt would end in the same way.
    """

    def __init__(
        self, file: str | Path, place: str, expected: str, found: str, hint: str,
        causes: Iterable[Path] = (),
    ) -> None:  # fmt: skip
        super().__init__(file, place, expected, found, hint)
        self.causes = list(causes)


class Unfinished(Exception):  # noqa: N818 (not an error: state is saved, run me again)
    """Work that stopped before its end with its state saved; the program exits with code 3."""


def nearest_hint(word: str, allowed: Iterable[str], otherwise: str) -> str:
    """Return ``did you mean 'x'?`` for the nearest allowed word, else the other hint."""
    names = [str(name) for name in allowed]
    lowered = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean '{lowered[close[0]]}'?" if close else otherwise


def require_known(name: str, known: Iterable[str], file: str | Path, place: str) -> None:
    """Refuse a name that is not among the known ones, with the nearest of them as the hint.

    Raises
    ------
    BadInput
        If `name` is not in `known`.
    """
    names = [str(word) for word in known]
    if name not in names:
        hint = nearest_hint(name, names, "take one of these, or define it there")
        raise BadInput(file, place, f"one of {', '.join(names)}", f"'{name}'", hint)
