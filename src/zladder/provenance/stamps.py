"""A stamp says that this very input was bad, so that a retry ends at once.

Snakemake retries every failure alike. The stamp lies beside the log and is keyed by the command,
the code and the digests of the input files: it holds until one of them changes.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zladder.provenance.digests import quick_digest, value_digest
from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.provenance.outputs import write_text_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


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
    (but not a `PassingBadInput`).

    Without a log file there is no place for a stamp, and the block simply runs.

    Raises
    ------
    KnownBadInput
        Before the block, if the stamp of an earlier attempt has the same key.
    """
    if log is None:
        yield
        return
    stamp = stamp_path(log)
    files = [[str(path), quick_digest(path) if path.is_file() else "absent"] for path in inputs]
    key = value_digest([list(arguments), code, files])
    if stamp.is_file():
        earlier = json.loads(stamp.read_text(encoding="utf-8"))
        if earlier["key"] == key:
            message = f"{earlier['message']}\n  (the same input as before: not tried again)"
            raise KnownBadInput(message)
    try:
        yield
    except PassingBadInput:
        raise
    except BadInput as error:
        content = {"key": key, "message": str(error)}
        write_text_whole(stamp, json.dumps(content, indent=2) + "\n")
        raise
    stamp.unlink(missing_ok=True)
