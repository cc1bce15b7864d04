"""The training loop learns, stops where it should, and can be interrupted at any step."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from tests import toys
from zladder.learning import loop
from zladder.learning.bundle import new_network
from zladder.learning.loop import Examples, fit
from zladder.networks.mlp import freeze_except
from zladder.provenance.errors import BadInput, Unfinished

STEPS_PER_EPOCH = 4  # 120 training galaxies in batches of 32


def examples(split: str) -> Examples:
    frame = toys.dataset()
    frame = frame[frame["split"] == split]
    magnitudes = frame[[f"mag_{band}" for band in toys.BANDS]].to_numpy()
    z_true = torch.tensor(frame["z_true"].to_numpy(), dtype=torch.float32)
    return Examples(torch.tensor(magnitudes, dtype=torch.float32), z_true)


TRAIN, VALIDATION = examples("train"), examples("validation")


def never() -> None:
    return None


def after(steps: int) -> Callable[[], str | None]:
    """Ask for a stop when so many steps were taken."""
    left = [steps]

    def reason() -> str | None:
        left[0] -= 1
        return "stop" if left[0] < 0 else None

    return reason


def train(folder, stop_reason=never, network=None, **changes):
    card = toys.card(**changes)
    network = network or new_network(card, TRAIN.inputs, TRAIN.z_true)
    progress = fit(network, TRAIN, VALIDATION, card, folder, stop_reason)
    return network, progress


def bits(network) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


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


def test_members_do_not_feel_each_other(tmp_path):
    changes = {"schedule": {"epochs": 1}, "model": {"members": 3}}
    plain, _ = train(tmp_path / "a", **changes)
    disturbed = new_network(toys.card(**changes), TRAIN.inputs, TRAIN.z_true)
    with torch.no_grad():
        for parameter in disturbed.parameters():
            parameter[1] *= 3.0
    train(tmp_path / "b", network=disturbed, **changes)
    for one, two in zip(plain.parameters(), disturbed.parameters(), strict=True):
        assert torch.equal(one[0], two[0])
        assert torch.equal(one[2], two[2])
        assert not torch.equal(one[1], two[1])
        assert not torch.equal(one[0], one[2])  # each begins elsewhere and sees its own order


def test_a_member_learns_as_it_would_alone(tmp_path, monkeypatch):
    # Plain gradient descent: Adam would forgive a gradient that is divided by the members.
    def plain(network, settings):
        return torch.optim.SGD(network.parameters(), lr=settings["learning_rate"])

    monkeypatch.setattr(loop, "make_optimizer", plain)
    two = new_network(toys.card(model={"members": 2}), TRAIN.inputs, TRAIN.z_true)
    one = new_network(toys.CARD, TRAIN.inputs, TRAIN.z_true)
    with torch.no_grad():
        for alone, together in zip(one.parameters(), two.parameters(), strict=True):
            alone.copy_(together[:1])
    schedule = {"epochs": 1}
    train(tmp_path / "two", network=two, schedule=schedule, model={"members": 2})
    train(tmp_path / "one", network=one, schedule=schedule)
    for alone, together in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(alone[0], together[0], rtol=1e-5, atol=1e-6)


def losses(monkeypatch, values):
    """Let validation give these losses, one an epoch."""
    remaining = iter(values)
    monkeypatch.setattr(loop, "mean_loss", lambda *_: next(remaining))


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
    step = torch.optim.AdamW.step

    def spy(self, *arguments):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
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
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    saved = []
    monkeypatch.setattr(loop, "save_checkpoint", lambda *_: saved.append(1))
    train(tmp_path, schedule={"epochs": 2})
    assert len(saved) == 2 * STEPS_PER_EPOCH
