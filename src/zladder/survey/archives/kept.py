"""What lies beside a fetched file PART and outlives the rule, whose outputs Snakemake clears.

``.PART/`` holds what is under way, and a second name (a hard link) of the file that was fetched:
where only our code changed, or the address of a file whose digest is declared, nothing is fetched
again. ``PART.digest.json`` is the digest of the first download where none is declared.
``PART.refused`` is a file that is not what was asked for.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pooch

from zladder.provenance.outputs import write_text_whole
from zladder.survey.archives.manners import lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger("zladder")


@dataclass(frozen=True)
class Place:
    """Where a part of a survey will lie, and what lies beside it."""

    final: Path

    @property
    def folder(self) -> Path:
        """What is under way."""
        return self.final.with_name(f".{self.final.name}")

    @property
    def partial(self) -> Path:
        """The file as far as it came."""
        return self.folder / "partial"

    @property
    def whole(self) -> Path:
        """Second name of the fetched file."""
        return self.folder / "whole"

    @property
    def record(self) -> Path:
        """The digest of the first download."""
        return self.final.with_name(f"{self.final.name}.digest.json")

    @property
    def refused(self) -> Path:
        """A file that is not what was asked for."""
        return self.final.with_name(f"{self.final.name}.refused")

    def recorded(self) -> dict[str, Any]:
        """Return what was noted of the first download; nothing before it."""
        return json.loads(self.record.read_text("utf-8")) if self.record.is_file() else {}

    def note(self, content: dict[str, Any]) -> None:
        """Note the digest of a download, and what it was of."""
        write_text_whole(self.record, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def stands(self, sha256: str) -> bool:
        """Return whether the file with this digest was fetched before and is still here."""
        return self.whole.is_file() and sha256_of(self.whole) == sha256

    def hand_out(self, output: Path) -> None:
        """Give the fetched file its name `output`, keeping the second one if that is possible."""
        try:
            os.link(self.whole, output)
        except OSError:
            log.info("no hard links here: the next change of our code fetches it again")
            self.whole.replace(output)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other jobs of this machine out of a folder in which something is under way."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    return str(pooch.file_hash(str(path), alg="sha256"))
