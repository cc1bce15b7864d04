"""The waves that the renderer adds up: which ones, with what weight, and what they look like.

Waves are close together where they are long and wider apart where they are short. The short ones
carry the cores of objects, which are compact: they may repeat a little beyond the stamp. The
long ones carry the wings of bulges, which reach far, and repeat only at several stamps' distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

# Tuned on the mock's galaxies, up to half-light radii of two stamps: the short waves repeat at 1.25
# stamps, the longest at twenty; within six waves the one spacing passes into the other.
PERIOD_OVER_STAMP = 1.25
REFINEMENT = 16.0
BLEND_WAVES = 6.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Waves:
    """K waves along each axis, from 0 up, for stamps of S pixels, as tensors.

    Attributes
    ----------
    number
        Shape (K,): radians per pixel.
    products
        Shape (3, K * K): kx^2, ky^2 and kx ky; kx runs fastest.
    cosine, sine
        Shape (K, S): at each pixel, counted from (S/2, S/2), averaged over the pixel, times the
        weight of the wave.
    """

    number: torch.Tensor
    products: torch.Tensor
    cosine: torch.Tensor
    sine: torch.Tensor


def wave_numbers(size: int, last: float) -> tuple[Array, Array]:
    """Return the waves for stamps of ``size`` pixels up to ``last``, and their spacing, (K,) each.

    The trapezoidal rule in the index: of a smooth function its error is the light that comes
    back around, no more.
    """
    step = 2 * math.pi / (PERIOD_OVER_STAMP * size)
    shift = BLEND_WAVES * (1 - 1 / REFINEMENT)
    index = np.arange(math.ceil(last / step + shift) + 1)
    number = step * (index - shift * np.tanh(index / BLEND_WAVES))
    spacing = step * (1 - shift / BLEND_WAVES / np.cosh(index / BLEND_WAVES) ** 2)
    return number, spacing


def make_waves(size: int, last: float, like: torch.Tensor) -> Waves:
    """Return the waves on the device and of the type of a tensor."""
    number, spacing = wave_numbers(size, last)
    kx, ky = np.meshgrid(number, number)
    weight = spacing * np.sinc(number / (2 * math.pi)) / (2 * math.pi)
    weight[1:] *= 2.0  # the waves below 0 are those above, mirrored
    phase = number[:, None] * (np.arange(size) - size // 2)

    def tensor(values: Array) -> torch.Tensor:
        return torch.as_tensor(values, dtype=like.dtype, device=like.device)

    return Waves(
        number=tensor(number),
        products=tensor(np.stack([kx * kx, ky * ky, kx * ky]).reshape(3, -1)),
        cosine=tensor(weight[:, None] * np.cos(phase)),
        sine=tensor(weight[:, None] * np.sin(phase)),
    )
