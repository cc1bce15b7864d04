"""Momentum contrast, version 2 (He et al. 2020, arXiv:1911.05722; Chen et al., arXiv:2003.04297).

Two views of a galaxy must be told as the same among the keys of others. Keys come from an encoder
that follows the trained one slowly, and wait in a queue, first in, first out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from zladder.learning.engine import keyed_generator
from zladder.learning.image_bundle import drawn_encoder
from zladder.networks.heads import ProjectionHead, linear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.networks.resnet import Encoder

KEY_GROUPS = 4
NOBODY = -1  # the galaxy of a place in the queue that was only drawn


class MoCo(nn.Module):
    """The networks and the queue of one pretraining.

    Parameters
    ----------
    card
        `inputs`, `model`, `objective`, `seed` of the run card.

    Attributes
    ----------
    encoder, projection, colour
        What is trained; the colour head gives one value a band.
    key_encoder, key_projection
        Their slow followers.
    queue
        Buffer, float32 (K, P): keys of length 1; random ones at first.
    queue_galaxies
        Buffer, int64 (K,): whose keys they are.
    pointer
        Buffer, int64 (1,): where the next key goes.
    """

    queue: torch.Tensor
    queue_galaxies: torch.Tensor
    pointer: torch.Tensor

    def __init__(self, card: Mapping[str, Any]) -> None:
        super().__init__()
        objective = card["objective"]
        generator = keyed_generator(card["seed"], "weights", "heads")
        self.temperature, self.momentum = objective["temperature"], objective["momentum"]
        units = objective["projection_units"]
        self.encoder: Encoder = drawn_encoder(card)
        self.projection = ProjectionHead(self.encoder.features, units, generator)
        self.colour = linear(self.encoder.features, len(card["inputs"]["bands"]), generator)
        self.key_encoder: Encoder = drawn_encoder(card)
        self.key_projection = ProjectionHead(self.encoder.features, units)
        self.key_projection.load_state_dict(self.projection.state_dict())
        self.key_encoder.requires_grad_(False)
        self.key_projection.requires_grad_(False)
        queue = torch.randn(objective["queue_size"], units, generator=generator)
        self.register_buffer("queue", nn.functional.normalize(queue, dim=1))
        self.register_buffer("queue_galaxies", torch.full((len(queue),), NOBODY))
        self.register_buffer("pointer", torch.zeros(1, dtype=torch.int64))

    def contrast(
        self, features: torch.Tensor, keys: torch.Tensor, galaxies: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (InfoNCE, share of galaxies told right) of a batch against the queue.

        Parameters
        ----------
        features
            Of the first view, (n, D).
        keys
            Of the second view, (n, P), without gradient.
        galaxies
            Who they are, (n,).
        """
        queries = self.projection(features)
        logits = self._logits(queries, keys, galaxies)
        target = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
        right = (logits.detach().argmax(dim=1) == 0).double().mean()
        return nn.functional.cross_entropy(logits, target), right

    def _logits(
        self, queries: torch.Tensor, keys: torch.Tensor, galaxies: torch.Tensor
    ) -> torch.Tensor:
        """Return similarities over temperature, (n, 1 + K): the positive, then the negatives.

        A galaxy's own keys of an earlier pass are no negatives of it (ours: with few galaxies the
        queue holds a good part of them all).
        """
        positive = (queries * keys).sum(dim=1, keepdim=True)
        negative = queries @ self.queue.T
        own = galaxies[:, None] == self.queue_galaxies
        negative = negative.masked_fill(own, -torch.inf)
        return torch.cat([positive, negative], dim=1) / self.temperature

    @torch.no_grad()
    def keys(self, views: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        """Return the keys (n, P) of views (n, B, C, C), after the followers made their step.

        They pass in `KEY_GROUPS` groups of the given order (n,): with the batch statistics of the
        queries a key could be told by these instead of by its galaxy. It is what shuffling over
        several GPUs does (He et al. 2020, section 3.3), on one.
        """
        for follower, leader in (
            (self.key_encoder, self.encoder),
            (self.key_projection, self.projection),
        ):
            pairs = zip(follower.parameters(), leader.parameters(), strict=True)
            for slow, quick in pairs:
                slow.lerp_(quick, 1.0 - self.momentum)
        groups = order.to(views.device).tensor_split(KEY_GROUPS)
        shuffled = [self.key_projection(self.key_encoder(views[group])) for group in groups]
        keys = torch.empty_like(torch.cat(shuffled))
        keys[torch.cat(groups)] = torch.cat(shuffled)
        return keys

    @torch.no_grad()
    def enqueue(self, keys: torch.Tensor, galaxies: torch.Tensor) -> None:
        """Put the keys (n, P) of galaxies (n,) in place of the oldest; the queue is a ring.

        After the backward pass: before it a key would meet itself, and the gradient still needs
        the queue as it was.
        """
        size = len(self.queue)
        keys, galaxies = keys[-size:], galaxies[-size:]
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % size
        self.queue[places] = keys
        self.queue_galaxies[places] = galaxies
        self.pointer[0] = (self.pointer[0] + len(keys)) % size
