"""The whole ladder at scale `test`, from a fresh clone, as Slurm jobs."""

from __future__ import annotations

import sys
import time

import pytest
import yaml

from tests.checkout import ROOT, Checkout
from tests.cluster.ladder import SCALE, name_of, names_of_jobs, our_rules
from tests.cluster.login import QUICK, Login, Submitted, fresh_clone
from tests.cluster.slurm import Slurm

pytestmark = pytest.mark.timeout(1500)

LIMIT_JOBS = 40


@pytest.fixture(scope="module")
def ladder(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Login:
    """A login node with a fresh clone."""
    return Login(fresh_clone(tmp_path_factory.mktemp("clone") / "ladder"), slurm)


def test_the_ladder_climbs_in_few_jobs(ladder: Login) -> None:
    names, with_gpu = names_of_jobs(Checkout.of(ladder.folder).rules())
    begin = time.monotonic()
    code, said = ladder.snakemake("--profile", "slurm", *QUICK, *SCALE, seconds=1400)
    seconds = time.monotonic() - begin
    assert code == 0, said[-6000:]
    jobs = ladder.submitted()
    sys.__stderr__.write(f"the ladder: {len(jobs)} jobs, {seconds:.0f} s\n")
    assert len(jobs) <= LIMIT_JOBS
    assert {name_of(job, names) for job in jobs} == names
    for job in jobs:
        ask_for_a_gpu_or_not(job, name_of(job, names) in with_gpu)
    assert (ladder.folder / "results/mock-test/report/summary.html").is_file()


def ask_for_a_gpu_or_not(job: Submitted, gpu: bool) -> None:
    """Assert what a job of GPU rules asks for, and what one of CPU rules does not."""
    asked = set(job.arguments)
    if gpu:
        assert {"-A proj_g", "-C gpu", "--gpus=1", "--cpus-per-gpu=32"} <= asked, job
        assert not [word for word in asked if word.startswith(("--gres", "--ntasks"))], job
    else:
        assert {"-A proj", "-C cpu"} <= asked, job
        assert not job.asks_for_gpus(), job
    assert not [word for word in asked if word.startswith("-p ")], job


def test_again_there_is_nothing_to_do(ladder: Login) -> None:
    if not (ladder.folder / "results/mock-test/report/summary.html").is_file():
        pytest.skip("the ladder was not climbed")
    n_jobs = len(ladder.submitted())
    code, said = ladder.snakemake("--profile", "slurm", *SCALE)
    assert code == 0, said[-3000:]
    assert "Nothing to be done" in said
    assert len(ladder.submitted()) == n_jobs


def test_every_rule_is_local_or_named_in_a_group_or_meant_to_stand_alone() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    rules = our_rules()
    local = {name for name, rule in rules.items() if "localrule" in rule.keywords}
    alone = {"simulate_sky", "pretrain_encoder"}
    assert set(rules) - local - alone == set(profile["groups"])
    assert set(profile["group-components"]) <= set(profile["groups"].values())
