"""Galaxies of a disc and a bulge as stamps of pixels, many at a time, painted in Fourier space.

A profile's transform is known, seeing and pixel multiply it, a shift turns its phase; one
inverse transform gives the light in each pixel. The transform is periodic: a stamp of S pixels
is cut from a square of 1.5 S, so that what comes back around lies outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from zladder.universe.hankel import (
    DISC_B,
    LN_K_RANGE,
    LN_K_STEP,
    bulge_table,
    moffat_transform,
)

PAD_FACTOR = 1.5
N_WAVES = 4096
MAX_BATCH_VALUES = 2**15  # of one band: what a processor's cache holds


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
        Shape (B, N_WAVES): at wave numbers evenly from 0 to sqrt(2) pi radians per pixel.
    """

    transform: NDArray[np.float64]


def make_seeing(fwhm_pixels: NDArray[np.float64], beta: float) -> Seeing:
    """Return Moffat seeing of the given full widths, shape (B,), and one beta."""
    k = np.linspace(0.0, math.sqrt(2.0) * math.pi, N_WAVES)
    return Seeing(np.array([moffat_transform(k, fwhm, beta) for fwhm in fwhm_pixels]))


def pad_size(size: int) -> int:
    """Return the side of the periodic square that a stamp is cut from."""
    return math.ceil(PAD_FACTOR * size / 2) * 2


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
    pad = pad_size(size)
    kx, ky = _waves(pad, light.angle)
    blur = _blur(seeing, kx, ky)
    batch = max(1, MAX_BATCH_VALUES // pad**2)
    parts = [
        _render(light.part(slice(start, start + batch)), kx, ky, blur, size)
        for start in range(0, len(light.angle), batch)
    ]
    shape = (0, light.disc_flux.shape[1], size, size)
    return torch.cat(parts) if parts else light.disc_flux.new_zeros(shape)


def _waves(pad: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return kx (pad/2 + 1,) and ky (pad, 1) in radians per pixel."""
    turn = 2 * math.pi
    kx = turn * torch.fft.rfftfreq(pad, dtype=like.dtype, device=like.device)
    ky = turn * torch.fft.fftfreq(pad, dtype=like.dtype, device=like.device)
    return kx, ky[:, None]


def _blur(seeing: Seeing, kx: torch.Tensor, ky: torch.Tensor) -> torch.Tensor:
    """Return seeing times pixel, shape (B, pad, pad/2 + 1)."""
    k = torch.hypot(kx, ky).cpu().numpy()
    nodes = np.linspace(0.0, math.sqrt(2.0) * math.pi, N_WAVES)
    grid = np.array([np.interp(k, nodes, transform) for transform in seeing.transform])
    pixel = torch.sinc(kx / (2 * math.pi)) * torch.sinc(ky / (2 * math.pi))
    return torch.as_tensor(grid, dtype=kx.dtype, device=kx.device) * pixel


def _render(
    light: Light, kx: torch.Tensor, ky: torch.Tensor, blur: torch.Tensor, size: int
) -> torch.Tensor:
    pad = len(ky)
    disc = _disc(_wave_squared(light.disc_radius, light.disc_ratio, light.angle, kx, ky))
    bulge = _bulge(_wave_squared(light.bulge_radius, light.bulge_ratio, light.angle, kx, ky))
    centre = size // 2 + light.offset
    shift_x = torch.polar(torch.ones_like(kx), -centre[:, :1] * kx)  # (N, pad/2 + 1)
    shift_y = torch.polar(torch.ones_like(ky), -centre[:, 1, None, None] * ky)  # (N, pad, 1)
    shift = shift_x[:, None, :] * shift_y
    profile = disc[:, None] * light.disc_flux[..., None, None]
    profile += bulge[:, None] * light.bulge_flux[..., None, None]
    profile *= blur
    stamp = torch.fft.irfft2(profile * shift[:, None], s=(pad, pad))
    return stamp[..., :size, :size]


def _wave_squared(
    radius: torch.Tensor, ratio: torch.Tensor, angle: torch.Tensor, kx: torch.Tensor,
    ky: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Return (k R)^2 in the frame of each ellipse, shape (N, pad, pad/2 + 1)."""
    major, minor = radius**2, (radius * ratio) ** 2
    cosine, sine = torch.cos(angle), torch.sin(angle)
    xx = (major * cosine**2 + minor * sine**2)[:, None, None]
    yy = (major * sine**2 + minor * cosine**2)[:, None, None]
    xy = (2 * (major - minor) * cosine * sine)[:, None, None]
    return xx * kx**2 + (xy * kx + yy * ky) * ky


def _disc(wave_squared: torch.Tensor) -> torch.Tensor:
    """Return the transform of an exponential disc: (1 + k^2 h^2)^(-3/2), h = R_e / b_1."""
    base = 1 + wave_squared / DISC_B**2
    return torch.rsqrt(base) / base


def _bulge(wave_squared: torch.Tensor) -> torch.Tensor:
    """Return the transform of an n = 4 bulge, linear between the nodes of its table."""
    table = torch.as_tensor(bulge_table(), dtype=wave_squared.dtype, device=wave_squared.device)
    first, last = LN_K_RANGE
    low, high = math.exp(2 * first), math.exp(2 * (last - 2 * LN_K_STEP))
    place = (wave_squared.clamp(low, high).log() * 0.5 - first) / LN_K_STEP
    node = place.to(torch.int64).clamp_(0, len(table) - 2)
    share = place - node
    return torch.lerp(table[node], table[node + 1], share)
