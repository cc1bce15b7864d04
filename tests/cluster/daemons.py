"""Daemons of a test: started in a session of their own, and exactly these are stopped again.

A process is known by its number and its start time (`psutil.Process` compares both), so that a
number that the system gave to somebody else in the meantime is never signalled. What the daemons
leave behind (job steps, which detach themselves) carries a random token in its environment.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

TOKEN = "ZLADDER_CLUSTER_TOKEN"


class Daemons:
    """Background processes that log into one folder."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.token = secrets.token_hex(16)
        self.started: list[tuple[str, psutil.Process]] = []

    def start(self, name: str, *command: str, **environment: str) -> None:
        """Start a process; it is expected to stay in the foreground."""
        with (self.logs / f"{name}.out").open("ab") as out:
            process = psutil.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **environment, TOKEN: self.token},
            )  # fmt: skip
        self.started.append((name, process))

    def dead(self) -> list[str]:
        """Return the names of the processes that ended by themselves."""
        return [name for name, process in self.started if not alive(process)]

    def stop(self) -> None:
        """Stop what was started, the last first, and then what that left behind."""
        for name, process in reversed(self.started):
            end([process], 2.0 if name.startswith("munge") else 20.0)
        self.started.clear()
        end(self.left_behind(), 5.0)

    def left_behind(self) -> list[psutil.Process]:
        """Return the living processes that carry this token."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(TOKEN) == self.token
        except (psutil.Error, OSError):  # gone by now, or somebody else's
            return False


def alive(process: psutil.Process) -> bool:
    """Return whether a process runs (one that waits to be reaped does not)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Ask processes to end, and end those that do not within `seconds`."""
    asked = list(processes)
    for process in asked:
        _signal(process.terminate)
    _wait(asked, seconds)
    for process in filter(alive, asked):
        _signal(process.kill)
    _wait(asked, 5.0)
    for process in asked:
        if isinstance(process, psutil.Popen):  # a child of ours: it waits to be reaped
            process.wait(timeout=5.0)


def _wait(processes: list[psutil.Process], seconds: float) -> None:
    with suppress(TimeoutError):
        wait_until(lambda: not any(map(alive, processes)), seconds, "processes to end")


def _signal(send: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        send()


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition holds.

    Raises
    ------
    TimeoutError
        If it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            message = f"waited {seconds:g} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.1)
