"""The statistics of batch normalisation, measured on images as a network will be asked about them.

In training they are running means over augmented views, the last ten batches or so of them; what
is asked later is clean and centred. Measured anew ("precise BN", Wu & Johnson 2021,
arXiv:2105.07576), they took a bias of 0.003 to 0.005 in dz out of fine-tuned networks on the mock
sky (docs/choices.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BATCH = 512


def settle(network: torch.nn.Module, n: int, seen: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Measure the batch statistics of a network anew, in place; its weights stay as they are.

    Parameters
    ----------
    network
        Left in evaluation mode.
    n
        Number of galaxies.
    seen
        Gives the images of some rows, as the network will see them.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    network.train()
    with torch.no_grad():
        for rows in torch.arange(n).tensor_split(-(-n // LARGEST_BATCH)):  # of equal size
            network(seen(rows))
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
