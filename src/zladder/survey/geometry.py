"""Places on the sky: fields, uniform positions, measured positions, distinct identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ARCSEC_PER_DEG = 3600.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """A box in right ascension and declination, as high as the root of its area.

    Attributes
    ----------
    ra_deg, dec_deg
        The centre (ICRS).
    area_deg2
        The area.
    """

    ra_deg: float
    dec_deg: float
    area_deg2: float

    @property
    def dec_range_deg(self) -> tuple[float, float]:
        """Lowest and highest declination."""
        half = 0.5 * np.sqrt(self.area_deg2)
        return self.dec_deg - half, self.dec_deg + half

    @property
    def ra_width_deg(self) -> float:
        """Width in right ascension that gives the area."""
        low, high = np.sin(np.radians(self.dec_range_deg))
        return float(np.radians(self.area_deg2) / (high - low))

    def contains(self, ra_deg: Array, dec_deg: Array) -> NDArray[np.bool_]:
        """Tell which positions lie inside; shape (N,)."""
        low, high = self.dec_range_deg
        offset = (ra_deg - self.ra_deg + 180.0) % 360.0 - 180.0
        return (np.abs(offset) <= self.ra_width_deg / 2) & (dec_deg >= low) & (dec_deg <= high)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Draw positions uniform on the sphere: ra and dec in degrees, shape (n,) each."""
        low, high = np.sin(np.radians(self.dec_range_deg))
        ra = self.ra_deg + self.ra_width_deg * (rng.random(n) - 0.5)
        return ra % 360.0, np.degrees(np.arcsin(rng.uniform(low, high, n)))


def draw_outside(
    field: Field, hole: Field, rng: np.random.Generator, n: int
) -> tuple[Array, Array]:
    """Draw positions in a field but not in a smaller one within it."""
    ra, dec = field.draw(rng, n)
    inside = hole.contains(ra, dec)
    while inside.any():
        ra[inside], dec[inside] = field.draw(rng, int(inside.sum()))
        inside = hole.contains(ra, dec)
    return ra, dec


def unit_vectors(ra_deg: Array, dec_deg: Array) -> Array:
    """Return unit vectors, shape (N, 3)."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def displaced(
    ra_deg: Array, dec_deg: Array, east_arcsec: Array | float, north_arcsec: Array | float
) -> tuple[Array, Array]:
    """Return positions moved by small angles on the sky, away from the poles."""
    dec = dec_deg + north_arcsec / ARCSEC_PER_DEG
    ra = ra_deg + east_arcsec / ARCSEC_PER_DEG / np.cos(np.radians(dec_deg))
    return ra % 360.0, dec


def measured(
    rng: np.random.Generator, ra_deg: Array, dec_deg: Array, error_arcsec: float | Array
) -> tuple[Array, Array]:
    """Return positions with a Gaussian error of the given size in each coordinate."""
    n = len(ra_deg)
    east, north = rng.normal(size=(2, n)) * error_arcsec
    return displaced(ra_deg, dec_deg, east, north)


def distinct_ids(rng: np.random.Generator, n: int, low: int, high: int) -> NDArray[np.int64]:
    """Draw ``n`` different identifiers, uniform in [low, high): they say nothing of the object."""
    ids = np.unique(rng.integers(low, high, size=n))
    while len(ids) < n:
        ids = np.unique(np.append(ids, rng.integers(low, high, size=n - len(ids))))
    return rng.permutation(ids)
