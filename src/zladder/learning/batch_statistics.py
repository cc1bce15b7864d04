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
    from collections.abc import Iterable


def settle(network: torch.nn.Module, shown: Iterable[torch.Tensor]) -> None:
    """Measure the batch statistics of a network anew, in place; its weights stay as they are.

    Parameters
    ----------
    network
        Left in evaluation mode.
    shown
        All images in batches (n, B, C, C) of equal size, as the network will see them. A batch is
        a fair draw of them all: what batches differ by does not enter.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    network.train()
    with torch.no_grad():
        for images in shown:
            network(images)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
