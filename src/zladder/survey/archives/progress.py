"""Lines of the log that tell how far a download is: a few, not one a block."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

log = logging.getLogger("zladder")

MB = 1e6


@dataclass
class Progress:
    """Counts the bytes of one connection.

    Attributes
    ----------
    name, start_bytes, total_bytes
        What is fetched, how much of it was there before, and its size if it is known.
    every_seconds
        From one line to the next.
    """

    name: str
    start_bytes: int
    total_bytes: int | None
    every_seconds: float
    received_bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)

    def add(self, n_bytes: int) -> None:
        """Count bytes, and say how far it is if it is time to."""
        self.received_bytes += n_bytes
        now = time.monotonic()
        if now - self.shown >= self.every_seconds:
            self.shown = now
            log.info("%s", self.line())

    def line(self) -> str:
        """Return how much is there, its share of the whole, and the rate."""
        there = self.start_bytes + self.received_bytes
        rate = self.received_bytes / MB / max(time.monotonic() - self.started, 1e-3)
        if self.total_bytes:
            share = f" of {self.total_bytes / MB:.2f} MB ({100 * there / self.total_bytes:.0f} %)"
        else:
            share = " MB of an unknown size"
        return f"{self.name}: {there / MB:.2f}{share}, {rate:.2f} MB/s"
