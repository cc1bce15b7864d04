"""Magnitudes of any number of galaxies: spectra through filters, tabulated once.

The table holds, for each of the four shapes on a grid of own dust and redshift, what a band
sees. Between the nodes the logarithm of the light is interpolated in dust and redshift, where it
is smooth; the shapes are added as light, which is exact. The two surveys here take 0.6 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray

from zladder.universe.dust import extinction_curve
from zladder.universe.filters import Band, load_bands
from zladder.universe.galaxies import Galaxies
from zladder.universe.intergalactic import transmission
from zladder.universe.spectra import (
    N_MODES,
    SHAPES,
    Spectra,
    dust_curve,
    mode_curves,
    shape_weights,
)

REST_FILTER = "sdss2010-r"  # luminosities are absolute AB magnitudes in this band, at rest
EBV_INTERNAL_NODES_MAG = np.array([0.0, 0.1, 0.25, 0.45, 0.7, 1.0])
EBV_MILKY_WAY_NODES_MAG = (0.1, 0.4)  # two points fix A = E (R1 + R2 E)
STEP_LN_1Z = 0.004
CHUNK_ROWS = 100_000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PhotometryTable:
    """What each band sees of each shape.

    Attributes
    ----------
    bands
        The band letters, B of them.
    log_light
        Shape (4, D, Z, B): log10 of the light in the band relative to that in the rest band,
        both undimmed by distance, per unit of the shape.
    mode_response
        Shape (4, D, Z, B, 3): relative change of that light per unit of each mode.
    reddening
        Shape (4, D, Z, B, 2): R1 (mag per mag) and R2 (mag per mag^2) of Milky-Way extinction.
    rest_log_light, rest_mode_response
        Shapes (4, D), (4, D, 3): the same in the rest band at z = 0.
    z_max
        The last redshift node.
    """

    bands: tuple[str, ...]
    log_light: Array
    mode_response: Array
    reddening: Array
    rest_log_light: Array
    rest_mode_response: Array
    z_max: float


def z_nodes(z_max: float) -> Array:
    """Return the redshift nodes, uniform in ln(1 + z) from 0 to at least ``z_max``."""
    count = int(np.ceil(np.log1p(z_max) / STEP_LN_1Z)) + 1
    return np.expm1(STEP_LN_1Z * np.arange(count))


def build_table(spectra: Spectra, bands: tuple[Band, ...], z_max: float) -> PhotometryTable:
    """Integrate every shape, dust node and redshift node through every band."""
    nodes = z_nodes(z_max)
    milky_way = _milky_way(bands)
    light = np.stack([_band_light(spectra, bands, milky_way, z) for z in nodes], axis=2)
    rest_band = load_bands({"r": REST_FILTER}, "the rest band")
    rest = _band_light(spectra, rest_band, _milky_way(rest_band), 0.0)[:, :, 0]
    base, modes, dimmed = np.split(light, [1, 1 + N_MODES], axis=-1)
    loss_mag = -2.5 * np.log10(np.maximum(dimmed / np.maximum(base, 1e-300), 1e-300))
    per_ebv = np.where(base > 0, loss_mag, 0.0) / np.array(EBV_MILKY_WAY_NODES_MAG)
    low, high = EBV_MILKY_WAY_NODES_MAG
    second = (per_ebv[..., 1] - per_ebv[..., 0]) / (high - low)
    return PhotometryTable(
        bands=tuple(band.name for band in bands),
        log_light=np.log10(np.maximum(base[..., 0], 1e-30)),
        mode_response=modes / np.maximum(base, 1e-300),
        reddening=np.stack([per_ebv[..., 0] - low * second, second], axis=-1),
        rest_log_light=np.log10(rest[..., 0]),
        rest_mode_response=rest[..., 1 : 1 + N_MODES] / rest[..., :1],
        z_max=float(nodes[-1]),
    )


def _milky_way(bands: tuple[Band, ...]) -> Array:
    """Return what Milky-Way dust lets through at the two nodes, shape (2, wavelengths)."""
    curve = extinction_curve(np.concatenate([band.wavelength_angstrom for band in bands]))
    return 10 ** (-0.4 * np.array(EBV_MILKY_WAY_NODES_MAG)[:, None] * curve)


def _band_light(spectra: Spectra, bands: tuple[Band, ...], milky_way: Array, z: float) -> Array:
    """Return sums over each band at one redshift, shape (4, D, B, 1 + 3 modes + 2 dust nodes)."""
    wave = np.concatenate([band.wavelength_angstrom for band in bands])
    weight = np.concatenate([band.weight for band in bands])
    first = np.cumsum([0] + [len(band.weight) for band in bands[:-1]])
    rest_wave = wave / (1 + z)
    shapes = np.array([np.interp(rest_wave, spectra.wavelength_angstrom, f) for f in spectra.flux])
    own_dust = 10 ** (-0.4 * EBV_INTERNAL_NODES_MAG[:, None] * dust_curve(rest_wave))
    factors = np.stack([np.ones_like(wave), *mode_curves(rest_wave), *milky_way])
    cells = [np.concatenate(ends) for ends in zip(*(b.cells_angstrom for b in bands), strict=True)]
    passes = transmission(wave, z, (cells[0], cells[1]))
    factors = factors * (weight * passes / (1 + z))
    # no matrix product: its rounding would depend on the number of threads
    seen = shapes[:, None, None, :] * own_dust[None, :, None, :] * factors[None, None, :, :]
    return np.moveaxis(np.add.reduceat(seen, first, axis=-1), 2, 3)


def magnitudes(table: PhotometryTable, galaxies: Galaxies) -> tuple[Array, Array]:
    """Return AB magnitudes without Milky-Way dust, and R1, R2 of that dust for each galaxy.

    Returns
    -------
    magnitude
        Shape (N, B). 60 or fainter where no light passes (beyond the Lyman limit).
    reddening
        Shape (N, B, 2): the extinction at E(B-V) = E is ``E * (R1 + R2 * E)`` mag.
    """
    parts = [_magnitudes(table, part) for part in _chunks(galaxies)]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def extinction_mag(reddening: Array, ebv_mag: Array) -> Array:
    """Return the Milky-Way extinction in mag, shape (N, B)."""
    ebv = ebv_mag[:, None]
    return ebv * (reddening[..., 0] + reddening[..., 1] * ebv)


def distance_modulus_mag(z: Array) -> Array:
    """Return Planck18's distance modulus, through a table good to 1e-4 mag; z from 1e-4 to 10."""
    return np.interp(np.log(z), *_distance_nodes())


