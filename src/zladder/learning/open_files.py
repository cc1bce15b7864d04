"""Files that are read again and again, not more of them open at a time than a process may have."""

from __future__ import annotations

import os
import resource
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_OPEN = 256  # ours: no training of the shipped settings has more shards


def most_open() -> int:
    """Return how many files one set of them may keep open: a quarter of the process's limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_OPEN if limit == resource.RLIM_INFINITY else max(min(MOST_OPEN, limit // 4), 1)


@dataclass
class _Opened:
    """What one process has open: descriptors, the latest used last, and who uses them now."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    descriptors: dict[int, int] = field(default_factory=dict)
    users: Counter[int] = field(default_factory=Counter)


class OpenFiles:
    """Descriptors of files, opened when they are asked for, in the process that asks.

    Threads may ask at the same time. Beyond `most`, those that nobody uses are closed, the one that
    was used longest ago first.

    Parameters
    ----------
    paths
        The files.
    most
        Files open at a time, but for those in use.
    """

    def __init__(self, paths: Sequence[Path], most: int) -> None:
        self.paths, self.most = paths, most
        self._of_process: dict[int, _Opened] = {}

    @contextmanager
    def held(self, number: int) -> Iterator[int]:
        """Give the descriptor of a file; it stays open as long as it is held."""
        mine = self._of_process.setdefault(os.getpid(), _Opened())
        with mine.lock:
            known = mine.descriptors.pop(number, None)
            descriptor = os.open(self.paths[number], os.O_RDONLY) if known is None else known
            mine.descriptors[number] = descriptor
            mine.users[number] += 1
            self._close_surplus(mine)
        try:
            yield descriptor
        finally:
            with mine.lock:
                mine.users[number] -= 1

    def close(self) -> None:
        """Close the files that this process opened; none may be held."""
        for descriptor in self._of_process.pop(os.getpid(), _Opened()).descriptors.values():
            os.close(descriptor)

    def _close_surplus(self, mine: _Opened) -> None:
        surplus = len(mine.descriptors) - self.most
        if surplus > 0:
            idle = [number for number in mine.descriptors if not mine.users[number]]
            for number in idle[:surplus]:
                os.close(mine.descriptors.pop(number))
