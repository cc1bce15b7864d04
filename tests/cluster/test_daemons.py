"""The harness stops exactly what it started; this needs no Slurm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cluster import slurm
from tests.cluster.daemons import Daemons, alive, wait_until

# Leaves a child behind in a session of its own, as a job step does, and ignores SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_what_was_started_is_stopped_and_nothing_else(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    daemons = Daemons(tmp_path)
    try:
        daemons.start("munged", sys.executable, "-c", STUBBORN)
        log = tmp_path / "munged.out"
        wait_until(lambda: log.read_text().strip().isdigit(), 20.0, "the child")
        child = psutil.Process(int(log.read_text()))
        [(_, daemon)] = daemons.started
        daemons.stop()
        assert not alive(daemon)
        assert not alive(child)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_daemon_that_ended_is_told(tmp_path: Path) -> None:
    daemons = Daemons(tmp_path)
    daemons.start("short", "true")
    daemons.start("long", "sleep", "60")
    wait_until(lambda: daemons.dead() == ["short"], 20.0, "the end of the short one")
    daemons.stop()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "PROGRAMS", ("sh", "no-such-daemon"))
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    why = slurm.missing()
    assert why == "not installed: no-such-daemon (make install-slurm)"