@cache
def _distance_nodes() -> tuple[Array, Array]:
    """Return ln z and the distance modulus at 2,000 redshifts."""
    log_z = np.linspace(np.log(1e-4), np.log(10.0), 2000)
    return log_z, np.asarray(Planck18.distmod(np.exp(log_z)).value, dtype=np.float64)


def _chunks(galaxies: Galaxies) -> Iterator[Galaxies]:
    for start in range(0, max(1, len(galaxies.z)), CHUNK_ROWS):
        yield galaxies.part(slice(start, start + CHUNK_ROWS))


def _magnitudes(table: PhotometryTable, galaxies: Galaxies) -> tuple[Array, Array]:
    weights = shape_weights(galaxies.sed_type)  # (N, 4), two of them non-zero
    corners = _corners(galaxies.z, galaxies.ebv_internal_mag, table.log_light.shape[2])
    light = np.zeros((len(galaxies.z), len(table.bands)))
    rest = np.zeros(len(galaxies.z))
    reddening = np.zeros((*light.shape, 2))
    for shape in range(len(SHAPES)):
        rows = np.flatnonzero(weights[:, shape])
        modes = galaxies.sed_modes[rows]
        seen = _interpolate(table.log_light[shape], corners, rows)
        change = _interpolate(table.mode_response[shape], corners, rows)
        part = (
            10**seen * (1 + (change * modes[:, None, :]).sum(axis=-1)) * weights[rows, shape, None]
        )
        light[rows] += part
        reddening[rows] += part[..., None] * _interpolate(table.reddening[shape], corners, rows)
        seen = _interpolate(table.rest_log_light[shape][:, None], corners, rows, at_rest=True)
        change = _interpolate(table.rest_mode_response[shape][:, None], corners, rows, at_rest=True)
        rest[rows] += 10**seen * (1 + (change * modes).sum(axis=-1)) * weights[rows, shape]
    distance = galaxies.abs_mag_r + distance_modulus_mag(galaxies.z)
    k_mag = -2.5 * np.log10(np.maximum(light, 1e-30) / rest[:, None])
    return distance[:, None] + k_mag, reddening / np.maximum(light, 1e-30)[..., None]


Corner = tuple[NDArray[np.int64], NDArray[np.int64], Array]


def _corners(z: Array, ebv_mag: Array, n_z: int) -> list[Corner]:
    """Return the four (dust node, z node, weight) around each galaxy."""
    z_place = np.log1p(z) / STEP_LN_1Z
    dust_place = np.interp(ebv_mag, EBV_INTERNAL_NODES_MAG, np.arange(len(EBV_INTERNAL_NODES_MAG)))
    z_low = np.minimum(z_place.astype(np.int64), n_z - 2)
    dust_low = np.minimum(dust_place.astype(np.int64), len(EBV_INTERNAL_NODES_MAG) - 2)
    z_share, dust_share = np.minimum(z_place - z_low, 1.0), dust_place - dust_low
    return [
        (dust_low + i, z_low + j, np.abs(1 - i - dust_share) * np.abs(1 - j - z_share))
        for i in (0, 1)
        for j in (0, 1)
    ]


def _interpolate(
    grid: Array, corners: list[Corner], rows: NDArray[np.int64], at_rest: bool = False
) -> Array:
    """Return the grid (D, Z, ...) at the galaxies of ``rows``, bilinear; shape (rows, ...)."""
    total = np.zeros((len(rows), *grid.shape[2:]))
    for dust, z, share in corners:
        node = grid[dust[rows], 0 if at_rest else z[rows]]
        total += node * share[rows].reshape(-1, *[1] * (grid.ndim - 2))
    return total
