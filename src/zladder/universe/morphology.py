"""Shapes of galaxies: size, bulge and disc, inclination, and colours that differ between them.

Sizes follow the size-luminosity relations of the real sky with a scatter that goes with the
hidden `structure`, never one size for all: that would be a ruler, and give redshifts away. The
bulge has an earlier type and less dust than the whole; bulge and disc add up to the galaxy's
flux in each band exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray

from zladder.universe.galaxies import Galaxies
from zladder.universe.hankel import bulge_growth, disc_growth
from zladder.universe.photometry import PhotometryTable, magnitudes

# Shen et al. (2003, MNRAS 343, 978): eq. 14 for early types, log10 R/kpc = -0.4 a M + b
EARLY_SLOPE, EARLY_LEVEL = 0.60, -4.63
# eq. 15 for late types: -0.4 alpha M + (beta - alpha) log10(1 + 10^(-0.4 (M - M0))) + gamma;
# the constants are those that SkyPy's documentation quotes
LATE_ALPHA, LATE_BETA, LATE_GAMMA, LATE_M0 = 0.21, 0.53, -1.31, -20.52
# these radii are circularised, R sqrt(q); ours lie along the major axis: over the median sqrt(q)
# of a disc of thickness 0.2 seen at random (0.72), and of our early types (0.86)
MAJOR_OVER_CIRCULARISED = {"early": 1.22, "late": 1.33}
# van der Wel et al. (2014, ApJ 788, 28): at fixed stellar mass R goes as (1 + z)^-1.48 for early
# and ^-0.75 for late types; here at fixed luminosity, which is our simplification
SIZE_EVOLUTION = {"early": 1.48, "late": 0.75}
SIZE_Z = 0.1  # of the galaxies of Shen et al.
# chosen: the bulge's share is a beta law, of mean 0.67 in early types; in late types the mean
# falls along the sequence of types, from 0.31 (type 0.4) to 0.07 (irregular)
EARLY_SHARE, LATE_SHARE, LATE_SHARE_PER_TYPE = 0.67, 0.38, 0.55
SHARE_CONCENTRATION = {"early": 7.5, "late": 6.8}  # sum of the beta law's two parameters
BULGE_OVER_DISC_RADIUS = {"early": 0.7, "late": 0.3}  # chosen
DISC_THICKNESS = 0.2  # axis ratio of a disc seen edge on
BULGE_RATIO = (0.8, 0.12, 0.45)  # mean, scatter and least axis ratio
BULGE_TYPE_FACTOR = 0.35  # its type over the whole galaxy's
BULGE_DUST_FACTOR = 0.3  # its dust over the whole galaxy's
N_HALVINGS = 40

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shapes:
    """Shapes of N galaxies.

    Attributes
    ----------
    half_light_radius_kpc
        Of the whole, seen face on, in the rest r band.
    half_light_radius_arcsec
        The same as an angle.
    bulge_share
        The bulge's share of the light in the rest r band.
    disc_radius_arcsec, bulge_radius_arcsec
        Half-light radii along the major axis.
    disc_axis_ratio, bulge_axis_ratio
        Minor over major axis.
    position_angle_deg
        Of the major axis, from north through east, in [0, 180).
    """

    half_light_radius_kpc: Array
    half_light_radius_arcsec: Array
    bulge_share: Array
    disc_radius_arcsec: Array
    bulge_radius_arcsec: Array
    disc_axis_ratio: Array
    bulge_axis_ratio: Array
    position_angle_deg: Array

    def part(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Shapes:
        """Return some rows."""
        return Shapes(*(getattr(self, field.name)[rows] for field in fields(self)))


def join_shapes(parts: list[Shapes]) -> Shapes:
    """Return several sets as one, in order."""
    return Shapes(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Shapes))
    )


def draw_shapes(
    rng: np.random.Generator, settings: Mapping[str, Any], galaxies: Galaxies
) -> Shapes:
    """Give galaxies their shapes.

    Parameters
    ----------
    rng
        Source of the draws.
    settings
        ``size_scatter_ln``: scatter of ln R at given luminosity and class.
    galaxies
        N of them.
    """
    early, n = galaxies.is_early, len(galaxies.z)
    radius_kpc = mean_radius_kpc(early, galaxies.abs_mag_r, galaxies.z)
    radius_kpc = radius_kpc * np.exp(settings["size_scatter_ln"] * galaxies.structure)
    radius_arcsec = radius_kpc / kpc_per_arcsec(galaxies.z)
    share = rng.beta(*bulge_share_law(early, galaxies.sed_type))
    ratio = np.where(early, *BULGE_OVER_DISC_RADIUS.values()) * np.exp(0.15 * rng.normal(size=n))
    disc_radius = radius_arcsec / half_light_over_disc_radius(share, ratio)
    mean, scatter, least = BULGE_RATIO
    return Shapes(
        half_light_radius_kpc=radius_kpc,
        half_light_radius_arcsec=radius_arcsec,
        bulge_share=share,
        disc_radius_arcsec=disc_radius,
        bulge_radius_arcsec=ratio * disc_radius,
        disc_axis_ratio=disc_axis_ratio(galaxies.cos_inclination),
        bulge_axis_ratio=np.clip(mean + scatter * rng.normal(size=n), least, 1.0),
        position_angle_deg=rng.uniform(0.0, 180.0, n),
    )


def disc_axis_ratio(cos_inclination: Array) -> Array:
    """Return the axis ratio of a disc of `DISC_THICKNESS` at an inclination, in the input's shape.

    That of an oblate spheroid (Hubble 1926, ApJ 64, 321): q^2 = t^2 + (1 - t^2) cos^2 i.
    """
    flat = DISC_THICKNESS**2
    return np.sqrt(flat + (1 - flat) * cos_inclination**2)


def bulge_share_law(is_early: NDArray[np.bool_], sed_type: Array) -> tuple[Array, Array]:
    """Return the parameters a, b of the beta law of the bulge's share, shape (N,) each."""
    mean = np.where(is_early, EARLY_SHARE, LATE_SHARE * np.exp(-LATE_SHARE_PER_TYPE * sed_type))
    total = np.where(is_early, *SHARE_CONCENTRATION.values())
    return mean * total, (1 - mean) * total


