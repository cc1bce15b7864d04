"""When a training must stop early: a signal, or the end of its job."""

from __future__ import annotations

import math
import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zladder.provenance.program import STARTED_SECONDS

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
        Length of the job, counted from the start of the process; the training asks for a stop
        `MARGIN_SECONDS` before (but never in the first half). None: no limit. Where a Slurm job
        ends earlier (SLURM_JOB_END_TIME; several programs may share it), its end counts.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    limit_seconds, why = _limit(minutes)
    deadline = STARTED_SECONDS + max(limit_seconds - MARGIN_SECONDS, limit_seconds / 2)

    def reason() -> str | None:
        if received:
            return signal.Signals(received[0]).name
        if time.monotonic() > deadline:
            return why
        return None

    earlier = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield reason
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _limit(minutes: float | None) -> tuple[float, str]:
    """Return the seconds from the start of the process to the limit, and its name."""
    own_seconds = math.inf if minutes is None else 60 * minutes
    end = os.environ.get("SLURM_JOB_END_TIME")  # seconds since 1970
    if end:
        age_seconds = time.monotonic() - STARTED_SECONDS
        job_seconds = max(float(end) - time.time() + age_seconds, 0.0)
        if job_seconds < own_seconds:
            return job_seconds, "the end of the Slurm job is near"
    return own_seconds, f"the job's limit of {own_seconds / 60:g} min is near"
