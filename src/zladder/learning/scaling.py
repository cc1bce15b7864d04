"""Standardising the inputs of a network, fitted to its training examples."""

from __future__ import annotations

import torch


def fit_scaling(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (mean, standard deviation) of each input, float32 (F,), from inputs (N, F).

    Raises
    ------
    ValueError
        If an input is not finite, or the same for all examples.
    """
    x = inputs.double()
    if not torch.isfinite(x).all():
        message = "inputs must be finite"
        raise ValueError(message)
    mean, scale = x.mean(dim=0), x.std(dim=0, correction=0)
    constant = torch.nonzero(scale == 0).flatten().tolist()
    if constant:
        message = f"inputs {constant} are the same for all examples"
        raise ValueError(message)
    return mean.float(), scale.float()
