"""The whole workflow inside one allocation: as many trainings at a time as it has GPUs."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yte

from tests.checkout import ROOT
from tests.cluster.daemons import wait_until
from tests.cluster.login import Login, lay_out
from tests.cluster.slurm import Slurm

pytestmark = pytest.mark.timeout(200)

SUBMIT = "profiles/node/submit.sh"


@pytest.fixture
def login(slurm: Slurm, tmp_path: Path) -> Login:
    """Trainings on a login node."""
    return Login(lay_out(tmp_path / "node", Path(__file__).parent / "node.smk"), slurm)


def submit(login: Login, n_gpus: int, *more: str) -> str:
    """Submit the batch script that we ship; return the number of the job."""
    asked = ["-A", "proj_g", "-C", "gpu", f"--gpus={n_gpus}", "--cpus-per-task=8", "--mem=8000"]
    code, said = login.run("sbatch", "--parsable", *asked, SUBMIT, *more)
    assert code == 0, said
    return said.strip()


def completed(login: Login, number: str) -> str:
    """Wait until a job has ended well; return its log."""

    def well() -> bool:
        return "JobState=COMPLETED" in login.slurm.run("scontrol", "show", "job", number)

    wait_until(well, 120.0, "the allocation to end well")
    return (login.folder / f"zladder-node-{number}.log").read_text(encoding="utf-8")


def most_at_a_time(out: Path) -> int:
    """Return how many trainings ran at the same time, at most."""
    spans = [[float(word) for word in path.read_text().split()] for path in out.iterdir()]
    return max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)


@pytest.mark.parametrize("n_gpus", [1, 2])
def test_one_training_a_gpu(login: Login, n_gpus: int) -> None:
    said = completed(login, submit(login, n_gpus))
    assert "5 of 5 steps (100%) done" in said
    assert len(list((login.folder / "out").iterdir())) == 4
    assert most_at_a_time(login.folder / "out") == n_gpus


def test_a_requeued_allocation_unlocks_and_goes_on(login: Login) -> None:
    number = submit(login, 1)
    wait_until((login.folder / "out/0").exists, 60.0, "the first training")
    login.slurm.run("scontrol", "requeue", number)
    log = login.folder / f"zladder-node-{number}.log"
    wait_until(lambda: ["PENDING"] in login.slurm.jobs("%T"), 60.0, "the end of the first attempt")
    # Slurm would wait two minutes. Not within the second, though: the nodes take no credential of
    # a job that is as old as its requeue ("Job credential revoked"), and the job fails.
    time.sleep(2.0)
    login.slurm.run("scontrol", "update", f"jobid={number}", "starttime=now")
    again = "Building DAG of jobs"
    wait_until(lambda: log.read_text("utf-8").count(again) >= 2, 60.0, "the job to run again")
    said = completed(login, number)
    assert said.count(again) >= 2  # the log is appended to
    assert len(list((login.folder / "out").iterdir())) == 4


def kill_snakemake(folder: Path) -> None:
    """Kill the Snakemake that works in a folder of this test."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            words = process.cmdline()[:3]
            if any(Path(word).name == "snakemake" for word in words) and (
                Path(process.cwd()) == folder
            ):
                process.kill()


def test_a_killed_allocation_submitted_again_unlocks_and_goes_on(login: Login) -> None:
    number = submit(login, 1)
    wait_until((login.folder / "out/0").exists, 60.0, "the first training")
    kill_snakemake(login.folder)  # as at the end of its time, if it takes too long to leave
    wait_until(lambda: [number] not in login.slurm.jobs("%i"), 60.0, "the killed job to end")
    assert list((login.folder / ".snakemake/locks").iterdir())
    said = completed(login, submit(login, 1))
    assert "LockException" not in said
    assert len(list((login.folder / "out").iterdir())) == 4


def test_the_lock_of_an_allocation_that_runs_stays(login: Login) -> None:
    first = submit(login, 1)
    wait_until((login.folder / "out/0").exists, 60.0, "the first training")
    second = submit(login, 1)
    log = login.folder / f"zladder-node-{second}.log"
    wait_until(lambda: log.is_file() and "LockException" in log.read_text(), 60.0, "the refusal")
    assert "5 of 5 steps (100%) done" in completed(login, first)


@pytest.mark.parametrize(
    ("slurm_mb", "n_cpus", "expected_mb"),
    [
        ("3000", "2", 3000),
        ("0", "2", 9000),  # --mem=0: all that the node has
        ("64000", "2", 9000),
        ("", "2", 8000),
        ("", "128", 9000),
    ],
)
def test_the_memory_of_the_node_is_never_exceeded(
    monkeypatch: pytest.MonkeyPatch, slurm_mb: str, n_cpus: str, expected_mb: int
) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 9000 * 256}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", n_cpus)
    monkeypatch.setenv("SLURM_MEM_PER_NODE", slurm_mb)
    text = (ROOT / "profiles/node/config.yaml").read_text(encoding="utf-8")
    assert yte.process_yaml(text)["resources"]["mem_mb"] == expected_mb
