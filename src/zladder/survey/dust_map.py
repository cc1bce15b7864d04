"""A field of Milky-Way dust over the sky, and the map of it that observers have.

The logarithm of E(B-V) is a Gaussian field whose angular power spectrum falls as a power of the
multipole between two scales, C_l ~ l^-2.9 by default: the cirrus at 100 micron has -3 (Gautier et
al. 1992, AJ 103, 1313) and -2.9 +- 0.2 (Miville-Deschenes et al. 2007, A&A 469, 595). The field is
a closed function of position: any part of the sky can be asked for, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_WAVES = 384  # fewer show as a lattice

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DustField:
    """A Gaussian field on the sphere's neighbourhood: a sum of plane waves in three dimensions.

    Attributes
    ----------
    wave_vectors
        Shape (K, 3), radians per radian of the unit vector.
    phases
        Shape (K,), radians.
    amplitudes
        Shape (K,): half the sum of their squares is 1.
    """

    wave_vectors: Array
    phases: Array
    amplitudes: Array

    def __call__(self, ra_deg: Array, dec_deg: Array) -> Array:
        """Return the field, mean 0 and variance 1 over the waves' draws; shape (N,)."""
        ra, dec = np.radians(ra_deg), np.radians(dec_deg)
        x, y, z = np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)
        total = np.zeros(len(x))
        waves = zip(self.wave_vectors, self.phases, self.amplitudes, strict=True)
        # no matrix product: its rounding would depend on the number of threads
        for (kx, ky, kz), phase, amplitude in waves:
            total += amplitude * np.cos(kx * x + ky * y + kz * z + phase)
        return total


def draw_field(rng: np.random.Generator, settings: Mapping[str, Any]) -> DustField:
    """Draw a field of the spectrum ``spectrum_slope`` between its two scales.

    A wave of wave number k in three dimensions shows all multipoles up to k on the sphere. Where
    a spectrum in space falls as k^-(slope + 1), that on the sphere falls as l^-slope; the
    variance in an interval of ln k is k^(2 - slope). The waves are even in ln k, one drawn in each
    of as many strata, and their amplitudes follow the variance.
    """
    smallest, largest = settings["smallest_scale_deg"], settings["largest_scale_deg"]
    place = (np.arange(N_WAVES) + rng.random(N_WAVES)) / N_WAVES
    scale_deg = largest * (smallest / largest) ** place
    direction = rng.normal(size=(N_WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    vectors = direction * (2 * np.pi / np.radians(scale_deg))[:, None]
    variance = scale_deg ** (settings["spectrum_slope"] - 2)
    amplitudes = np.sqrt(2 * variance / variance.sum())
    return DustField(vectors, rng.uniform(0, 2 * np.pi, N_WAVES), amplitudes)


def true_ebv_mag(field: DustField, settings: Mapping[str, Any], ra: Array, dec: Array) -> Array:
    """Return E(B-V) in mag at positions in degrees: lognormal about the median."""
    return settings["median_ebv_mag"] * np.exp(settings["scatter_ln"] * field(ra, dec))


def stored_ebv_mag(
    error_field: DustField, settings: Mapping[str, Any], ra: Array, dec: Array, ebv_mag: Array
) -> Array:
    """Return E(B-V) as a map would list it: off by a relative error that is smooth, too."""
    return ebv_mag * (1.0 + settings["stored_relative_error"] * error_field(ra, dec))
