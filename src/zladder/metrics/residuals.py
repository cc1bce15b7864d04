"""Redshift residuals, with the medians and quartiles that many metrics share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def linear_quantile(ordered: Floats, level: float) -> Floats:
    """Return a quantile of values already sorted along the last axis, shape (...).

    Linear interpolation at rank ``level * (n - 1)``: the default of `numpy.quantile`.
    """
    rank = level * (ordered.shape[-1] - 1)
    low = int(rank)
    high = min(low + 1, ordered.shape[-1] - 1)
    return ordered[..., low] + (rank - low) * (ordered[..., high] - ordered[..., low])


def median(values: Floats) -> Floats:
    """Return the median along the last axis, shape (...); at least one value is needed."""
    n = values.shape[-1]
    middle = (n - 1) // 2, n // 2
    parted = np.partition(values, middle, axis=-1)
    return 0.5 * (parted[..., middle[0]] + parted[..., middle[1]])


@dataclass(frozen=True)
class Residuals:
    """Residuals of one sample, or of many resamples of it, along the last axis.

    Parameters
    ----------
    dz
        ``(z_phot - z_true) / (1 + z_true)``, shape (..., n), float64, finite.
    delta_z
        ``z_phot - z_true``, same shape.
    z_phot_std
        Each object's own uncertainty of z_phot, same shape, where the model gives one.
    """

    dz: Floats
    delta_z: Floats
    z_phot_std: Floats | None = None

    @classmethod
    def of(
        cls, z_phot: ArrayLike, z_true: ArrayLike, z_phot_std: ArrayLike | None = None
    ) -> Residuals:
        """Make residuals from redshifts, shapes (..., n) and (n,) or equal; all finite."""
        truth = np.asarray(z_true, dtype=np.float64)
        delta_z = np.asarray(z_phot, dtype=np.float64) - truth
        sigma = None
        if z_phot_std is not None:
            sigma = np.broadcast_to(np.asarray(z_phot_std, dtype=np.float64), delta_z.shape)
        return cls(delta_z / (1.0 + truth), delta_z, sigma)

    @property
    def n(self) -> int:
        """Number of objects."""
        return int(self.dz.shape[-1])

    def take(self, rows: NDArray[np.integer]) -> Residuals:
        """Return the residuals of resampled objects; rows (n_boot, n) adds an axis."""
        sigma = None if self.z_phot_std is None else self.z_phot_std[..., rows]
        return Residuals(self.dz[..., rows], self.delta_z[..., rows], sigma)

    @cached_property
    def ordered_dz(self) -> Floats:
        """The dz sorted along the last axis, shape (..., n)."""
        return np.sort(self.dz, axis=-1)

    @cached_property
    def median_dz(self) -> Floats:
        """Median of dz, shape (...)."""
        n = self.n
        return 0.5 * (self.ordered_dz[..., (n - 1) // 2] + self.ordered_dz[..., n // 2])

    @cached_property
    def centred_dz(self) -> Floats:
        """The dz minus their median, shape (..., n)."""
        return self.dz - self.median_dz[..., None]

    @cached_property
    def abs_dz(self) -> Floats:
        """Absolute dz, shape (..., n)."""
        return np.abs(self.dz)

    @cached_property
    def mad_dz(self) -> Floats:
        """Median absolute deviation of dz from its median, shape (...)."""
        return median(np.abs(self.centred_dz))

    @cached_property
    def interquartile_dz(self) -> Floats:
        """Q75 - Q25 of dz, shape (...)."""
        return linear_quantile(self.ordered_dz, 0.75) - linear_quantile(self.ordered_dz, 0.25)

    def biweight_u2(self, c: float) -> Floats:
        """Return min((dz - median)^2 / (c MAD)^2, 1), shape (..., n); at 1 weights vanish."""
        mad = np.where(self.mad_dz > 0, self.mad_dz, 1.0)
        with np.errstate(over="ignore"):  # a far outlier over a tiny MAD: its weight is 0
            return np.minimum((self.centred_dz / (c * mad)[..., None]) ** 2, 1.0)

    @cached_property
    def biweight_location(self) -> Floats:
        """Biweight location, c = 6 (Beers et al. 1990); the median where MAD = 0."""
        weight = (1.0 - self.biweight_u2(6.0)) ** 2
        shift = np.sum(self.centred_dz * weight, axis=-1) / np.sum(weight, axis=-1)
        return np.where(self.mad_dz > 0, self.median_dz + shift, self.median_dz)

    @cached_property
    def biweight_scale(self) -> Floats:
        """Root of the biweight midvariance, c = 9 (Beers et al. 1990); 0 where MAD = 0."""
        u2 = self.biweight_u2(9.0)
        above = np.sum((self.centred_dz * (1.0 - u2) ** 2) ** 2, axis=-1)
        below = np.abs(np.sum((1.0 - u2) * (1.0 - 5.0 * u2), axis=-1))
        scale = np.sqrt(self.n * above) / below
        return np.where(self.mad_dz > 0, scale, 0.0)
