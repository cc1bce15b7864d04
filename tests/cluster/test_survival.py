"""A pretraining that is cancelled, ended, interrupted and cut short: nobody can tell afterwards."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import Checkout
from tests.cluster.daemons import wait_until
from tests.cluster.login import QUICK, Login, fresh_clone
from tests.cluster.slurm import Slurm

pytestmark = pytest.mark.timeout(900)

RUN = "label_efficiency.moco-s0"
RULE = "pretrain_encoder"
RESULTS = Path("results/mock-test")
WEIGHTS = RESULTS / "runs" / RUN / "weights.safetensors"
# Long enough to be stopped four times, the last time after half a minute by its own deadline; and
# short enough for the four attempts of half a minute that it has.
TRAINING_SECONDS = 60.0
LIMIT = "pretrain: {{steps_limit: {}}}"
PATIENCE_SECONDS = 240.0


OPTIONS = ("--config", "scale=test", "--", str(WEIGHTS))
COMMAND = ("--profile", "slurm", *QUICK, *OPTIONS)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with all that a pretraining of `TRAINING_SECONDS` needs.

    How many steps that are, a short one tells.
    """
    folder = fresh_clone(tmp_path_factory.mktemp("prepared") / "ladder")
    checkout = Checkout.of(folder)
    checkout.edit("config/scales.yaml", LIMIT.format(12), LIMIT.format(50))
    done = checkout.snakemake("--cores", "2", *OPTIONS)
    assert done.returncode == 0, done.stderr[-4000:]
    run = (folder / WEIGHTS).parent
    seconds = json.loads((run / "sidecar.json").read_text("utf-8"))["training_seconds"]
    shutil.rmtree(run)
    shutil.rmtree(folder / RESULTS / "logs" / RULE)
    n_steps = max(100, math.ceil(50 * TRAINING_SECONDS / seconds))
    checkout.edit("config/scales.yaml", LIMIT.format(50), LIMIT.format(n_steps))
    return folder


class Pretraining:
    """A pretraining on a login node, and what its log says."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.log = login.folder / RESULTS / "logs" / RULE / f"{RUN}.log"

    def said(self) -> str:
        """Return its log, which repeats those of earlier attempts."""
        return self.log.read_text(encoding="utf-8") if self.log.is_file() else ""

    def wait_for_steps(self, n_stops: int) -> str:
        """Wait until it has taken steps after so many stops; return the number of its job."""

        def steps() -> bool:
            attempts = self.said().split("resumed in epoch")
            return len(attempts) == n_stops + 1 and ": train " in attempts[-1]

        wait_until(steps, PATIENCE_SECONDS, f"steps after {n_stops} stops: {self.said()[-2000:]}")
        [(number,)] = self.login.slurm.jobs("%i")
        return number

    def checkpoint(self) -> Path:
        """Return where its state lies."""
        [folder] = (self.login.folder / RESULTS / "resume").iterdir()
        return folder / "checkpoint.safetensors"


def test_a_pretraining_survives_all_that_a_cluster_does_to_it(
    prepared: Path, slurm: Slurm, tmp_path: Path
) -> None:
    twin, folder = tmp_path / "twin", tmp_path / "ladder"
    shutil.copytree(prepared, twin, symlinks=True)
    shutil.copytree(prepared, folder, symlinks=True)
    alone = Checkout.of(twin).start("--cores", "1", *OPTIONS)  # at the same time
    try:
        pretraining = Pretraining(Login(folder, slurm))
        stop_by_scancel_term_and_ctrl_c(pretraining)
        assert not (folder / WEIGHTS).exists()
        assert pretraining.checkpoint().is_file()
        go_on_with_a_minute_a_job(pretraining)
    finally:
        said = end(alone, PATIENCE_SECONDS)
    assert alone.returncode == 0, said
    for name in ("weights.safetensors", "history.csv"):
        path = WEIGHTS.with_name(name)
        assert (folder / path).read_bytes() == (twin / path).read_bytes(), name
    assert not list((folder / RESULTS / "resume").iterdir())


def end(running: subprocess.Popen[str], seconds: float) -> str:
    """Wait for the end of a process, and end it if it takes longer; return what it says."""
    try:
        said, errors = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        said, errors = running.communicate()
    return (errors or said or "")[-3000:]


def stop_by_scancel_term_and_ctrl_c(pretraining: Pretraining) -> None:
    """Stop a pretraining three times; after the first two Snakemake sends it again by itself."""
    slurm = pretraining.login.slurm
    running = pretraining.login.start(*COMMAND)
    try:
        job = pretraining.wait_for_steps(0)
        refuse_a_second_writer(pretraining)
        slurm.run("scancel", job)
        job = pretraining.wait_for_steps(1)
        slurm.run("scancel", "--signal=TERM", job)
        pretraining.wait_for_steps(2)
        os.killpg(running.pid, signal.SIGINT)  # what a terminal does
    finally:
        said = end(running, 60.0 if sys.exc_info()[0] is None else 0.0)
    assert running.returncode != 0, said
    wait_until(lambda: not slurm.jobs("%i"), 60.0, "the cancelled job to end")
    assert "SIGTERM; saved in epoch" in pretraining.said()


def refuse_a_second_writer(pretraining: Pretraining) -> None:
    """Assert that the same training, by hand, ends with 3 while the job trains."""
    command = shlex.split(pretraining.said().splitlines()[0].partition(" && ")[2])
    log = pretraining.login.folder / "by_hand.log"
    command[command.index("--log") + 1] = str(log)
    code, _ = pretraining.login.run(*command, PYTHONPATH="src")
    assert code == 3, log.read_text(encoding="utf-8")
    assert "another process trains in" in log.read_text(encoding="utf-8")


def go_on_with_a_minute_a_job(pretraining: Pretraining) -> None:
    """Go on with the same command to the end, in jobs that may take a minute."""
    profile = pretraining.login.folder / "profiles/slurm/config.yaml"
    text = profile.read_text(encoding="utf-8")
    assert text.count("    cpus_per_gpu: 32\n") == 1
    short = text.replace("    cpus_per_gpu: 32\n", "    cpus_per_gpu: 32\n    runtime: 1\n")
    profile.write_text(short, encoding="utf-8")
    code, said = pretraining.login.snakemake(*COMMAND)
    assert code == 0, said[-4000:]
    assert "-t 1" in pretraining.login.submitted()[-1].arguments
    assert "TIMEOUT" not in said  # it left by itself, and did not start again in the same job
    # One time for each stop above, and at least once more at its own deadline of half a minute.
    assert pretraining.said().count("resumed in epoch") >= 4, pretraining.said()
