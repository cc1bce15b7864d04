"""Ctrl-C in a training, then the same command: it goes on, and nobody can tell afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.checkout import Checkout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

RESULTS = "results/mock-test"
WAIT_SECONDS = 120.0


class Long(NamedTuple):
    """A training, made long enough to be interrupted, and what is asked of it."""

    rule: str
    run: str
    longer: str
    target: str

    @property
    def command(self) -> tuple[str, ...]:
        return ("--cores", "2", "--config", "scale=test", self.longer, "--", self.target)

    @property
    def log(self) -> str:
        return f"{RESULTS}/logs/{self.rule}/{self.run}.log"


ENSEMBLE = Long(
    "train_network", "main_sample.ensemble-s0", "train={epochs_limit: 200}",
    f"{RESULTS}/predictions/main_sample.ensemble-s0.parquet",
)  # fmt: skip
MOCO = Long(
    "pretrain_encoder", "label_efficiency.moco-s0", "pretrain={steps_limit: 100}",
    f"{RESULTS}/features/label_efficiency.moco-s0.h5",
)  # fmt: skip


def wait_for(running: subprocess.Popen[str], path: Path, word: str) -> None:
    """Wait until a log holds a word."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (path.is_file() and word in path.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, f"no {word!r} in {path}"
        assert running.poll() is None, running.communicate()[1]
        time.sleep(0.05)


def ended(running: subprocess.Popen[str]) -> str:
    """Return what a Snakemake that is ending says; none is left behind."""
    try:
        return running.communicate(timeout=WAIT_SECONDS)[1]
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()


def interrupt(checkout: Checkout, long: Long) -> str:
    """Start the training, press Ctrl-C once it has begun, and return the log."""
    log = checkout.folder / long.log
    log.unlink(missing_ok=True)
    running = checkout.start(*long.command)
    try:
        wait_for(running, log, "epoch 1/")  # the line of the first step
        os.killpg(running.pid, signal.SIGINT)  # what a terminal does
    finally:
        stderr = ended(running)
    assert running.returncode != 0, stderr
    return log.read_text(encoding="utf-8")


@pytest.mark.parametrize("long", [ENSEMBLE, MOCO], ids=["perceptrons", "moco"])
def test_interrupted_training_ends_byte_equal(copy: Checkout, tmp_path: Path, long: Long) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(copy.folder, twin, symlinks=True)
    undisturbed = Checkout.of(twin)
    done = undisturbed.snakemake(*long.command)
    assert done.returncode == 0, done.stderr[-3000:]

    said = interrupt(copy, long)
    assert "SIGINT; saved in epoch" in said
    weights = copy.folder / RESULTS / "runs" / long.run / "weights.safetensors"
    assert not weights.exists()
    resume = list((copy.folder / RESULTS / "resume").iterdir())
    assert [folder.name.rsplit("-", 1)[0] for folder in resume] == [long.run]

    done = copy.snakemake(*long.command)
    assert done.returncode == 0, done.stderr[-3000:]
    text = (copy.folder / long.log).read_text(encoding="utf-8")
    assert "resumed in epoch" in text
    assert "earlier attempts:" in text
    assert not list((copy.folder / RESULTS / "resume").iterdir())
    results = (f"runs/{long.run}/weights.safetensors", f"runs/{long.run}/history.csv")
    for file in (*(f"{RESULTS}/{name}" for name in results), long.target):
        assert (copy.folder / file).read_bytes() == (twin / file).read_bytes(), file


def test_retries_do_not_repeat_the_work_on_bad_input(copy: Checkout) -> None:
    narrow = ("--config", "scale=test", "train={label_range_z: [0.0, 0.05]}")
    target = f"{RESULTS}/runs/main_sample.single-s0/weights.safetensors"
    done = copy.snakemake("--cores", "1", *narrow, "--", target)
    assert done.returncode != 0
    assert "train_network" in done.stderr
    assert done.stderr.count("a redshift in [0, 0.05]") == 4  # the rule has three retries
    assert done.stderr.count("not tried again") == 3
    assert not (copy.folder / target).exists()


def test_edit_while_the_workflow_runs_is_caught(copy: Checkout) -> None:
    losses = copy.folder / "src/zladder/learning/losses.py"
    text = losses.read_text(encoding="utf-8")
    log = copy.folder / RESULTS / "logs" / "build_dataset" / "main.log"
    log.unlink()
    running = copy.start("--forcerun", "build_dataset", *ENSEMBLE.command)
    try:
        wait_for(running, log, "build_dataset.py")
        losses.write_text(text + "\nEDITED = True\n", encoding="utf-8")
    finally:
        stderr = ended(running)
    assert running.returncode != 0
    assert "the code changed while the workflow ran" in stderr
