"""Scaling the inputs and the output of a network, fitted to its training examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from zladder.networks.mlp import MLP


def fit_scaling(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (mean, standard deviation) of each input, float32 (F,), from inputs (N, F).

    Labels (N, 1) give the scaling of the output in the same way.

    Raises
    ------
    ValueError
        If there are no examples, or an input is not finite, or the same for all examples.
    """
    x = inputs.double()
    if len(x) == 0 or not torch.isfinite(x).all():
        message = "inputs must be finite, and there must be some"
        raise ValueError(message)
    mean, scale = x.mean(dim=0), x.std(dim=0, correction=0)
    constant = torch.nonzero(scale == 0).flatten().tolist()
    if constant:
        message = f"inputs {constant} are the same for all examples"
        raise ValueError(message)
    return mean.float(), scale.float()


def fit_min_max(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (minimum, range) of each input, float32 (F,), from inputs (N, F).

    Raises
    ------
    ValueError
        As `fit_scaling` does.
    """
    fit_scaling(inputs)
    low, high = inputs.amin(dim=0), inputs.amax(dim=0)
    return low, high - low


INPUT_SCALINGS = {"standard": fit_scaling, "min_max": fit_min_max}


def centre_dz(network: MLP, inputs: torch.Tensor, z_true: torch.Tensor) -> float:
    """Rescale 1 + z of a trained network so that the mean dz of these examples is zero.

    Since 1 + z_true = (1 + z_pred) / (1 + dz), the mse of dz is least, for each input, where
    E[dz] = -E[dz^2]: a bias of sigma * sqrt(n) standard errors, 1 for 3,000 objects of scatter
    0.018 and 10 for 300,000. Dividing 1 + z_pred by 1 + mean(dz) removes the mean exactly.

    Parameters
    ----------
    network
        Changed in place.
    inputs, z_true
        Training examples, (N, F) and (N,).

    Returns
    -------
    float
        The mean dz that was removed, of the mean over members.
    """
    with torch.no_grad():
        z_pred = network(inputs.expand(network.members, -1, -1)).double().mean(dim=0)
        labels = z_true.double()
        mean_dz = float(((z_pred - labels) / (1.0 + labels)).mean())
        network.output_mean.add_(1.0).div_(1.0 + mean_dz).sub_(1.0)
        network.output_scale.div_(1.0 + mean_dz)
    return mean_dz
