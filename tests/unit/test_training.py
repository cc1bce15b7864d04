"""One run card becomes one run: parents, layer groups, resume folders, the ordinary tools."""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests import toys
from zladder.learning import engine
from zladder.learning.resume import load_checkpoint
from zladder.provenance.errors import BadInput, Unfinished
from zladder.train.controls import mode_of_n_z, train_control
from zladder.train.network import resume_folder, train_network, write_run

SHORT = toys.card(schedule={"epochs": 2})


@pytest.fixture
def dataset(tmp_path):
    return toys.write_dataset(tmp_path / "toy.parquet", toys.dataset())


def trained(folder, dataset, card=SHORT, parent=None):
    """Train and write a run; return the folder of its files."""
    folder.mkdir(exist_ok=True)
    done = train_network(card, dataset, parent, folder / "resume", None)
    files = folder / "weights.safetensors", folder / "card.json", folder / "history.csv"
    write_run(done, *files)
    return folder


def test_a_run_is_weights_card_and_history(tmp_path, dataset):
    folder = trained(tmp_path / "run", dataset)
    stored = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert stored["card"] == SHORT
    assert stored["reference"]["n_train"] == 120
    history = pd.read_csv(folder / "history.csv")
    assert history["epoch"].tolist() == [0, 1]
    assert history.columns.tolist() == ["epoch", "train_loss", "validation_loss"]


def test_the_same_run_has_the_same_bytes(tmp_path, dataset):
    one, two = (trained(tmp_path / name, dataset) for name in "ab")
    for name in ("weights.safetensors", "card.json", "history.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_only_the_named_layers_of_a_child_learn(tmp_path, dataset):
    parent = trained(tmp_path / "parent", dataset) / "weights.safetensors"
    card = toys.card(run="toy.child-s0", schedule={"epochs": 1}, fitted_output=False)
    card["trainable"] = ["last"]
    child = trained(tmp_path / "child", dataset, card, parent) / "weights.safetensors"
    before, after = load_file(parent), load_file(child)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"last.weight", "last.bias"}


@pytest.mark.parametrize("changes", [{"model": {"hidden": [9]}}, {"inputs": {"colours": False}}])
def test_a_child_unlike_its_parent_is_refused(tmp_path, dataset, changes):
    parent = trained(tmp_path / "parent", dataset) / "weights.safetensors"
    with pytest.raises(BadInput) as caught:
        train_network(toys.card(**changes), dataset, parent, tmp_path / "r", None)
    assert caught.value.file == str(parent)
    assert caught.value.place == "the run card inside"
    assert "a child keeps" in caught.value.hint


def test_an_unknown_layer_group_is_refused_with_the_nearest(tmp_path, dataset):
    card = toys.card() | {"trainable": ["first", "lst"]}
    with pytest.raises(BadInput) as caught:
        train_network(card, dataset, None, tmp_path / "r", None)
    assert (caught.value.file, caught.value.place) == ("run toy.net-s0", "trainable")
    assert caught.value.expected == "one of first, last"
    assert caught.value.hint == "did you mean 'last'?"


def test_the_resume_folder_is_keyed_by_all_that_a_checkpoint_depends_on(tmp_path, dataset):
    other = toys.write_dataset(tmp_path / "other.parquet", toys.dataset(seed=1))
    keys = [
        (SHORT, dataset, None, "code"), (toys.card(seed=8), dataset, None, "code"),
        (SHORT, other, None, "code"), (SHORT, dataset, other, "code"),
        (SHORT, dataset, None, "edited"),
    ]  # fmt: skip
    folders = [resume_folder(tmp_path, *key) for key in keys]
    assert len(set(folders)) == len(keys)
    assert resume_folder(tmp_path, *keys[0]) == folders[0]
    assert all(folder.name.startswith("toy.net-s0-") for folder in folders)


def test_a_signal_saves_and_the_next_attempt_gives_the_same_bytes(tmp_path, dataset, monkeypatch):
    whole = trained(tmp_path / "whole", dataset)
    asked = iter([None] * 5 + ["SIGTERM"] + [None] * 100)
    folder = tmp_path / "parts"
    monkeypatch.setattr(engine, "stop_requests", lambda _: nullcontext(lambda: next(asked)))
    with pytest.raises(Unfinished, match="SIGTERM; saved in epoch 1, step 1"):
        trained(folder, dataset)
    assert load_checkpoint(folder / "resume")[1]["step"] == 1
    assert not (folder / "resume" / "lease.json").exists()
    assert not (folder / "weights.safetensors").exists()
    trained(folder, dataset)
    for name in ("weights.safetensors", "card.json", "history.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize(("kind", "answer"), [("mean_z", np.mean), ("trainz", mode_of_n_z)])
def test_controls_learn_from_the_training_split_alone(dataset, kind, answer):
    frame = pd.read_parquet(dataset)
    arrays, reference = train_control(toys.control_card(kind=kind), dataset)
    assert reference["n_train"] == 120
    assert arrays["z"] == pytest.approx(answer(frame.loc[frame["split"] == "train", "z_true"]))


def test_the_mode_is_the_middle_of_the_fullest_bin():
    labels = np.concatenate([np.full(50, 0.3), np.linspace(0, 1, 51)])
    assert mode_of_n_z(labels) == pytest.approx(0.3, abs=0.1)
