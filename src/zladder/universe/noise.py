"""Noise of catalogue fluxes, and errors as an observer has them: from what was observed.

Fluxes are in nanojansky (AB zero point 31.4). The sky's noise follows from the depth, the
source's own from the brightness that gives one electron.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zladder.tables.fluxes import MAG_PER_LN

ZERO_POINT_NJY_MAG = 31.4  # 2.5 log10(3631e9 nJy), rounded as LSST does
DEPTH_SIGMAS = 5.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Depth:
    """How deep a survey sees, per band; arrays of shape (B,).

    Attributes
    ----------
    depth_5sigma_mag
        The magnitude whose flux is five times the sky's noise.
    electron_mag
        The magnitude that gives one electron in the exposure.
    zero_point_scatter_mag
        Scatter of the calibration from galaxy to galaxy; no error column knows of it.
    """

    depth_5sigma_mag: Array
    electron_mag: Array
    zero_point_scatter_mag: Array

    def columns(self, columns: NDArray[np.int64]) -> Depth:
        """Return the depth of some bands."""
        return Depth(
            self.depth_5sigma_mag[columns],
            self.electron_mag[columns],
            self.zero_point_scatter_mag[columns],
        )


def flux_njy(magnitude: Array) -> Array:
    """Return the flux in nanojansky of AB magnitudes."""
    return 10 ** (-0.4 * (magnitude - ZERO_POINT_NJY_MAG))


def sky_noise_njy(depth: Depth) -> Array:
    """Return the sky's standard deviation per band, shape (B,)."""
    return flux_njy(depth.depth_5sigma_mag) / DEPTH_SIGMAS


def noise_njy(flux: Array, depth: Depth) -> Array:
    """Return the standard deviation expected at a flux (N, B); a negative one counts as zero."""
    source_variance = np.maximum(flux, 0.0) * flux_njy(depth.electron_mag)
    return np.sqrt(sky_noise_njy(depth) ** 2 + source_variance)


def miscalibrated(rng: np.random.Generator, magnitude: Array, depth: Depth) -> Array:
    """Return magnitudes with the error of the zero point at each object, shape (N, B)."""
    return magnitude + rng.normal(size=magnitude.shape) * depth.zero_point_scatter_mag


def observe(rng: np.random.Generator, recorded: Array, depth: Depth) -> tuple[Array, Array]:
    """Return observed fluxes and their errors in nanojansky, shape (N, B) each.

    The noise is that of the recorded magnitudes (`miscalibrated`). The error is a function of
    the observed flux alone: one that knew the true flux would give it away.
    """
    true_flux = flux_njy(recorded)
    flux = true_flux + rng.normal(size=recorded.shape) * noise_njy(true_flux, depth)
    return flux, noise_njy(flux, depth)


def to_magnitudes(flux: Array, flux_error: Array) -> tuple[Array, Array]:
    """Return AB magnitudes and errors; NaN in both where the flux is not positive."""
    detected = flux > 0
    positive = np.where(detected, flux, 1.0)
    magnitude = ZERO_POINT_NJY_MAG - 2.5 * np.log10(positive)
    error = MAG_PER_LN * flux_error / positive
    return np.where(detected, magnitude, np.nan), np.where(detected, error, np.nan)
