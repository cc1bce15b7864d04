"""A partial file, and beside it what must still hold when it goes on.

That is its address, its size and the mark of the server's version (RFC 9110: ETag or
Last-Modified, sent back as If-Range).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zladder.provenance.outputs import write_text_whole
from zladder.survey.archives.manners import Trouble

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Partial:
    """A partial file and what is known of the whole.

    Attributes
    ----------
    path
        Grows until it is whole.
    url, mark, total_bytes
        Where it comes from, which version, how large; the last two if the server said so.
    longest_bytes
        The most that was ever there in this process.
    """

    path: Path
    url: str
    mark: str | None = None
    total_bytes: int | None = None
    longest_bytes: int = 0

    @classmethod
    def at(cls, path: Path, url: str) -> Partial:
        """Return what an earlier attempt left, or a fresh start if it came from elsewhere."""
        path.parent.mkdir(parents=True, exist_ok=True)
        found = cls(path, url)
        if found.notes.is_file() and path.is_file():
            known = json.loads(found.notes.read_text(encoding="utf-8"))
            if known["url"] == url:
                found.mark, found.total_bytes = known["mark"], known["total_bytes"]
                found.longest_bytes = found.size
                return found
        found.restart()
        return found

    @property
    def notes(self) -> Path:
        """The file of what is known."""
        return self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self) -> None:
        """Write down what is known, for the next attempt."""
        known = {"url": self.url, "mark": self.mark, "total_bytes": self.total_bytes}
        write_text_whole(self.notes, json.dumps(known) + "\n")

    def restart(self) -> None:
        """Forget what is there."""
        self.mark, self.total_bytes = None, None
        self.path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def cut_off(self, what: str) -> Trouble:
        """Return the trouble of an answer that ended early; progress is what was never here."""
        size = self.size
        progressed = size > self.longest_bytes
        self.longest_bytes = max(size, self.longest_bytes)
        whole = "an unknown number of" if self.total_bytes is None else self.total_bytes
        return Trouble(f"{what} after {size} of {whole} bytes", progressed=progressed)
