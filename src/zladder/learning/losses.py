"""Losses of a redshift estimate, one number an object; dz = (z_pred - z_true) / (1 + z_true)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

Loss = Callable[..., torch.Tensor]


def _dz(z_pred: torch.Tensor, z_true: torch.Tensor) -> torch.Tensor:
    return (z_pred - z_true) / (1.0 + z_true)


def tanaka(z_pred: torch.Tensor, z_true: torch.Tensor, gamma: float) -> torch.Tensor:
    """Return L = 1 - 1 / (1 + (dz / gamma)^2) (Tanaka et al. 2018; gamma = 0.15 there).

    dz is divided by 1 + z_true. Public Keras code (astrodatalab/galaxiesml_examples) swaps the
    arguments.
    """
    return 1.0 - 1.0 / (1.0 + (_dz(z_pred, z_true) / gamma) ** 2)


def huber(z_pred: torch.Tensor, z_true: torch.Tensor, delta: float) -> torch.Tensor:
    """Return Huber's loss of dz, divided by delta: quadratic below delta, then linear (1964)."""
    size = _dz(z_pred, z_true).abs()
    return torch.where(size < delta, 0.5 * size**2 / delta, size - 0.5 * delta)


def mse(z_pred: torch.Tensor, z_true: torch.Tensor) -> torch.Tensor:
    """Return the square of dz."""
    return _dz(z_pred, z_true) ** 2


LOSSES: dict[str, Loss] = {"tanaka": tanaka, "huber": huber, "mse": mse}


def loss_of(z_pred: torch.Tensor, z_true: torch.Tensor, loss: Mapping[str, Any]) -> torch.Tensor:
    """Return the loss that a run card names, with its settings, one number an object."""
    settings = {key: value for key, value in loss.items() if key != "name"}
    return LOSSES[loss["name"]](z_pred, z_true, **settings)


def class_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each object, (N,), from logits (N, C).

    `target` is the class of each object, int64 (N,), or its label as odds of the classes, (N, C).
    """
    return torch.nn.functional.cross_entropy(logits, target, reduction="none")
