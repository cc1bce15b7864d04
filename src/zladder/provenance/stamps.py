"""A stamp says that this very input was bad, so that a retry ends at once.

Snakemake retries every failure alike. The stamp lies beside the log and is keyed by the command,
the code and the digests of the input files: it holds until one of them changes. Where the fault
lies in files that are no inputs of the program (`PassingBadInput`), it also holds the state of
these, and none is left where they are not known.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zladder.provenance.digests import quick_digest, value_digest
from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.provenance.outputs import write_text_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Seen = tuple[str, int, int, int]  # path, bytes, times of the content and of the file itself


class KnownBadInput(Exception):  # noqa: N818 (the same ending as BadInput, reached sooner)
    """An earlier attempt found this very input bad; carries its message."""


def stamp_path(log: Path) -> Path:
    """Return where the stamp of the program with this log lies."""
    return log.with_name(log.name + ".bad_input.json")


@contextmanager
def refuse_known_bad(
    log: Path | None, arguments: Sequence[str], code: str, inputs: Sequence[Path]
) -> Iterator[None]:
    """Run a block once for each distinct input: a `BadInput` in it leaves a stamp
    (a `PassingBadInput` only if it knows its causes, and none of them changed meanwhile).

    Without a log file there is no place for a stamp, and the block simply runs.

    Raises
    ------
    KnownBadInput
        Before the block, if the stamp of an earlier attempt has the same key.
    """
    if log is None:
        yield
        return
    stamp, started_ns = stamp_path(log), time.time_ns()
    files = [[str(path), quick_digest(path) if path.is_file() else "absent"] for path in inputs]
    key = value_digest([list(arguments), code, files])
    if stamp.is_file():
        earlier = json.loads(stamp.read_text(encoding="utf-8"))
        if earlier["key"] == key and earlier["state"] == _state(_seen(earlier["causes"])):
            message = f"{earlier['message']}\n  (the same input as before: not tried again)"
            raise KnownBadInput(message)
    try:
        yield
    except PassingBadInput as error:
        if error.causes:
            _leave(stamp, key, error, [str(cause) for cause in error.causes], started_ns)
        raise
    except BadInput as error:
        _leave(stamp, key, error, [], started_ns)
        raise
    stamp.unlink(missing_ok=True)


def _leave(stamp: Path, key: str, error: BadInput, causes: list[str], started_ns: int) -> None:
    """Write a stamp, unless a cause changed during the attempt: it may have been read before."""
    seen = _seen(causes)
    if all(changed_ns < started_ns for *_, changed_ns in seen):
        content = {"key": key, "message": str(error), "causes": causes, "state": _state(seen)}
        write_text_whole(stamp, json.dumps(content, indent=2) + "\n")


def _state(seen: Sequence[Seen]) -> str:
    return value_digest([list(one) for one in seen])


def _seen(causes: Sequence[str]) -> list[Seen]:
    """Return how files and the folders they lie in stand, and of folders all that lies in them."""
    paths: set[Path] = set()
    for cause in map(Path, causes):
        if cause.is_dir():
            paths.add(cause)
            for folder, _, names in os.walk(cause):
                paths |= {Path(folder), *(Path(folder, name) for name in names)}
        else:
            paths |= {cause, cause.parent}
    return [_stands(path) for path in sorted(paths)]


def _stands(path: Path) -> Seen:
    """Return size and times (ns); below 0 where nothing is."""
    try:
        found = path.stat()
    except OSError:
        return str(path), -1, -1, -1
    return str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns
