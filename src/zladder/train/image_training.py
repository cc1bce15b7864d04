"""The training of an image network as the engine drives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.engine import keyed_generator, tensors_below
from zladder.learning.layout import channels_last
from zladder.learning.losses import class_cross_entropy, loss_of
from zladder.learning.optimizer import (
    load_optimizer_state,
    make_optimizer,
    optimizer_state,
    set_rate_share,
)
from zladder.learning.sampler import first_step, steps_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.learning.engine import Tensors
    from zladder.learning.loaders import Loader
    from zladder.networks.heads import ImageNetwork


@dataclass(frozen=True)
class ImageExamples:
    """Galaxies and what is to be learned of them.

    Attributes
    ----------
    loader
        Of N galaxies.
    targets
        Shape (N,): redshifts, float32, or classes, int64; on the device of the loader.
    """

    loader: Loader
    targets: torch.Tensor


class ImageTraining:
    """Steps of an encoder at `trunk_factor` times the rate of its head.

    Parameters
    ----------
    network
        Changed in place. With `trunk_factor` 0 its encoder is frozen, its batch statistics too.
    train, validation
        The examples; the validation loss goes into the history and decides nothing.
    card
        The run card: `loss`, `output`, `augmentation`, `optimizer`, `schedule`, `seed`.
    """

    def __init__(
        self,
        network: ImageNetwork,
        train: ImageExamples,
        validation: ImageExamples,
        card: Mapping[str, Any],
    ) -> None:
        self.network, self.train, self.validation, self.card = network, train, validation, card
        factor = card["optimizer"]["trunk_factor"]
        self.frozen = factor == 0
        self.network.encoder.requires_grad_(not self.frozen)
        groups = {1.0: list(network.head.parameters())}
        groups[factor] = [*groups.get(factor, []), *network.encoder.parameters()]
        self.optimizer = make_optimizer(groups, card["optimizer"])

    def start_epoch(self, epoch: int) -> int:
        """Return the number of steps of an epoch."""
        self.network.train()
        self.network.encoder.train(not self.frozen)
        return steps_in(self.card["schedule"], epoch)

    def step(self, epoch: int, step: int, rate_share: float) -> float:
        """Take one optimiser step; return the mean loss."""
        schedule, seed = self.card["schedule"], self.card["seed"]
        batch = self.train.loader.batch(first_step(schedule, epoch) + step)
        generator = keyed_generator(seed, "views", epoch, step)
        seen = batch.augmented(self.card["augmentation"], generator)
        loss = self._losses(self.network(seen), self.train.targets[batch.rows]).mean()
        set_rate_share(self.optimizer, rate_share)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def _losses(self, said: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.card["output"]["kind"] == "classes":
            return class_cross_entropy(said, targets)
        return loss_of(said, targets, self.card["loss"])

    def end_epoch(self, epoch: int) -> dict[str, float]:
        """Return the loss of the validation galaxies as they are, without augmentation."""
        self.network.eval()
        with torch.no_grad():
            losses = [
                self._losses(self.network(seen), self.validation.targets[rows])
                for rows, seen in self.validation.loader.shown()
            ]
        return {"validation_loss": float(torch.cat(losses).double().mean())}

    def state(self) -> Tensors:
        """Return network and optimiser."""
        tensors = {f"network/{name}": tensor for name, tensor in self.weights().items()}
        optimizer = optimizer_state(self.optimizer)
        return tensors | {f"optimizer/{name}": tensor for name, tensor in optimizer.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put such a state back."""
        self.load_weights(tensors_below(state, "network/"))
        moments = channels_last(tensors_below(state, "optimizer/"))
        load_optimizer_state(self.optimizer, moments)

    def weights(self) -> Tensors:
        """Return the whole network."""
        return dict(self.network.state_dict())

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put such weights back."""
        self.network.load_state_dict(dict(weights))

    def close(self) -> None:
        """Let go of the loaders."""
        self.train.loader.close()
        self.validation.loader.close()
