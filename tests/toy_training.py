"""A few examples on which the training loop takes four steps an epoch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from tests import toys
from zladder.learning.bundle import new_network
from zladder.learning.engine import drive
from zladder.train.catalogue import CatalogueTraining, Examples

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
    training = CatalogueTraining(network, TRAIN, VALIDATION, card)
    progress = drive(training, card, folder, stop_reason)
    return network, progress


def bits(network) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}
