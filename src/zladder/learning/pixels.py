"""Pixels on their way into a network: dust taken out or put in, softening, stretch.

Images lie band-last here, (N, S, S, B): a crop is then a look-up of whole pixels, and a network
that works channels-last reads the result as it lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from zladder.metrics.normal import NMAD_FACTOR

if TYPE_CHECKING:
    from collections.abc import Mapping

# The stretch turns from linear to compressed at this many sigma of the sky. Measured on a mock
# sky (600 steps, 16k labels): sqrt at 2 sigma gives sigma_nmad 0.0125, asinh 0.0137.
SOFTENING_SIGMAS = 2.0


def dereddening(extinction_mag: torch.Tensor) -> torch.Tensor:
    """Return the factor that takes extinctions (N, B), in mag, out of fluxes: 10^(0.4 A)."""
    return torch.pow(10.0, 0.4 * extinction_mag)


def transmission(ebv_mag: torch.Tensor, extinction_per_ebv: torch.Tensor) -> torch.Tensor:
    """Return what dust lets through, (N, B): 10^(-0.4 R_b E) (Hayat et al. 2021).

    Parameters
    ----------
    ebv_mag
        Colour excess E of each galaxy, shape (N,).
    extinction_per_ebv
        R_b of each band, shape (B,).
    """
    return torch.pow(10.0, -0.4 * ebv_mag[:, None] * extinction_per_ebv)


def border_sigma(flux: torch.Tensor) -> torch.Tensor:
    """Return the scatter of the outermost pixels, (N, B), of stamps (N, B, S, S).

    1.4826 times the median absolute deviation of the outer ring, two pixels wide: the sky, unless
    neighbours cover half of it.
    """
    rows, columns = flux[..., [0, 1, -2, -1], :], flux[..., 2:-2, [0, 1, -2, -1]]
    ring = torch.cat([rows.flatten(2), columns.flatten(2)], dim=2)
    ring -= ring.median(dim=2, keepdim=True).values
    return NMAD_FACTOR * ring.abs_().median(dim=2).values


def softening_nmgy(sky_sigma_nmgy: torch.Tensor) -> torch.Tensor:
    """Return the softening of each band, (B,): twice the median sky sigma of galaxies (N, B)."""
    return SOFTENING_SIGMAS * sky_sigma_nmgy.median(dim=0).values


def stretch_sqrt(x: torch.Tensor) -> torch.Tensor:
    """Return sign(x) (sqrt(|x| + 1) - 1) (the code of Lin et al. 2022)."""
    return x.abs().add_(1.0).sqrt_().sub_(1.0).copysign_(x)


def stretch_asinh(x: torch.Tensor) -> torch.Tensor:
    """Return arsinh(x) = sign(x) ln(1 + |x| + x^2 / (1 + sqrt(1 + x^2))).

    PyTorch's own is not vectorised on a CPU.
    """
    square = x * x
    divisor = (square + 1.0).sqrt_().add_(1.0)
    return x.abs().add_(square.div_(divisor)).log1p_().copysign_(x)


STRETCHES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sqrt": stretch_sqrt,
    "asinh": stretch_asinh,
}


def band_values(inputs: Mapping[str, Any]) -> torch.Tensor:
    """Return R_b of a card's `inputs`, float32 (B,), in the order of its bands."""
    return torch.tensor([inputs["extinction_per_ebv"][band] for band in inputs["bands"]])
