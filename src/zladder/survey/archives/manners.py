"""Manners towards a server: one connection at a time, a pace, and patience that grows."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from zladder.provenance.errors import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Result = TypeVar("Result")

log = logging.getLogger("zladder")


@dataclass(frozen=True)
class Manners:
    """How archives are asked: the values of config/fetching.yaml.

    Attributes
    ----------
    hosts
        Folder with a file for each server: its lock, and when it was last asked.
    """

    requests_per_second: float
    timeout_seconds: float
    query_seconds: float
    n_tries: int
    first_wait_seconds: float
    longest_wait_seconds: float
    slowest_bytes_per_second: float
    progress_seconds: float
    poll_seconds: float
    max_missing_frames_fraction: float
    hosts: Path

    def towards(self, archive: Mapping[str, Any]) -> Manners:
        """Return the manners towards an archive, which may have a pace of its own."""
        pace = archive.get("requests_per_second", self.requests_per_second)
        return replace(self, requests_per_second=pace)

    def of_a_query(self) -> Manners:
        """Return the manners of waiting for the answer to a query."""
        return replace(self, timeout_seconds=self.query_seconds)


class Trouble(Exception):  # noqa: N818 (passing: the same request may succeed later)
    """A request that came to nothing, or to half an answer.

    Attributes
    ----------
    retry_after_seconds
        How long the server asks to wait, if it says so.
    progressed
        Whether it brought bytes that were not there before.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, progressed: bool = False
    ) -> None:
        self.retry_after_seconds = retry_after_seconds
        self.progressed = progressed
        super().__init__(message)


def with_patience(attempt: Callable[[], Result], what: str, manners: Manners) -> Result:
    """Call `attempt` until it succeeds, waiting longer after each `Trouble`.

    Raises
    ------
    Unfinished
        After `n_tries` troubles in a row that brought nothing new, or at once if the server asks
        for a longer wait than `longest_wait_seconds`.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except Trouble as trouble:
            failures = 1 if trouble.progressed else failures + 1
            wait = manners.first_wait_seconds * 2 ** min(failures - 1, 60)
            wait = min(wait, manners.longest_wait_seconds)
            wait = max(wait, trouble.retry_after_seconds or 0.0)
            if failures >= manners.n_tries or wait > manners.longest_wait_seconds:
                asked = (
                    f"; the server asks to wait {wait:g} s" if trouble.retry_after_seconds else ""
                )
                message = f"{what}: {trouble} (try {failures}{asked}); what came so far is kept"
                raise Unfinished(message) from trouble
            log.info("%s: %s; again in %.3g s (try %d of %d)",
                     what, trouble, wait, failures, manners.n_tries)  # fmt: skip
            time.sleep(wait)


@contextmanager
def turn_at(host: str, manners: Manners) -> Iterator[None]:
    """Hold the only connection to a server while the block runs, no sooner than its pace allows.

    Jobs that share the folder `hosts` wait for each other. A file system without locks leaves
    each to itself.
    """
    manners.hosts.mkdir(parents=True, exist_ok=True)
    file = manners.hosts / host.replace(":", "_")
    known = file.exists()
    with file.open("a") as stream:
        lock(stream.fileno())
        pause = 1.0 / manners.requests_per_second
        since = time.time() - os.fstat(stream.fileno()).st_mtime if known else pause
        if 0 <= since < pause:
            time.sleep(pause - since)
        os.utime(file)
        yield


def lock(descriptor: int) -> None:
    """Wait for the lock of an open file or folder; it ends when that is closed, or the process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        log.info("no locks here (%s): other jobs may ask the same server too", error)
