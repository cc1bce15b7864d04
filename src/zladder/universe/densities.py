"""The laws that galaxies are drawn from, as densities: what a judge of the sky looks up.

Everything is derived from the functions that `population.draw` and `appearance.dress` draw by.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from zladder.universe.appearance import (
    EARLY_DUST_MAG,
    LATE_DUST_SCATTER_LN,
    TypeLaw,
    median_disc_dust_mag,
)
from zladder.universe.population import RELATIVE_MAG, STEP_MAG, Pool

SMALLEST = 1e-300  # of a density, so that its logarithm is finite
DUST_MAG_R = np.arange(-27.0, -10.0, 0.25)  # where the dust of discs is tabulated
N_INCLINATIONS = 200

Array = NDArray[np.float64]


def log_counts(pool: Pool, index: int, z: Array) -> Array:
    """Return ln of the galaxies per unit redshift and square degree of one class, shape (N,).

    The pool counts galaxies below each node; their density is known halfway between two of them.
    """
    middle = 0.5 * (pool.z[1:] + pool.z[:-1])
    density = np.diff(pool.cumulative_counts[index]) / np.diff(pool.z)
    return np.interp(z, middle, np.log(np.maximum(density, SMALLEST)))


def log_luminosities(pool: Pool, index: int, z: Array, abs_mag_r: Array) -> Array:
    """Return ln of the share of a class's galaxies per magnitude at given redshifts, shape (N,).

    Galaxies fainter than the pool's limit are not drawn: there it is the logarithm of `SMALLEST`.
    """
    function = pool.cumulative_function[index]
    limit = np.interp(z, pool.z, pool.limit_mag[index])
    relative = abs_mag_r - np.interp(z, pool.z, pool.mstar_mag[index])
    reached = np.maximum(np.interp(limit, RELATIVE_MAG, function), SMALLEST)
    middle = RELATIVE_MAG[1:] - 0.5 * STEP_MAG
    density = np.log(np.maximum(np.diff(function) / STEP_MAG, SMALLEST))
    found = np.interp(relative, middle, density, left=np.log(SMALLEST))
    return np.where(relative <= limit, found - np.log(reached), np.log(SMALLEST))


def type_shares(law: TypeLaw, low: Array, high: Array) -> Array:
    """Return the share of a type law's galaxies with a type in [low, high), shape (N,).

    A cell of no width at an end of the law holds what is drawn beyond that end.
    """
    at_bottom = (low == high) & (low <= law.lowest)
    at_top = (low == high) & (high >= law.highest)
    upper = np.where(at_top, np.inf, (np.where(at_bottom, law.lowest, high) - law.mean))
    lower = np.where(at_bottom, -np.inf, (np.where(at_top, law.highest, low) - law.mean))
    return ndtr(upper / law.scatter) - ndtr(lower / law.scatter)


def early_dust_shares(edges_mag: Array) -> Array:
    """Return the share of early types with own E(B-V) in each cell, shape (cells,)."""
    below = 2 * ndtr(edges_mag / EARLY_DUST_MAG) - 1
    return np.diff(below)


def disc_dust_shares(edges_mag: Array, cos_inclination: Array | None = None) -> Array:
    """Return the share of late types with own E(B-V) in each cell, at `DUST_MAG_R`.

    Parameters
    ----------
    edges_mag
        Shape (cells + 1,), from 0 upwards.
    cos_inclination
        Shape (I,), or None for the mean over all inclinations.

    Returns
    -------
    Array
        Shape (I, M, cells), or (M, cells).
    """
    cosine = _cosines() if cos_inclination is None else cos_inclination
    median = median_disc_dust_mag(DUST_MAG_R, cosine[:, None])[..., None]
    with np.errstate(divide="ignore"):
        below = ndtr(np.log(edges_mag / median) / LATE_DUST_SCATTER_LN)
    shares = np.diff(below, axis=-1)
    return shares.mean(axis=0) if cos_inclination is None else shares


@cache
def _cosines() -> Array:
    """Return cosines of inclination in the middle of cells of even probability."""
    return (np.arange(N_INCLINATIONS) + 0.5) / N_INCLINATIONS
