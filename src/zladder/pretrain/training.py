"""A pretraining as the engine drives it: contrast, colours, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.engine import keyed_generator, tensors_below
from zladder.learning.layout import channels_last
from zladder.learning.optimizer import (
    load_optimizer_state,
    make_optimizer,
    optimizer_state,
    set_rate_share,
)
from zladder.learning.sampler import first_step, steps_in
from zladder.pretrain.colour import colour_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.learning.engine import Tensors
    from zladder.learning.loaders import Batch, Loader
    from zladder.pretrain.moco import MoCo

SUMS = ("contrast_loss", "contrast_right", "colour_loss")


class Pretraining:
    """Steps of `contrastive_weight` InfoNCE + `colour_weight` colour loss.

    Parameters
    ----------
    model
        Networks and queue, changed in place; the rest is on its device.
    loader
        Of the training galaxies.
    targets
        Their standardised photometry, (N, B) (`photometry_targets`).
    card
        The run card.
    """

    def __init__(
        self, model: MoCo, loader: Loader, targets: torch.Tensor | None, card: Mapping[str, Any]
    ) -> None:
        self.model, self.loader, self.targets, self.card = model, loader, targets, card
        self.optimizer = make_optimizer({1.0: model.parameters()}, card["optimizer"])
        self.sums = torch.zeros(len(SUMS), dtype=torch.float64, device=loader.device)

    def start_epoch(self, epoch: int) -> int:
        """Return the number of steps of an epoch."""
        self.model.train()
        return steps_in(self.card["schedule"], epoch)

    def step(self, epoch: int, step: int, rate_share: float) -> float:
        """Take one optimiser step; return the loss."""
        schedule, seed = self.card["schedule"], self.card["seed"]
        batch = self.loader.batch(first_step(schedule, epoch) + step)
        generator = keyed_generator(seed, "views", epoch, step)
        set_rate_share(self.optimizer, rate_share)
        features = self.model.encoder(self._view(batch, generator))
        loss, keys = self._objective(features, batch, generator)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if keys is not None:
            self.model.enqueue(keys, batch.rows)
        return float(loss.detach())

    def _view(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
        return batch.augmented(self.card["augmentation"], generator)

    def _objective(
        self, features: torch.Tensor, batch: Batch, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return (loss, keys of the second view if there was one)."""
        objective = self.card["objective"]
        loss, keys = features.new_zeros(()), None
        if objective["contrastive_weight"]:
            views = self._view(batch, generator)
            keys = self.model.keys(views, torch.randperm(len(views), generator=generator))
            contrast, right = self.model.contrast(features, keys, batch.rows)
            loss = loss + objective["contrastive_weight"] * contrast
            self.sums[0] += contrast.detach()
            self.sums[1] += right
        if self.targets is not None:
            colour = colour_loss(self.model.colour(features), self.targets[batch.rows])
            loss = loss + objective["colour_weight"] * colour
            self.sums[2] += colour.detach()
        return loss, keys

    def end_epoch(self, epoch: int) -> dict[str, float]:
        """Return the mean of each part of the objective over the epoch.

        `contrast_right` is the share of galaxies that were told among the queue.
        """
        means = (self.sums / steps_in(self.card["schedule"], epoch)).tolist()
        self.sums.zero_()
        return dict(zip(SUMS, means, strict=True))

    def state(self) -> Tensors:
        """Return networks, queue, optimiser and the sums of the epoch."""
        tensors = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        optimizer = optimizer_state(self.optimizer)
        tensors |= {f"optimizer/{name}": tensor for name, tensor in optimizer.items()}
        return {**tensors, "sums": self.sums}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put such a state back."""
        self.model.load_state_dict(tensors_below(state, "model/"))
        moments = channels_last(tensors_below(state, "optimizer/"))
        load_optimizer_state(self.optimizer, moments)
        self.sums.copy_(state["sums"])

    def weights(self) -> Tensors:
        """Return the trained networks, without followers and queue."""
        state = self.model.state_dict()
        kept = ("encoder.", "projection.", "colour.")
        return {name: tensor for name, tensor in state.items() if name.startswith(kept)}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put such weights back."""
        self.model.load_state_dict({**self.model.state_dict(), **weights})

    def close(self) -> None:
        """Let go of the loader."""
        self.loader.close()
