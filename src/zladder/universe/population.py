"""Where galaxies are: luminosity functions in comoving volume, drawn as deep as can be seen.

Two populations, early and late, each a Schechter function (1976, ApJ 203, 297, eq. 1) that
brightens and thins out with redshift, in the comoving volume of astropy's Planck18; early types
have a luminous tail beside it, a normal law of the magnitude, as the brightest galaxies of groups
and clusters have, which a Schechter function lacks. Only galaxies that a survey of the given
limit might select are drawn: for every redshift the faintest luminosity of interest is known, and
the draw is from the part of the function above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.special import ndtr

from zladder.universe.photometry import PhotometryTable, distance_modulus_mag, z_nodes

CLASSES = ("early", "late")
SHAPES_OF_CLASS = {"early": (0, 1), "late": (0, 1, 2, 3)}
FAINTEST_ABS_MAG_R = -13.0
Z_MIN = 0.003
SQUARE_DEGREE_SR = (np.pi / 180) ** 2
# relative magnitudes on which the functions are summed: 6 mag brighter than M*
STEP_MAG = 0.01
RELATIVE_MAG = np.arange(-6.0, 14.0, STEP_MAG)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """What there is to draw from, for one apparent magnitude limit.

    Attributes
    ----------
    z
        Redshift nodes, shape (Z,).
    limit_mag
        Per class, shape (2, Z): the faintest M_r - M* drawn.
    mstar_mag
        Shape (2, Z).
    cumulative_counts
        Shape (2, Z): galaxies per square degree below z.
    cumulative_function
        Shape (2, M): integral of the luminosity function from the bright end, phi* = 1.
    """

    z: Array
    limit_mag: Array
    mstar_mag: Array
    cumulative_counts: Array
    cumulative_function: Array

    @property
    def per_deg2(self) -> float:
        """Galaxies per square degree in the whole pool."""
        return float(self.cumulative_counts[:, -1].sum())


def schechter_cumulative(alpha: float) -> Array:
    """Return the integral of the Schechter function per magnitude, from bright to RELATIVE_MAG."""
    light = 10 ** (-0.4 * RELATIVE_MAG)
    density = 0.4 * np.log(10) * light ** (alpha + 1) * np.exp(-light)
    return np.asarray(cumulative_trapezoid(density, dx=STEP_MAG, initial=0.0), dtype=np.float64)


def luminosity_cumulative(lf: Mapping[str, Any]) -> Array:
    """Return the integral of a class's whole function over RELATIVE_MAG, per phi*; shape (M,).

    The Schechter function, and ``tail_share`` times a normal law of M - M* with mean
    ``tail_mag`` and standard deviation ``tail_scatter_mag``.
    """
    tail = ndtr((RELATIVE_MAG - lf["tail_mag"]) / lf["tail_scatter_mag"])
    return schechter_cumulative(lf["alpha"]) + lf["tail_share"] * (tail - tail[0])


def mstar_mag(lf: Mapping[str, Any], z: Array) -> Array:
    """Return M*_r(z): brightens by Q mag per unit z, up to a redshift."""
    return lf["mstar_mag"] - lf["q_mag_per_z"] * np.minimum(z, lf["q_until_z"])


def phistar_per_mpc3(lf: Mapping[str, Any], z: Array) -> Array:
    """Return phi*(z) per comoving Mpc^3: by P magnitudes of density per unit z."""
    return lf["phistar_per_mpc3"] * 10 ** (0.4 * lf["p_mag_per_z"] * z)


def make_pool(
    table: PhotometryTable,
    settings: Mapping[str, Any],
    band: str,
    limit_mag: float,
    margin_mag: float = 0.5,
) -> Pool:
    """Return the pool of galaxies that could be brighter than ``limit_mag`` in ``band``.

    The limit in luminosity is that of the shape which looks brightest, without own dust, with a
    margin for what mixing, modes and noise may add.
    """
    column = table.bands.index(band)
    z = z_nodes(table.z_max)
    z[0] = Z_MIN
    light = 10 ** (table.log_light[:, 0, :, column] - table.rest_log_light[:, :1])
    volume = _mpc3_per_sr(z) * SQUARE_DEGREE_SR
    limits, stars, counts, functions = [], [], [], []
    for name in CLASSES:
        lf = settings[name]
        brightest = light[list(SHAPES_OF_CLASS[name])].max(axis=0)
        faintest = limit_mag + margin_mag - distance_modulus_mag(z) + 2.5 * np.log10(brightest)
        star = mstar_mag(lf, z)
        limit = np.minimum(faintest, FAINTEST_ABS_MAG_R) - star
        function = luminosity_cumulative(lf)
        per_mpc3 = phistar_per_mpc3(lf, z) * np.interp(limit, RELATIVE_MAG, function, left=0.0)
        limits.append(limit)
        stars.append(star)
        functions.append(function)
        counts.append(cumulative_trapezoid(per_mpc3 * volume, z, initial=0.0))
    return Pool(z, np.array(limits), np.array(stars), np.array(counts), np.array(functions))


def _mpc3_per_sr(z: Array) -> Array:
    """Return the comoving volume per unit redshift and steradian, in Mpc^3."""
    return np.asarray(Planck18.differential_comoving_volume(z).value, dtype=np.float64)


def draw(pool: Pool, rng: np.random.Generator, n: int) -> tuple[NDArray[np.bool_], Array, Array]:
    """Draw ``n`` galaxies: whether early, redshift, absolute magnitude; each of shape (n,)."""
    totals = pool.cumulative_counts[:, -1]
    is_early = rng.random(n) < totals[0] / totals.sum()
    place, height = rng.random(n), rng.random(n)
    z, abs_mag_r = np.empty(n), np.empty(n)
    for index, members in enumerate((is_early, ~is_early)):
        z[members] = np.interp(
            place[members] * totals[index], pool.cumulative_counts[index], pool.z
        )
        limit = np.interp(z[members], pool.z, pool.limit_mag[index])
        function = pool.cumulative_function[index]
        reached = np.interp(limit, RELATIVE_MAG, function, left=0.0)
        relative = np.interp(height[members] * reached, function, RELATIVE_MAG)
        abs_mag_r[members] = relative + np.interp(z[members], pool.z, pool.mstar_mag[index])
    return is_early, z, abs_mag_r
