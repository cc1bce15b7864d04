"""``zladder runs`` and ``zladder card``: what was trained, what is unfinished, and how."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests import toys
from zladder.cli.main import main
from zladder.learning.lease import lease
from zladder.learning.resume import save_checkpoint


@pytest.fixture
def results(toy_results, tmp_path):
    """A copy of the toy's results that a test may change."""
    return Path(shutil.copytree(toy_results, tmp_path / "results"))


def runs(capsys, results) -> list[list[str]]:
    assert main(["runs", "--results", str(results)]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_runs_lists_state_and_cost(capsys, results):
    lines = runs(capsys, results)
    assert lines[0] == ["run", "sky-scale", "state", "epochs", "galaxies", "seconds"]
    knn, net = lines[1:]
    assert knn == ["toy.knn-s0", "mock-test", "done", "120", "2.5"]
    assert net[:5] == ["toy.net-s0", "mock-test", "done", "6", "120"]
    assert 0 <= float(net[5]) < 60  # of the training, which may take less than 0.05 s


def test_runs_shows_what_is_unfinished_and_what_trains_now(capsys, results):
    folder = results / "mock-test/resume/toy.long-s0-0123456789abcdef"
    folder.mkdir(parents=True)
    assert runs(capsys, results)[-1] == ["toy.long-s0", "mock-test", "unfinished"]
    save_checkpoint(folder, {"a": torch.zeros(2)}, {"epoch": 41, "seconds": 12.34})
    assert runs(capsys, results)[-1] == ["toy.long-s0", "mock-test", "unfinished", "41", "12.3"]
    with lease(folder):
        assert runs(capsys, results)[-1][2] == "training"
    lost = {"host": "elsewhere", "pid": 1}
    (folder / "lease.json").write_text(json.dumps(lost), encoding="utf-8")
    assert runs(capsys, results)[-1][2] == "training"


@pytest.mark.parametrize("missing", ["sidecar.json", "weights.safetensors"])
def test_runs_shows_what_is_incomplete(capsys, results, missing):
    (results / "mock-test/runs/toy.net-s0" / missing).unlink()
    assert runs(capsys, results)[-1] == ["toy.net-s0", "mock-test", "incomplete"]


def test_runs_without_results_is_an_empty_list(capsys, tmp_path):
    assert len(runs(capsys, tmp_path / "nowhere")) == 1


def test_card_prints_the_card_as_it_was_trained(capsys, results):
    assert main(["card", "toy.net-s0", "--results", str(results)]) == 0
    assert json.loads(capsys.readouterr().out) == toys.CARD
    folder = results / "mock-test/runs/toy.knn-s0"
    assert main(["card", str(folder), "--results", "nowhere"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == {"kind": "knn", "neighbours": 5}


def test_an_unknown_run_is_refused_with_the_nearest(capsys, results):
    assert main(["card", "toy.knn-s1", "--results", str(results)]) == 2
    message = capsys.readouterr().err
    assert "run 'toy.knn-s1'" in message
    assert "toy.knn-s0, toy.net-s0" in message
    assert "did you mean 'toy.knn-s0'?" in message


def test_a_run_of_two_skies_must_be_named_by_its_folder(capsys, results):
    shutil.copytree(results / "mock-test", results / "mock-demo")
    assert main(["card", "toy.net-s0", "--results", str(results)]) == 2
    message = capsys.readouterr().err
    assert "mock-demo/runs/toy.net-s0" in message
    assert "mock-test/runs/toy.net-s0" in message
    assert "give the folder instead" in message


def test_without_any_run_the_hint_says_where_to_look(capsys, tmp_path):
    assert main(["card", "toy.net-s0", "--results", str(tmp_path)]) == 2
    assert "`zladder runs` lists" in capsys.readouterr().err
