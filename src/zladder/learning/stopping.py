"""When a training must stop early: a signal, or the end of its job."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# A job saves and leaves this long before its limit; a checkpoint takes seconds.
MARGIN_SECONDS = 120.0


@contextmanager
def stop_requests(minutes: float | None) -> Iterator[Callable[[], str | None]]:
    """Give a function that returns why to stop now, or None.

    Within the block SIGTERM and SIGINT ask for a stop instead of ending the process.

    Parameters
    ----------
    minutes
        Length of the job; the training asks for a stop `MARGIN_SECONDS` before (but never in the
        first half of the job). None: no limit.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    seconds = None if minutes is None else max(60 * minutes - MARGIN_SECONDS, 30 * minutes)
    deadline = None if seconds is None else time.monotonic() + seconds

    def reason() -> str | None:
        if received:
            return signal.Signals(received[0]).name
        if deadline is not None and time.monotonic() > deadline:
            return f"the job's limit of {minutes:g} min is near"
        return None

    earlier = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield reason
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
