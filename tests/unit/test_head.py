"""Heads of classes on cached features: what a step sees, what is learned, what is kept."""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import torch

from tests.toy_features import features_of, head_card, write_features, write_world
from tests.toy_training import after, never
from zladder.learning import engine
from zladder.learning.classes import class_edges
from zladder.learning.engine import drive
from zladder.learning.image_run import write_image_run
from zladder.learning.linear import linear_answer, load_linear
from zladder.pdf.estimates import class_mean
from zladder.provenance.errors import BadInput, Unfinished
from zladder.train.head import HeadTraining
from zladder.train.head_run import train_head
from zladder.train.label_plan import LabelPlan


@pytest.fixture
def world(tmp_path):
    return write_world(tmp_path)


def training(card, n=90, n_versions=3, width=0.0):
    draw = np.random.default_rng(0)
    versions = draw.normal(5, 2, (n, n_versions, 4)).astype(np.float32)
    plan = LabelPlan(np.ones(n, dtype=bool), draw.uniform(0, 49, n), width, {})
    return HeadTraining(versions, plan, card)


def trained(folder, world, card=None):
    """Train and write a head; return the folder of its files."""
    folder.mkdir(exist_ok=True)
    _, dataset, features = world
    run, _ = train_head(card or head_card(), dataset, features, None, folder / "resume", None)
    write_image_run(run, *(folder / name for name in
                           ("weights.safetensors", "card.json", "history.csv")))  # fmt: skip
    return folder


def test_the_head_learns_the_redshift(world, tmp_path):
    frame, _, _ = world
    card = head_card(schedule={"steps": 300})
    arrays, stored = load_linear(trained(tmp_path / "run", world, card) / "weights.safetensors")
    assert stored == card
    tested = (frame["split"] == "test").to_numpy()
    logits = linear_answer(arrays, features_of(frame)[tested])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    z_mean = class_mean(class_edges(card["output"]), odds)
    assert (z_mean - frame["z_true"][tested]).std() < 0.03  # the sample's own: 0.115


def test_a_run_is_weights_card_and_history(world, tmp_path):
    folder = trained(tmp_path / "run", world)
    stored = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    frame = world[0]
    labels = frame.loc[frame["split"] == "train", "z_true"]
    assert stored["reference"] == {
        "n_train": len(labels), "z_min": labels.min(), "z_max": labels.max(),
    }  # fmt: skip
    history = pd.read_csv(folder / "history.csv")
    assert history["epoch"].tolist() == [0, 1, 2]
    assert history["train_loss"].is_monotonic_decreasing


def test_the_first_loss_is_the_cross_entropy_of_the_label():
    head = training(head_card(schedule={"batch_size": 90}), n_versions=1, width=2.0)
    with torch.no_grad():
        head.layer.weight.zero_()
        head.layer.bias.zero_()
    assert head.step(0, 0, 1.0) == pytest.approx(np.log(50), abs=1e-5)


def test_the_classes_reach_beyond_the_range_with_extension():
    head = training(head_card(output={"extension_bins": 25}), width=2.0)
    assert head.layer.weight.shape == (100, 4)
    assert np.isfinite(head.step(0, 0, 1.0))


def test_features_are_standardised_by_the_first_version():
    head = training(head_card())
    assert head.versions[:, 0].mean(dim=0).abs().max() < 1e-5
    assert head.versions[:, 0].std(dim=0, correction=0) == pytest.approx(torch.ones(4))


def test_every_galaxy_of_a_batch_draws_its_own_version(monkeypatch):
    head = training(head_card(schedule={"batch_size": 90}))
    seen = []

    def forward(x):
        seen.append(x)
        return torch.nn.functional.linear(x, head.layer.weight, head.layer.bias)

    monkeypatch.setattr(head.layer, "forward", forward)
    head.step(0, 0, 1.0)
    head.step(0, 1, 1.0)
    for batch in seen:
        match = (batch[:, None, None] == head.versions[None]).all(dim=-1)  # (B, N, V)
        assert match.any(dim=(1, 2)).all()
        assert match.any(dim=(0, 1)).all()
    assert not torch.equal(*(match.sort(dim=0).values for match in seen))


def test_copies_are_used_as_the_card_says(world, tmp_path):
    frame, dataset, _ = world
    features = features_of(frame)
    far = np.stack([features, np.full_like(features, 1e9)], axis=1)
    path = write_features(tmp_path / "copies.h5", frame, features, far)
    runs = {
        copies: train_head(head_card(inputs={"copies": copies}), dataset, path, None,
                           tmp_path / f"resume-{copies}", None)[0]
        for copies in (0, 1, 2)
    }  # fmt: skip
    losses = {copies: run.progress.history[-1]["train_loss"] for copies, run in runs.items()}
    assert losses[2] > 100 * losses[1]
    assert losses[1] == losses[0]  # the first copy is the image itself


@pytest.mark.parametrize("steps", [1, 20, 33, 59])
def test_an_interrupted_head_ends_with_the_same_bytes(tmp_path, steps):
    card = head_card()
    whole, half, rest = (training(card, width=1.5) for _ in range(3))
    drive(whole, card, tmp_path / "whole", never)
    (tmp_path / "parts").mkdir()
    with pytest.raises(Unfinished):
        drive(half, card, tmp_path / "parts", after(steps))
    progress = drive(rest, card, tmp_path / "parts", never)
    assert progress.epoch == 3
    for name, tensor in whole.weights().items():
        assert torch.equal(tensor, rest.weights()[name]), name


def test_a_signal_saves_and_the_next_attempt_gives_the_same_bytes(world, tmp_path, monkeypatch):
    whole = trained(tmp_path / "whole", world)
    asked = iter([None] * 25 + ["SIGTERM"] + [None] * 100)
    monkeypatch.setattr(engine, "stop_requests", lambda _: nullcontext(lambda: next(asked)))
    with pytest.raises(Unfinished, match="SIGTERM; saved in epoch 1, step 5"):
        trained(tmp_path / "parts", world)
    trained(tmp_path / "parts", world)
    for name in ("weights.safetensors", "card.json", "history.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (whole / name).read_bytes()


def test_another_seed_starts_elsewhere():
    one, two = training(head_card()), training(head_card(seed=12))
    assert not torch.equal(one.layer.weight, two.layer.weight)


def test_copies_that_are_not_finite_are_refused(world, tmp_path):
    frame, dataset, _ = world
    features = features_of(frame)
    copies = np.full((len(frame), 1, 5), np.nan, dtype=np.float32)
    path = write_features(tmp_path / "copies.h5", frame, features, copies)
    card = head_card(inputs={"copies": 1})
    with pytest.raises(BadInput) as caught:
        train_head(card, dataset, path, None, tmp_path / "resume", None)
    assert (caught.value.file, caught.value.place) == (str(path), "features")
