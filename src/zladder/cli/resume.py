"""``make resume``: clear what a lost Snakemake left behind, so that the same command can go on.

A terminal that goes away takes Snakemake with it, but not its Slurm jobs, and leaves the lock of
the folder. In this order: see that no Snakemake works here, neither on this host nor in an
allocation, cancel this folder's jobs and wait until they have saved their state, remove the lock.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from zladder.provenance.errors import EXIT_BAD_INPUT, EXIT_DONE, EXIT_UNFINISHED, BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("zladder")

JOB_NAMES = "zladder"  # how the names of our jobs begin: profiles/slurm, profiles/node/submit.sh
ALLOCATION = "zladder-node"  # the name of a job with a Snakemake inside: profiles/node/submit.sh
WAIT_SECONDS = 180.0  # a scheduler's cycle, and the time that Slurm gives a job to end
FIELDS = "%i|%j|%T|%k|%Z"  # number, name, state, comment (rule and wildcards), folder


@dataclass(frozen=True)
class Job:
    """A job in the queue: its number, name, state, and what it is for."""

    number: str
    name: str
    state: str
    purpose: str


def main() -> int:
    """Run the program; return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    folder = Path.cwd()
    try:
        require_alone(folder)
        jobs = jobs_of(folder)
        require_no_allocation(folder, jobs)
        cancel(jobs)
        unlock()
    except BadInput as error:
        log.error("%s", error)
        return EXIT_BAD_INPUT
    except TimeoutError as error:
        log.error("unfinished: %s; run me again", error)
        return EXIT_UNFINISHED
    return EXIT_DONE


def require_alone(folder: Path) -> None:
    """Refuse to go on while a Snakemake of this host works in a folder.

    Raises
    ------
    BadInput
        If there is one; it needs its jobs and its lock.
    """
    found = [process.pid for process in psutil.process_iter() if _works_in(process, folder)]
    if found:
        numbers = ", ".join(map(str, found))
        raise BadInput(
            folder, "Snakemake", "none that runs in this folder", f"process {numbers}",
            "wait for it, or stop it with Ctrl-C, which cancels its jobs and frees the folder",
        )  # fmt: skip


def require_no_allocation(folder: Path, jobs: list[Job]) -> None:
    """Refuse to go on while a job with a Snakemake inside waits or runs.

    Raises
    ------
    BadInput
        If there is one; it holds the lock, or takes it when it starts.
    """
    found = [f"{job.number} ({job.state})" for job in jobs if job.name == ALLOCATION]
    if found:
        raise BadInput(
            folder, "Slurm", f"no job {ALLOCATION} of this folder", f"job {', '.join(found)}",
            "wait for its end, or end it with scancel; submitted again it goes on by itself",
        )  # fmt: skip


def _works_in(process: psutil.Process, folder: Path) -> bool:
    """Return whether a process is a Snakemake that plans in a folder.

    The ones that Snakemake starts inside its jobs say `--mode`; they go with their jobs. Processes
    of other users cannot be looked at.
    """
    try:
        words = process.cmdline()
        plans = any(Path(word).name == "snakemake" for word in words[:3]) and "--mode" not in words
        return plans and Path(process.cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False


def jobs_of(folder: Path) -> list[Job]:
    """Return this user's jobs that were submitted from a folder; none without Slurm."""
    if shutil.which("squeue") is None:
        return []
    user = psutil.Process().username()
    command = ["squeue", "--noheader", f"--user={user}", f"--format={FIELDS}"]
    hint = "is this a login node, and does Slurm answer?"
    said = _answer(command, "squeue", "a list of jobs", hint, timeout_seconds=60.0)
    rows = [line.split("|", 4) for line in said.splitlines()]
    return [
        Job(number, name, state, purpose)
        for number, name, state, purpose, at in rows
        if name.startswith(JOB_NAMES) and os.path.realpath(at.strip()) == os.path.realpath(folder)
    ]


def cancel(jobs: list[Job]) -> None:
    """Cancel jobs, after saying so, and wait until they are gone.

    Raises
    ------
    BadInput
        If Slurm refuses.
    TimeoutError
        If some still end after `WAIT_SECONDS`.
    """
    if not jobs:
        log.info("no job of this folder is in the queue")
        return
    for job in jobs:
        log.info("cancelling job %s (%s, %s)", job.number, job.purpose, job.state)
    numbers = [job.number for job in jobs]
    hint = "cancel the jobs above yourself, then run me again"
    _answer(["scancel", *numbers], "scancel", "the jobs cancelled", hint, timeout_seconds=60.0)
    deadline = time.monotonic() + WAIT_SECONDS
    while left := set(numbers) & {job.number for job in jobs_of(Path.cwd())}:
        if time.monotonic() > deadline:
            message = f"the jobs {', '.join(sorted(left))} are still ending"
            raise TimeoutError(message)
        time.sleep(1.0)


def unlock() -> None:
    """Remove Snakemake's lock of this folder, if there is one.

    Raises
    ------
    BadInput
        If Snakemake cannot, such as for a configuration that it refuses.
    """
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "none", "--unlock"]
    hint = "the output of `snakemake --unlock` says more"
    _answer(command, "snakemake --unlock", "the lock removed", hint, timeout_seconds=600.0)


def _answer(
    command: Sequence[str], name: str, expected: str, hint: str, *, timeout_seconds: float
) -> str:
    """Run a command to its end and return its standard output."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=timeout_seconds
        )
    except subprocess.TimeoutExpired:
        found = f"no answer within {timeout_seconds:g} s"
        raise BadInput(name, "its answer", expected, found, hint) from None
    except subprocess.CalledProcessError as error:
        found = error.stderr.strip() or f"exit code {error.returncode}"
        raise BadInput(name, "its answer", expected, found, hint) from None
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
