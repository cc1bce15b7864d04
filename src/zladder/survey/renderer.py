"""Galaxies of a disc and a bulge as stamps of pixels, many at a time, painted in Fourier space.

A profile's transform is known; seeing and pixel multiply it; the light in each pixel is the sum of
its waves. The sum is two products of matrices, along x and along y, so that the waves may be any
(`waves`) and the centre lie anywhere. A profile is even: with P(kx, ky) and P(kx, -ky) as the sum
and the difference of two functions on a quarter of the plane, all numbers are real.

Against GalSim, for seeing of 2 to 9 pixels (Moffat): within 1e-4 of the peak, flux within 0.3 %
(tests/unit/test_renderer.py; bench/bench_renderer.py has the speed).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from zladder.survey.waves import Waves, make_waves
from zladder.universe.hankel import (
    BULGE_BITS,
    BULGE_OCTAVES,
    DISC_B,
    bulge_table,
    moffat_scale,
    moffat_transform,
)

N_SEEING_NODES = 4096
LOST_SHARE = 2e-4  # of a star's central brightness, in waves too short to be painted
LAST_PRODUCT = 60.0  # of wave number and Moffat scale: nothing is left there
# values of transforms held at a time
CPU_BATCH_VALUES = 2**19  # what a processor's cache holds
GPU_BATCH_VALUES = 2**26  # what keeps a GPU busy
FLOAT32_FRACTION_BITS, FLOAT32_BIAS = 23, 127


@dataclass(frozen=True)
class Light:
    """N objects of B bands, as tensors of one floating type; stars are discs of radius zero.

    Attributes
    ----------
    disc_flux, bulge_flux
        Shape (N, B), any unit.
    disc_radius, bulge_radius
        Shape (N,): half-light radius along the major axis, pixels.
    disc_ratio, bulge_ratio
        Shape (N,): minor over major axis.
    angle
        Shape (N,): of the major axis from +x towards +y, radians.
    offset
        Shape (N, 2): the centre (x, y) minus the centre of the stamp's pixel (S/2, S/2), pixels.
    """

    disc_flux: torch.Tensor
    bulge_flux: torch.Tensor
    disc_radius: torch.Tensor
    bulge_radius: torch.Tensor
    disc_ratio: torch.Tensor
    bulge_ratio: torch.Tensor
    angle: torch.Tensor
    offset: torch.Tensor

    def part(self, rows: slice | torch.Tensor) -> Light:
        """Return some of the objects."""
        return Light(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Seeing:
    """The radial transform of the point-spread function in each of B bands.

    Attributes
    ----------
    transform
        Shape (B, M): at wave numbers evenly from 0 to sqrt(2) ``last_wave``.
    last_wave
        Radians per pixel: shorter waves than this are not painted in any band.
    """

    transform: NDArray[np.float64]
    last_wave: float


def make_seeing(fwhm_pixels: NDArray[np.float64], beta: float) -> Seeing:
    """Return Moffat seeing of the given full widths, shape (B,), and one beta.

    The last wave is where the sharpest band's star has all but `LOST_SHARE` of its brightness.
    """
    sharpest = float(np.min(fwhm_pixels))
    k = np.linspace(0.0, LAST_PRODUCT / moffat_scale(sharpest, beta), N_SEEING_NODES)
    # the central brightness is the integral over the plane; a pixel is about a Gaussian there
    within = np.cumsum(k * moffat_transform(k, sharpest, beta) * np.exp(-(k**2) / 24))
    last = float(k[np.searchsorted(within, (1 - LOST_SHARE) * within[-1])])
    k = np.linspace(0.0, math.sqrt(2.0) * last, N_SEEING_NODES)
    return Seeing(np.array([moffat_transform(k, fwhm, beta) for fwhm in fwhm_pixels]), last)


def render(light: Light, seeing: Seeing, size: int) -> torch.Tensor:
    """Paint every object into a stamp of its own.

    Parameters
    ----------
    light
        The objects; the stamps are on its device and of its floating type.
    seeing
        For the same bands.
    size
        S: even; the object's offset counts from the centre of pixel (S/2, S/2).

    Returns
    -------
    torch.Tensor
        Shape (N, B, S, S), rows are y: flux in each pixel.
    """
    waves = make_waves(size, seeing.last_wave, light.angle)
    blur = _blur(seeing, waves)
    n_objects, n_bands = light.disc_flux.shape
    stamps = light.angle.new_empty(n_objects, n_bands, size, size)
    values = 2 * n_bands * len(waves.number) * max(len(waves.number), size)
    held = CPU_BATCH_VALUES if light.angle.device.type == "cpu" else GPU_BATCH_VALUES
    batch = max(1, held // values)
    for start in range(0, n_objects, batch):
        rows = slice(start, start + batch)
        _render(light.part(rows), waves, blur, stamps[rows])
    return stamps


def _blur(seeing: Seeing, waves: Waves) -> torch.Tensor:
    """Return the seeing at each pair of waves, shape (B, 1, K * K)."""
    k = waves.products[:2].sum(dim=0).sqrt().cpu().numpy()
    last = math.sqrt(2.0) * seeing.last_wave
    nodes = np.linspace(0.0, last, seeing.transform.shape[1])
    grid = np.array([np.interp(k, nodes, transform) for transform in seeing.transform])
    return torch.as_tensor(grid, dtype=waves.number.dtype, device=waves.number.device)[:, None]


def _render(light: Light, waves: Waves, blur: torch.Tensor, stamps: torch.Tensor) -> None:
    """Paint objects into their stamps, shape (N, B, S, S)."""
    n_objects, n_bands, size, _ = stamps.shape
    n_waves = len(waves.number)
    disc = disc_at(wave_squared(light.disc_radius, light.disc_ratio, light.angle, waves))
    bulge = bulge_at(wave_squared(light.bulge_radius, light.bulge_ratio, light.angle, waves))
    profiles = disc.new_empty(n_objects, 2, 2, n_waves**2)  # disc, bulge; even, odd
    for index, profile in enumerate((disc, bulge)):
        torch.add(profile[:, 0], profile[:, 1], out=profiles[:, index, 0])
        torch.sub(profile[:, 1], profile[:, 0], out=profiles[:, index, 1])
    flux = 0.5 * torch.stack([light.disc_flux, light.bulge_flux], dim=2)  # (N, B, 2)
    light_waves = torch.bmm(flux, profiles.flatten(2)).view(n_objects, n_bands, 2, n_waves**2)
    light_waves *= blur
    along_x = _placed(waves, light.offset[:, 0])[:, None].expand(-1, n_bands, -1, -1, -1)
    rows = torch.matmul(light_waves.unflatten(3, (n_waves, n_waves)), along_x)
    along_y = _placed(waves, light.offset[:, 1]).flatten(1, 2).transpose(1, 2)
    torch.matmul(along_y[:, None], rows.view(n_objects, n_bands, 2 * n_waves, size), out=stamps)


def _placed(waves: Waves, offset: torch.Tensor) -> torch.Tensor:
    """Return cosines and sines of the waves about objects off the centre, shape (N, 2, K, S)."""
    phase = offset[:, None] * waves.number
    cosine, sine = torch.cos(phase)[..., None], torch.sin(phase)[..., None]
    placed = phase.new_empty(len(offset), 2, *waves.cosine.shape)
    torch.addcmul(cosine * waves.cosine, sine, waves.sine, out=placed[:, 0])
    torch.addcmul(cosine * waves.sine, sine, waves.cosine, value=-1, out=placed[:, 1])
    return placed


def wave_squared(
    radius: torch.Tensor, ratio: torch.Tensor, angle: torch.Tensor, waves: Waves
) -> torch.Tensor:
    """Return (k R)^2 in the frame of each ellipse at (kx, ky) and (kx, -ky), (N, 2, K * K)."""
    major, minor = radius**2, (radius * ratio) ** 2
    cosine, sine = torch.cos(angle), torch.sin(angle)
    xx = major * cosine**2 + minor * sine**2
    yy = major * sine**2 + minor * cosine**2
    xy = 2 * (major - minor) * cosine * sine
    form = torch.stack([xx, yy, xy, xx, yy, -xy], dim=1).view(-1, 2, 3)
    return torch.matmul(form, waves.products)


def disc_at(squared: torch.Tensor) -> torch.Tensor:
    """Return the transform of an exponential disc: (1 + k^2 h^2)^(-3/2), h = R_e / b_1."""
    base = 1 + squared / DISC_B**2
    return torch.rsqrt(base) / base


def bulge_at(squared: torch.Tensor) -> torch.Tensor:
    """Return the transform of an n = 4 bulge, looked up by the leading bits of (k R)^2."""
    table = torch.as_tensor(bulge_table(), dtype=squared.dtype, device=squared.device)
    bits = squared.float().view(torch.int32)
    place = bits >> (FLOAT32_FRACTION_BITS - BULGE_BITS)
    place -= (BULGE_OCTAVES[0] + FLOAT32_BIAS) << BULGE_BITS
    place.clamp_(0, len(table) - 1)
    return table.index_select(0, place.view(-1)).view(squared.shape)
