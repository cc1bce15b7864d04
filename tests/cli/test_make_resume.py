"""``make resume`` and ``make clean-resume``: what they start, refuse, and leave alone."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tests.checkout import ROOT
from zladder.cli import clean_resume, resume
from zladder.cli.resume import Job, cancel, jobs_of, require_no_allocation, unlock
from zladder.learning.lease import lease
from zladder.provenance.errors import BadInput


def planned(*arguments, **environment):
    """Return the words of the Snakemake that `make resume` would start."""
    dropped = ("SKY", "SCALE", "PROFILE", "TARGETS", "ARGS", "CORES", "MAKEFLAGS", "MAKELEVEL")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    done = subprocess.run(
        ["make", "-n", "resume", *arguments], cwd=ROOT, env={**kept, **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.replace("\\\n", " ").splitlines()
    [line] = [line for line in lines if "/snakemake " in line]
    return line.split()[1:]


def test_only_what_was_given_is_passed_on():
    assert planned("CORES=3") == ["--cores", "3"]
    assert planned("PROFILE=slurm", "SCALE=small") == [
        "--profile", "slurm", "--config", "scale=small",
    ]  # fmt: skip
    assert planned("CORES=1", "SKY=mock", SCALE="test")[2:] == [
        "--config", "sky=mock", "scale=test",
    ]  # fmt: skip
    words = planned("PROFILE=slurm", "ARGS=--configfile mine.yaml", "TARGETS=hayat2021 lin2022")
    assert words[2:] == ["--configfile", "mine.yaml", "--", "hayat2021", "lin2022"]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Return what writes commands of a pretended Slurm: name and shell text."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def write(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    return write


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_an_allocation_of_the_folder_is_refused_with_its_number(tmp_path, slurm, state):
    here = tmp_path / "here"
    slurm("squeue", f"echo '12|zladder-node|{state}|(null)|{here}'\n"
                    f"echo '13|zladder_ab|RUNNING|rule_x|{here}'\n"
                    "echo '14|zladder-node|RUNNING|(null)|/elsewhere'")  # fmt: skip
    jobs = jobs_of(here)
    assert [job.number for job in jobs] == ["12", "13"]
    with pytest.raises(BadInput) as caught:
        require_no_allocation(here, jobs)
    assert (caught.value.file, caught.value.place) == (str(here), "Slurm")
    assert caught.value.expected == "no job zladder-node of this folder"
    assert caught.value.found == f"job 12 ({state})"
    require_no_allocation(here, jobs[1:])


def test_a_refusing_scancel_is_told_and_no_traceback(slurm):
    slurm("scancel", "echo 'Access denied' >&2; exit 1")
    with pytest.raises(BadInput) as caught:
        cancel([Job("12", "zladder_ab", "RUNNING", "rule_x")])
    assert (caught.value.file, caught.value.place) == ("scancel", "its answer")
    assert (caught.value.expected, caught.value.found) == ("the jobs cancelled", "Access denied")


def test_a_slurm_that_does_not_answer_is_told(slurm, monkeypatch):
    slurm("scancel", "exec sleep 30")
    plain = subprocess.run
    monkeypatch.setattr(
        resume.subprocess, "run", lambda *args, **more: plain(*args, **{**more, "timeout": 0.2})
    )
    begin = time.monotonic()
    with pytest.raises(BadInput) as caught:
        cancel([Job("12", "zladder_ab", "RUNNING", "rule_x")])
    assert (caught.value.file, caught.value.place) == ("scancel", "its answer")
    assert (caught.value.expected, caught.value.found) == (
        "the jobs cancelled", "no answer within 60 s",
    )  # fmt: skip
    assert time.monotonic() - begin < 20


def test_a_workflow_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # without a Snakefile
    with pytest.raises(BadInput) as caught:
        unlock()
    assert (caught.value.file, caught.value.place) == ("snakemake --unlock", "its answer")
    assert caught.value.expected == "the lock removed"
    assert "Snakefile" in caught.value.found


def test_states_of_trainings_that_run_are_left_and_named(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    folders = [tmp_path / "results/mock-test/resume" / name for name in ("dead", "living")]
    folders.append(tmp_path / "results/mock-demo/resume/other")
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "checkpoint.safetensors").touch()
    weights = tmp_path / "results/mock-test/runs/a/weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    with lease(folders[1]), caplog.at_level("INFO"):
        assert clean_resume.main() == 0
        assert [folder.exists() for folder in folders] == [False, True, False]
        assert (folders[1] / "checkpoint.safetensors").is_file()
    assert [record.message for record in caplog.records] == [
        "left alone, a training works in it: results/mock-test/resume/living"
    ]
    caplog.clear()
    assert clean_resume.main() == 0
    assert not folders[1].exists()
    assert caplog.records == []
    assert weights.is_file()
