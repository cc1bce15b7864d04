"""The time of a training: seconds of all attempts, when to report, when to save."""

from __future__ import annotations

import time

REPORT_SECONDS = 5.0
CHECKPOINT_SECONDS = 300.0  # what a killed training loses at most


class Clock:
    """Seconds of all attempts, and what is due."""

    def __init__(self, earlier_seconds: float) -> None:
        now = time.monotonic()
        self._start = now - earlier_seconds
        self._last_checkpoint = now
        self._last_report = now - REPORT_SECONDS  # the first step is told

    def total(self) -> float:
        """Return the seconds of all attempts."""
        return time.monotonic() - self._start

    def report_due(self) -> bool:
        """Return whether it is time for a line of progress, once every `REPORT_SECONDS`."""
        due = time.monotonic() - self._last_report > REPORT_SECONDS
        if due:
            self._last_report = time.monotonic()
        return due

    def checkpoint_due(self) -> bool:
        """Return whether it is time for a checkpoint, once every `CHECKPOINT_SECONDS`."""
        due = time.monotonic() - self._last_checkpoint > CHECKPOINT_SECONDS
        if due:
            self._last_checkpoint = time.monotonic()
        return due
