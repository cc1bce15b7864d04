"""What stands on an encoder: a redshift, the odds of redshift classes, or a projection."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from zladder.networks.resnet import Encoder


def linear(n_in: int, n_out: int, generator: torch.Generator | None) -> nn.Linear:
    """Return a linear layer with PyTorch's own draw, uniform within 1/sqrt(fan in)."""
    with torch.random.fork_rng(devices=[]):  # PyTorch's own draw moves the global generator
        layer = nn.Linear(n_in, n_out)
    bound = 1.0 / math.sqrt(n_in)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


class RegressionHead(nn.Module):
    """Features to one redshift; `output_mean` and `output_scale` (1,) are those of the labels."""

    output_mean: torch.Tensor
    output_scale: torch.Tensor

    def __init__(self, features: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.register_buffer("output_mean", torch.zeros(1))
        self.register_buffer("output_scale", torch.ones(1))
        self.last = linear(features, 1, generator)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return redshifts (N,) for features (N, D)."""
        return self.output_mean + self.output_scale * self.last(features).squeeze(-1)


class ClassesHead(nn.Module):
    """Features to the logits of redshift classes (`zladder.learning.classes`)."""

    def __init__(
        self, features: int, n_classes: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.last = linear(features, n_classes, generator)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) for features (N, D)."""
        logits: torch.Tensor = self.last(features)
        return logits


class ProjectionHead(nn.Module):
    """The two-layer head of MoCo v2 (Chen et al. 2020, arXiv:2003.04297); unit vectors out."""

    def __init__(self, features: int, units: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.hidden = linear(features, features, generator)
        self.last = linear(features, units, generator)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return vectors (N, units) of length 1 for features (N, D)."""
        hidden = torch.relu(self.hidden(features))
        return nn.functional.normalize(self.last(hidden), dim=1)


class ImageNetwork(nn.Module):
    """An encoder and a head: stretched images (N, B, H, W) to redshifts (N,) or logits (N, C)."""

    def __init__(self, encoder: Encoder, head: RegressionHead | ClassesHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the head says of the encoder's features."""
        answer: torch.Tensor = self.head(self.encoder(x))
        return answer

    def layer_groups(self) -> dict[str, nn.Module]:
        """Return {name: layers}, input side first: stem, stage_1, …, head."""
        return {**self.encoder.layer_groups(), "head": self.head}
