"""The whole workflow inside one allocation: as many trainings at a time as it has GPUs."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    # Slurm waits two minutes before it starts a requeued job again, unless it is told not to.
    wait_until(lambda: ["PENDING"] in login.slurm.jobs("%T"), 30.0, "the job to wait again")
    login.slurm.run("scontrol", "update", f"jobid={number}", "starttime=now")
    said = completed(login, number)
    assert said.count("Building DAG of jobs") >= 2  # the log is appended to
    assert len(list((login.folder / "out").iterdir())) == 4
