"""The engine learns, stops where it should, and can be interrupted at any step."""

from __future__ import annotations

import math

import pytest
import torch

from tests import toys
from tests.toy_training import STEPS_PER_EPOCH, TRAIN, VALIDATION, after, bits, train
from zladder.learning import clock, engine
from zladder.learning.bundle import new_network
from zladder.learning.optimizer import AdamW
from zladder.networks.mlp import freeze_except
from zladder.provenance.errors import BadInput, Unfinished
from zladder.train import catalogue


@pytest.mark.parametrize("loss", [{"name": "tanaka", "gamma": 0.15}, {"name": "mse"}])
def test_it_learns(tmp_path, loss):
    schedule = {"epochs": 30, "patience": 30, "decay": "cosine"}
    network, progress = train(tmp_path, schedule=schedule, loss=loss)
    with torch.no_grad():
        error = network(VALIDATION.inputs[None])[0] - VALIDATION.z_true
    # The labels scatter by 0.115; the photometric noise alone allows about 0.003.
    assert float(error.std()) < 0.02
    history = progress.history
    assert history[-1]["validation_loss"] < 0.1 * history[0]["validation_loss"]
    assert [entry["epoch"] for entry in history] == list(range(len(history)))
    assert all(math.isfinite(entry["train_loss"]) for entry in history)
    assert progress.seconds > 0


@pytest.mark.parametrize("decay", ["constant", "cosine"])
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(
    "stops", [[1], [STEPS_PER_EPOCH], [3, 1, 5], [0, 2, 0], [2] * 20, [7, STEPS_PER_EPOCH, 1]]
)
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, decay, members, stops):
    changes = {
        "schedule": {"epochs": 4, "decay": decay},
        "model": {"members": members},
    }
    undisturbed, whole = train(tmp_path / "whole", **changes)
    interruptions = 0
    for stop in stops:
        try:
            resumed, progress = train(tmp_path / "parts", after(stop), **changes)
        except Unfinished:
            interruptions += 1
        else:
            break
    else:
        resumed, progress = train(tmp_path / "parts", **changes)
    assert interruptions >= min(len(stops), 5)
    assert bits(resumed) == bits(undisturbed)
    assert progress.history == whole.history
    assert (progress.best_epoch, progress.best_loss) == (whole.best_epoch, whole.best_loss)


def test_the_same_card_gives_the_same_bits_and_another_seed_does_not(tmp_path):
    one, two = (bits(train(tmp_path / name)[0]) for name in "ab")
    assert one == two
    assert bits(train(tmp_path / "c", seed=8)[0]) != one


def losses(monkeypatch, values):
    """Let validation give these losses, one an epoch."""
    remaining = iter(values)
    monkeypatch.setattr(catalogue, "mean_loss", lambda *_: next(remaining))


def test_patience_ends_it_with_the_weights_of_the_best_epoch(tmp_path, monkeypatch):
    losses(monkeypatch, [0.5, 0.4, 0.6, 0.4, 0.45, 0.1])  # equal is not better
    schedule = {"epochs": 6, "patience": 3}
    network, progress = train(tmp_path / "a", schedule=schedule)
    assert progress.epoch == 5
    assert (progress.best_epoch, progress.best_loss) == (1, 0.4)
    losses(monkeypatch, [0.5, 0.4])
    two_epochs, _ = train(tmp_path / "b", schedule={"epochs": 2, "patience": 3})
    assert bits(network) == bits(two_epochs)


def test_patience_survives_an_interruption(tmp_path, monkeypatch):
    losses(monkeypatch, [0.5, 0.4, 0.6, 0.7, 0.8])
    schedule = {"epochs": 6, "patience": 3}
    with pytest.raises(Unfinished, match="saved in epoch 3, step 2"):
        train(tmp_path, after(3 * STEPS_PER_EPOCH + 2), schedule=schedule)
    _, progress = train(tmp_path, schedule=schedule)
    assert (progress.epoch, progress.best_epoch) == (5, 1)


def test_a_training_that_diverged_is_refused(tmp_path, monkeypatch):
    losses(monkeypatch, [math.nan] * 6)
    with pytest.raises(BadInput) as caught:
        train(tmp_path, schedule={"epochs": 3})
    assert caught.value.file == "run toy.net-s0"
    assert caught.value.found == "none in 3 epochs"
    assert "learning rate" in caught.value.hint


@pytest.mark.parametrize(
    ("decay", "first", "last"),
    [("constant", 1.0, 1.0), ("cosine", 1.0, 0.5 * (1 + math.cos(math.pi * 7 / 8)))],
)
def test_the_learning_rate_follows_its_schedule(tmp_path, monkeypatch, decay, first, last):
    rates = []
    step = AdamW.step

    def spy(self, *arguments):
        rates.append(self.groups[0].rate)
        return step(self, *arguments)

    monkeypatch.setattr(AdamW, "step", spy)
    train(tmp_path, schedule={"epochs": 2, "decay": decay})
    assert len(rates) == 2 * STEPS_PER_EPOCH
    assert rates[0] == pytest.approx(0.02 * first)
    assert rates[-1] == pytest.approx(0.02 * last)
    assert rates == sorted(rates, reverse=True)


def test_frozen_layers_keep_their_weights(tmp_path):
    network = new_network(toys.CARD, TRAIN.inputs, TRAIN.z_true)
    before = bits(network)
    freeze_except(network, ["last"])
    after_training = bits(train(tmp_path, network=network)[0])
    changed = {name for name in before if before[name] != after_training[name]}
    assert changed == {"last.weight", "last.bias"}


def test_a_long_training_saves_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "CHECKPOINT_SECONDS", 0.0)
    saved = []
    monkeypatch.setattr(engine, "save_checkpoint", lambda *_: saved.append(1))
    train(tmp_path, schedule={"epochs": 2})
    assert len(saved) == 2 * STEPS_PER_EPOCH + 1  # and at the end, whatever is still to come


def test_a_finished_training_cut_short_in_what_follows_is_not_taken_again(tmp_path, monkeypatch):
    schedule = {"epochs": 2, "patience": 5}
    network, progress = train(tmp_path, schedule=schedule)
    steps = []
    monkeypatch.setattr(catalogue.CatalogueTraining, "step", lambda *_: steps.append(1))
    again, told = train(tmp_path, schedule=schedule)
    assert not steps
    assert bits(again) == bits(network)
    assert told.history == progress.history
