"""A training on catalogue photometry, as the engine drives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.engine import keyed_generator, tensors_below
from zladder.learning.losses import loss_of
from zladder.learning.optimizer import (
    load_optimizer_state,
    make_optimizer,
    optimizer_state,
    set_rate_share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.networks.mlp import MLP


@dataclass(frozen=True)
class Examples:
    """Inputs and labels, resident in memory.

    Attributes
    ----------
    inputs
        float32, shape (N, F).
    z_true
        float32, shape (N,).
    """

    inputs: torch.Tensor
    z_true: torch.Tensor


class CatalogueTraining:
    """Perceptrons on rows of a resident table; each member sees its own order of them.

    Parameters
    ----------
    network
        Maps (M, B, F) inputs to (M, B) redshifts for its M members.
    train, validation
        The examples; validation decides which epoch is kept and when to stop, nothing else.
    card
        The run card: `loss`, `optimizer`, `schedule`, `seed`.
    """

    def __init__(
        self, network: MLP, train: Examples, validation: Examples, card: Mapping[str, Any]
    ) -> None:
        self.network, self.train, self.validation, self.card = network, train, validation, card
        self.optimizer = make_optimizer({1.0: network.parameters()}, card["optimizer"])
        self.batches: tuple[torch.Tensor, ...] = ()

    def start_epoch(self, epoch: int) -> int:
        """Draw every member's order of the rows, shape (M, N), and split it into batches."""
        self.network.train()
        generator = keyed_generator(self.card["seed"], "epoch", epoch)
        n = len(self.train.z_true)
        orders = [torch.randperm(n, generator=generator) for _ in range(self.network.members)]
        self.batches = torch.stack(orders).split(self.card["schedule"]["batch_size"], dim=1)
        return len(self.batches)

    def step(self, epoch: int, step: int, rate_share: float) -> float:
        """Take one step on rows (M, B), each member on its own; return the mean loss."""
        rows = self.batches[step]
        set_rate_share(self.optimizer, rate_share)
        predicted = self.network(self.train.inputs[rows])
        losses = loss_of(predicted, self.train.z_true[rows], self.card["loss"])
        self.optimizer.zero_grad()
        losses.mean(dim=1).sum().backward()  # the sum keeps a member's step independent of M
        self.optimizer.step()
        return float(losses.detach().mean())

    def end_epoch(self, epoch: int) -> dict[str, float]:
        """Return the loss on validation."""
        return {"validation_loss": mean_loss(self.network, self.validation, self.card["loss"])}

    def state(self) -> dict[str, torch.Tensor]:
        """Return weights, buffers and optimiser."""
        network = {f"network/{name}": value for name, value in self.weights().items()}
        moments = optimizer_state(self.optimizer)
        return network | {f"optimizer/{name}": value for name, value in moments.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put such a state back."""
        self.load_weights(tensors_below(state, "network/"))
        load_optimizer_state(self.optimizer, tensors_below(state, "optimizer/"))

    def weights(self) -> dict[str, torch.Tensor]:
        """Return weights and buffers."""
        return self.network.state_dict()

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put such weights back."""
        self.network.load_state_dict(dict(weights))


def mean_loss(network: MLP, examples: Examples, loss: Mapping[str, Any]) -> float:
    """Return the loss over all examples, averaged over members."""
    network.eval()
    with torch.no_grad():
        predicted = network(examples.inputs.expand(network.members, -1, -1))
        return float(loss_of(predicted, examples.z_true, loss).double().mean())
