"""How the tensors of a network on images lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping


def channels_last(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors with those of four dimensions channels-last, as `Encoder` has them.

    Files hold them in plain order; moments that lie otherwise than their weights would make a
    resumed training round differently.
    """
    return {
        name: tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
        for name, tensor in tensors.items()
    }
