"""A smooth field of Milky-Way dust over the sky, and the map of it that observers have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_WAVES = 64

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
    """

    wave_vectors: Array
    phases: Array

    def __call__(self, ra_deg: Array, dec_deg: Array) -> Array:
        """Return the field, mean 0 and variance 1 over the waves' draws; shape (N,)."""
        ra, dec = np.radians(ra_deg), np.radians(dec_deg)
        unit = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
        total = np.zeros(len(unit))
        for vector, phase in zip(self.wave_vectors, self.phases, strict=True):
            total += np.cos((unit * vector).sum(axis=1) + phase)
        return total * np.sqrt(2.0 / len(self.phases))


def draw_field(rng: np.random.Generator, settings: Mapping[str, Any]) -> DustField:
    """Draw a field with as much variance in each octave of scale between the two ends."""
    smallest, largest = settings["smallest_scale_deg"], settings["largest_scale_deg"]
    scale_deg = np.exp(rng.uniform(np.log(smallest), np.log(largest), N_WAVES))
    direction = rng.normal(size=(N_WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    vectors = direction * (2 * np.pi / np.radians(scale_deg))[:, None]
    return DustField(vectors, rng.uniform(0, 2 * np.pi, N_WAVES))


def true_ebv_mag(field: DustField, settings: Mapping[str, Any], ra: Array, dec: Array) -> Array:
    """Return E(B-V) in mag at positions in degrees: lognormal about the median."""
    return settings["median_ebv_mag"] * np.exp(settings["scatter_ln"] * field(ra, dec))


def stored_ebv_mag(
    error_field: DustField, settings: Mapping[str, Any], ra: Array, dec: Array, ebv_mag: Array
) -> Array:
    """Return E(B-V) as a map would list it: off by a relative error that is smooth, too."""
    return ebv_mag * (1.0 + settings["stored_relative_error"] * error_field(ra, dec))
