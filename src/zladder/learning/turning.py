"""Crops turned by any angle: a resampling, and what it takes of the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import affine_grid, grid_sample

if TYPE_CHECKING:
    import numpy as np

_BICUBIC_A = -0.75  # of grid_sample's kernel (Keys 1981, IEEE Trans. ASSP 29, 1153)


def turned_crops(
    stamps: torch.Tensor, angle: torch.Tensor, shift: torch.Tensor, crop: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (crops (n, C, C, B), the missing variance (n, C, C, 1)), bicubic.

    The middle of a stamp, between pixels if S is even, comes to the middle of the crop. So a galaxy
    lies at (C - 1)/2 on average, as under the eight symmetries; an unturned crop of whole pixels or
    of an odd stamp has it at C // 2, half a pixel on.

    Parameters
    ----------
    stamps
        Shape (n, S, S, B).
    angle
        By which each is turned about its middle, radians, (n,).
    shift
        Of the crop in the turned picture, whole pixels, rows and columns, (2, n).
    crop
        Side C.

    Returns
    -------
    tuple
        An interpolated pixel of white noise of variance 1 has a variance of 1 - missing. On average
        over the places between pixels a scatter of 6/7 is left (bilinear: 2/3).
    """
    side = stamps.shape[1]
    # Grid units: the outermost pixel centres of the stamp lie at -1 and 1.
    scale = (crop - 1) / (side - 1)
    moved = shift * (2.0 / (side - 1))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    x = torch.stack([scale * cosine, -scale * sine, cosine * moved[1] - sine * moved[0]], dim=1)
    y = torch.stack([scale * sine, scale * cosine, sine * moved[1] + cosine * moved[0]], dim=1)
    matrix = torch.stack([x, y], dim=1)
    grid = affine_grid(matrix, [len(stamps), 1, crop, crop], align_corners=True)
    planes = stamps.permute(0, 3, 1, 2)
    crops = grid_sample(planes, grid, mode="bicubic", align_corners=True)
    kept = kept_variance((grid + 1.0) * ((side - 1) / 2.0)).prod(dim=3, keepdim=True)
    return crops.permute(0, 2, 3, 1).contiguous(), (1.0 - kept).clamp_(min=0.0)


def missing_share(noise_correlation: np.ndarray) -> float:
    """Return the variance that noise misses over what white noise misses, averaged over places.

    Correlated noise is smooth, and less of it is lost: 0.74 for what Lanczos-3 interpolated to
    pixels as wide. Noise that would gain (pixels below 0.6 of the frame's) misses 0.

    Parameters
    ----------
    noise_correlation
        Of pixels 0 to 3 rows and columns apart, float64 (4, 4).
    """
    behind = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    before = 1.0 - behind
    outer = _BICUBIC_A * behind * before
    weights = torch.stack([outer * before, _near(behind), _near(before), outer * behind])
    sides = [weights, *[2 * weights] * 3]  # there are pixels on both
    lags = [(a[: 4 - lag] * weights[lag:]).sum(dim=0).mean() for lag, a in enumerate(sides)]
    kept = torch.stack(lags).numpy()
    missing = 1.0 - kept @ noise_correlation @ kept
    return max(0.0, float(missing / (1.0 - kept[0] * kept[0])))


def kept_variance(place: torch.Tensor) -> torch.Tensor:
    """Return the sum of the squares of the kernel's four weights at places along a row, in pixels.

    That is the variance which white noise of variance 1 keeps there.
    """
    behind = place - place.floor()
    before = 1.0 - behind
    outer = (_BICUBIC_A * behind * before).square_()  # times before^2 and behind^2: both outer ones
    total = _near(behind).square_() + _near(before).square_()
    return total.add_(outer.mul_(before * before + behind * behind))


def _near(x: torch.Tensor) -> torch.Tensor:
    """Return the weight of a pixel that lies x from a place, x from 0 to 1."""
    return ((_BICUBIC_A + 2.0) * x - (_BICUBIC_A + 3.0)) * x * x + 1.0
