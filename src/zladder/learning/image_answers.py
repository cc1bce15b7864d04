"""What a network on images says of galaxies: features, redshifts, odds of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zladder.learning.augment import Views
from zladder.learning.classes import class_edges
from zladder.pdf.estimates import class_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zladder.learning.images import Images
    from zladder.networks.heads import ImageNetwork
    from zladder.networks.resnet import Encoder

BATCH = 512


def answered(
    network: torch.nn.Module, n: int, seen: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Return a network's answers for n galaxies in batches; `seen` gives those of some rows.

    The network is left in evaluation mode; the answers come back to the CPU.
    """
    network.eval()
    with torch.no_grad():
        parts = [network(seen(rows)).cpu() for rows in torch.arange(n).split(BATCH)]
    return torch.cat(parts)


def views_of(encoder: Encoder, inputs: Mapping[str, Any], images: Images) -> Views:
    """Return images as an encoder sees them, on its device; `inputs` are those of its card."""
    softening = encoder.softening_nmgy
    return Views(images.to(softening.device), inputs, softening)


def redshifts(
    network: ImageNetwork, card: Mapping[str, Any], images: Images
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return (z_phot, odds of the classes) of images (N, S, S, B), S at least the crop.

    Float64 (N,), and float32 (N, bins) or None for a regression. The redshift of a classifier is
    the mean over the centres of its classes. The images go where the network is.
    """
    views = views_of(network.encoder, card["inputs"], images)
    found = answered(network, len(images), views.centred)
    if card["output"]["kind"] == "regression":
        return found.double().numpy(), None
    odds = torch.softmax(found.double(), dim=1).numpy()
    return class_mean(class_edges(card["output"]), odds), odds.astype(np.float32)
