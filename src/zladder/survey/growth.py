"""Growth curves: the Petrosian radius and flux, and radii that hold a share of the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

# of the rings in which SDSS averages profiles (Stoughton et al. 2002, AJ 123, 485)
PROFILE_RADII_ARCSEC = (0.23, 0.68, 1.03, 1.76, 3.00, 4.63, 7.43, 11.42)
# Blanton et al. (2001, AJ 121, 2358): ratio in the ring from 0.8 to 1.25 R, flux within 2 R
PETROSIAN_RATIO, RING, N_RADII = 0.2, (0.8, 1.25), 2.0
LEAST_RADIUS_ARCSEC = 1.0
STEP_ARCSEC = 0.02

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Growth:
    """Light within circles of every radius, of N objects in B bands.

    Attributes
    ----------
    radius_arcsec
        Shape (K,): even steps from 0 to the largest circle measured.
    flux
        Shape (N, B, K).
    """

    radius_arcsec: Array
    flux: Array

    def at(self, radius_arcsec: Array) -> Array:
        """Return the flux within a radius of each object, shape (N, B)."""
        place = np.clip(radius_arcsec / STEP_ARCSEC, 0, len(self.radius_arcsec) - 1.001)
        node = place.astype(np.int64)
        share = (place - node)[:, None]
        rows = np.arange(len(node))
        low, high = self.flux[rows, :, node], self.flux[rows, :, node + 1]
        return low + share * (high - low)


def grown(sums: Array) -> Growth:
    """Return the curves through the sums within `PROFILE_RADII_ARCSEC`, shape (N, B, 8)."""
    knots = np.concatenate([[0.0], PROFILE_RADII_ARCSEC])
    values = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    radius = np.arange(0.0, PROFILE_RADII_ARCSEC[-1] + STEP_ARCSEC / 2, STEP_ARCSEC)
    return Growth(radius, PchipInterpolator(knots, values, axis=-1)(radius))


def petrosian_radius_arcsec(growth: Growth, band: int) -> Array:
    """Return the radius at which the surface brightness is a fifth of the mean within; (N,).

    The first beyond `LEAST_RADIUS_ARCSEC`; the largest that the curve allows where there is none.
    """
    last = PROFILE_RADII_ARCSEC[-1] / RING[1]
    radius = np.arange(LEAST_RADIUS_ARCSEC, last, STEP_ARCSEC)
    curve = growth.flux[:, band]
    inner, outer, within = (
        curve[:, np.round(factor * radius / STEP_ARCSEC).astype(np.int64)]
        for factor in (*RING, 1.0)
    )
    area_ratio = RING[1] ** 2 - RING[0] ** 2
    below = (outer - inner) / area_ratio <= PETROSIAN_RATIO * within
    first = np.where(below.any(axis=1), below.argmax(axis=1), len(radius) - 1)
    return radius[first]


def radius_of_share_arcsec(growth: Growth, band: int, flux: Array, share: float) -> Array:
    """Return the first radius that holds a share of a flux, shape (N,); NaN if flux is <= 0."""
    reached = growth.flux[:, band] >= share * flux[:, None]
    radius = growth.radius_arcsec[reached.argmax(axis=1)]
    return np.where((flux > 0) & reached.any(axis=1), radius, np.nan)
