"""After a lost terminal `make resume` cancels what still runs, unlocks, and the work goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.cluster.daemons import wait_until
from tests.cluster.login import QUICK, Login

pytestmark = pytest.mark.timeout(300)

SKY = ("--profile", "slurm", *QUICK, "--", "out/sky")
RESUME = (sys.executable, "-m", "zladder.cli.resume")
SOURCE = {"PYTHONPATH": str(ROOT / "src")}


def slow(login: Login) -> Login:
    """Let the sky of the toy take an hour."""
    snakefile = login.folder / "Snakefile"
    text = snakefile.read_text(encoding="utf-8")
    snakefile.write_text(text.replace('"sleep 4; ', '"sleep ${{NAP:-3600}}; '), encoding="utf-8")
    return login


def start_and_wait(login: Login) -> subprocess.Popen[str]:
    """Start Snakemake and wait until its job runs."""
    running = login.start(*SKY)

    def runs() -> bool:
        assert running.poll() is None, running.communicate()[0]
        return [state for (state,) in login.slurm.jobs("%T")] == ["RUNNING"]

    wait_until(runs, 60.0, "the job to run")
    return running


def test_jobs_of_a_lost_snakemake_are_cancelled_and_the_command_goes_on(
    toy: Callable[..., Login], tmp_path: Path
) -> None:
    login = slow(toy())
    running = start_and_wait(login)
    code, said = login.run(*RESUME, **SOURCE)
    assert code == 2  # while Snakemake lives, its jobs are its own
    assert f"process {running.pid}" in said
    assert len(login.slurm.jobs()) == 1

    os.killpg(running.pid, signal.SIGKILL)  # the terminal is gone
    running.communicate()
    assert len(login.slurm.jobs()) == 1
    code, said = login.snakemake(*SKY)
    assert code != 0
    assert "LockException" in said

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    number = submit_a_stranger(login, elsewhere)
    code, said = login.run(*RESUME, **SOURCE)
    assert code == 0, said
    assert "cancelling job" in said
    assert "rule_simulate_sky" in said
    assert [job for (job,) in login.slurm.jobs("%i")] == [number]  # of another folder
    code, said = login.snakemake(*SKY, NAP="0")
    assert code == 0, said[-3000:]


def submit_a_stranger(login: Login, folder: Path) -> str:
    """Submit a job of the same name from another folder; return its number."""
    command = [
        "-A",
        "proj",
        "-C",
        "cpu",
        "-J",
        "zladder_other",
        "-D",
        str(folder),
        "-o",
        "/dev/null",
    ]
    return login.slurm.run("sbatch", "--parsable", *command, "--wrap", "sleep 600").strip()


def test_an_allocation_of_the_folder_is_left_alone(toy: Callable[..., Login]) -> None:
    login = toy()
    asked = ["-A", "proj", "-C", "cpu", "-J", "zladder-node", "-D", str(login.folder)]
    number = login.slurm.run(
        "sbatch", "--parsable", *asked, "-o", "/dev/null", "--wrap", "sleep 600"
    ).strip()
    code, said = login.run(*RESUME, **SOURCE)
    assert code == 2
    assert f"job {number} (" in said
    assert [job for (job,) in login.slurm.jobs("%i")] == [number]


def test_with_nothing_to_clear_it_says_so(toy: Callable[..., Login]) -> None:
    login = toy()
    code, said = login.run(*RESUME, **SOURCE)
    assert code == 0
    assert "no job of this folder is in the queue" in said