def mean_radius_kpc(is_early: NDArray[np.bool_], abs_mag_r: Array, z: Array) -> Array:
    """Return the mean half-light radius along the major axis, shape (N,).

    Shen et al. (2003) near z = 0.1, made elliptical, smaller at earlier times.
    """
    early = -0.4 * EARLY_SLOPE * abs_mag_r + EARLY_LEVEL
    bright = np.log10(1 + 10 ** (-0.4 * (abs_mag_r - LATE_M0)))
    late = -0.4 * LATE_ALPHA * abs_mag_r + (LATE_BETA - LATE_ALPHA) * bright + LATE_GAMMA
    level = np.where(is_early, *MAJOR_OVER_CIRCULARISED.values())
    shrinking = ((1 + z) / (1 + SIZE_Z)) ** -np.where(is_early, *SIZE_EVOLUTION.values())
    return 10 ** np.where(is_early, early, late) * level * shrinking


def circularised_radius_arcsec(shapes: Shapes) -> Array:
    """Return the radius sqrt(a b) that holds half of the light, shape (N,).

    Bulge and disc are each made round at the same area: good to 1 % where their axis ratios
    differ. This is how surveys list sizes, and what Shen et al. (2003) give.
    """
    disc = shapes.disc_radius_arcsec * np.sqrt(shapes.disc_axis_ratio)
    bulge = shapes.bulge_radius_arcsec * np.sqrt(shapes.bulge_axis_ratio)
    return disc * half_light_over_disc_radius(shapes.bulge_share, bulge / disc)


def kpc_per_arcsec(z: Array) -> Array:
    """Return Planck18's proper transverse scale, through a table good to 1e-4; z 1e-4 to 10."""
    return np.exp(np.interp(np.log(z), *_scale_nodes()))


@cache
def _scale_nodes() -> tuple[Array, Array]:
    log_z = np.linspace(np.log(1e-4), np.log(10.0), 2000)
    arcmin = Planck18.kpc_proper_per_arcmin(np.exp(log_z)).value
    return log_z, np.log(np.asarray(arcmin, dtype=np.float64) / 60.0)


def half_light_over_disc_radius(bulge_share: Array, bulge_over_disc: Array) -> Array:
    """Return the half-light radius of bulge plus disc in units of the disc's, shape (N,).

    Solved by halving: the growth curve of the sum reaches one half.
    """
    low, high = np.minimum(bulge_over_disc, 1.0), np.maximum(bulge_over_disc, 1.0)
    for _ in range(N_HALVINGS):
        middle = 0.5 * (low + high)
        inside = bulge_share * bulge_growth(middle / bulge_over_disc)
        inside = inside + (1 - bulge_share) * disc_growth(middle)
        low, high = np.where(inside < 0.5, middle, low), np.where(inside < 0.5, high, middle)
    return 0.5 * (low + high)


def bulge_light_share(
    table: PhotometryTable, galaxies: Galaxies, bulge_share: Array, magnitude: Array
) -> Array:
    """Return the bulge's share of the light in each band, shape (N, B), within [0, 1].

    Parameters
    ----------
    table
        The bands.
    galaxies, bulge_share
        Shape (N,): the wholes, and their bulges' shares in the rest r band.
    magnitude
        Shape (N, B): the wholes' magnitudes without Milky-Way dust.
    """
    with np.errstate(divide="ignore"):
        fainter_mag = -2.5 * np.log10(bulge_share)
    bulges = replace(
        galaxies,
        abs_mag_r=galaxies.abs_mag_r + fainter_mag,
        sed_type=BULGE_TYPE_FACTOR * galaxies.sed_type,
        ebv_internal_mag=BULGE_DUST_FACTOR * galaxies.ebv_internal_mag,
    )
    bulge_magnitude, _ = magnitudes(table, bulges)
    return np.clip(10 ** (-0.4 * (bulge_magnitude - magnitude)), 0.0, 1.0)
