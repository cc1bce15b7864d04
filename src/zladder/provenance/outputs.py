"""Outputs appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def temporary_name(path: Path) -> Path:
    """Return the name a file carries until it is whole; the suffix stays (it tells the format)."""
    return path.with_name(f".partial-{os.getpid()}-{path.name}")


@contextmanager
def whole_or_nothing(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a temporary path for each path; rename all at the end, or remove all on failure.

    Raises
    ------
    FileNotFoundError
        If the block ended well without having written one of them.
    """
    partial = [temporary_name(path) for path in paths]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        for written, path in zip(partial, paths, strict=True):
            if not written.exists():
                message = f"{path} was promised but not written"
                raise FileNotFoundError(message)
        for written, path in zip(partial, paths, strict=True):
            written.replace(path)
    finally:
        for written in partial:
            written.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """Write a small text file so that no reader ever sees half of it."""
    with whole_or_nothing([path]) as [partial]:
        partial.write_text(text, encoding="utf-8")
