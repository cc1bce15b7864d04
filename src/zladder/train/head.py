"""A head of redshift classes on cached features, as the engine drives it.

The encoder stays as it is (Steps 2 and 3 of Lin et al. 2022), so its features are read once and a
head trains in seconds: one linear layer on standardised features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.engine import keyed_generator, tensors_below
from zladder.learning.linear import fit_standard
from zladder.learning.optimizer import (
    load_optimizer_state,
    make_optimizer,
    optimizer_state,
    set_rate_share,
)
from zladder.learning.sampler import batch_rows, first_step, steps_in
from zladder.networks.heads import linear
from zladder.train.class_labels import soft_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from zladder.train.label_plan import LabelPlan


class HeadTraining:
    """A linear layer of N + 2 extension classes, by cross-entropy.

    Parameters
    ----------
    versions
        float32, (n, V, D): the features of each galaxy's image and of its turned copies. A step
        sees one of them, drawn for each galaxy. The first scales the inputs.
    labels
        What each galaxy's label is.
    card
        The run card: `output`, `optimizer`, `schedule`, `seed`.
    """

    def __init__(self, versions: np.ndarray, labels: LabelPlan, card: Mapping[str, Any]) -> None:
        self.labels, self.card = labels, card
        output = card["output"]
        n_classes = output["bins"] + 2 * output["extension_bins"]
        mean, scale = fit_standard(versions[:, 0])
        self.mean, self.scale = (torch.from_numpy(value).float() for value in (mean, scale))
        self.versions = (torch.from_numpy(versions) - self.mean) / self.scale
        generator = keyed_generator(card["seed"], "weights", "head")
        self.layer = linear(versions.shape[2], n_classes, generator)
        self.optimizer = make_optimizer({1.0: self.layer.parameters()}, card["optimizer"])

    def start_epoch(self, epoch: int) -> int:
        """Return the number of steps in this part of the schedule."""
        return steps_in(self.card["schedule"], epoch)

    def step(self, epoch: int, step: int, rate_share: float) -> float:
        """Take one step on a batch of galaxies, each in one of its versions; return the loss."""
        seed, schedule = self.card["seed"], self.card["schedule"]
        n, n_versions, _ = self.versions.shape
        place = first_step(schedule, epoch) + step
        rows = batch_rows(seed, n, schedule["batch_size"], place)
        generator = keyed_generator(seed, "version", place)
        version = torch.randint(n_versions, (len(rows),), generator=generator)
        log_odds = torch.log_softmax(self.layer(self.versions[rows, version]), dim=1)
        loss = -(self._targets(rows) * log_odds).sum(dim=1).mean()
        set_rate_share(self.optimizer, rate_share)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def _targets(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the labels of a batch, float32 (B, classes)."""
        output, plan = self.card["output"], self.labels
        means = plan.means_bins[rows.numpy()]
        labels = soft_labels(means, plan.width_bins, output["bins"], output["extension_bins"])
        return torch.from_numpy(labels)

    def end_epoch(self, epoch: int) -> dict[str, float]:
        """Return nothing: validation has served for the labels and chooses nothing here."""
        return {}

    def state(self) -> dict[str, torch.Tensor]:
        """Return layer and optimiser; the scaling follows from the data."""
        layer = {f"layer/{name}": value for name, value in self.layer.state_dict().items()}
        moments = optimizer_state(self.optimizer)
        return layer | {f"optimizer/{name}": value for name, value in moments.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put such a state back."""
        self.layer.load_state_dict(tensors_below(state, "layer/"))
        load_optimizer_state(self.optimizer, tensors_below(state, "optimizer/"))

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the linear model as `zladder.learning.linear` reads it."""
        return {**self.layer.state_dict(), "mean": self.mean, "scale": self.scale}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put such weights back."""
        self.layer.load_state_dict({name: weights[name] for name in ("weight", "bias")})
