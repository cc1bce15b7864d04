"""How a galaxy of given redshift, luminosity and population looks: type, own dust, structure.

The trends have physical reasons and numbers chosen here, not measured in a paper: luminous early
types are redder, luminous and nearby late types are earlier, discs seen edge on are dustier, and
spectra differ from the shapes in smooth modes of which the first goes with a hidden structure
(age and size go together). Independent diversity would be a floor that nobody could beat.

Each trend is a law that can be drawn from (`dress`) and looked up (the oracle does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.universe.galaxies import Galaxies

EARLY_DUST_MAG = 0.01  # scale of the half normal E(B-V) of early types
LATE_DUST_SCATTER_LN = 0.4
# the red sequence of the real main sample is bluer at z = 0.2 than the redshifted elliptical shape
# by 0.08 mag in g - r: its stars are younger then
EARLY_YOUNGER_UNTIL_Z = 0.6

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TypeLaw:
    """A normal law of the type, with what lies beyond its ends at them; arrays of one shape."""

    mean: Array
    scatter: Array
    lowest: Array
    highest: Array

    def draw(self, standard_normal: Array) -> Array:
        """Return types for standard normal numbers of the law's shape."""
        return np.clip(self.mean + self.scatter * standard_normal, self.lowest, self.highest)


def type_law(is_early: NDArray[np.bool_], z: Array, abs_mag_r: Array) -> TypeLaw:
    """Return the law of the type at a class, redshift and luminosity, shape (N,) each.

    The red sequence is bluer (later) when fainter and younger, the blue cloud with its green
    valley later when fainter and younger.
    """
    early = 0.10 + 0.05 * (abs_mag_r + 21.5) + 0.5 * np.minimum(z, EARLY_YOUNGER_UNTIL_Z)
    late = 1.4 + 0.25 * (abs_mag_r + 20.5) + 0.7 * z
    return TypeLaw(
        mean=np.where(is_early, early, late),
        scatter=np.where(is_early, 0.045, 0.6),
        lowest=np.where(is_early, 0.0, 0.4),
        highest=np.where(is_early, 0.9, 3.0),
    )


def median_disc_dust_mag(abs_mag_r: Array, cos_inclination: Array) -> Array:
    """Return the median E(B-V) of discs: more when luminous and edge on; lognormal about it."""
    luminous = np.clip(1.0 - 0.2 * (abs_mag_r + 21.0), 0.3, 1.6)
    return 0.07 * luminous * (0.5 + 1.5 * (1 - cos_inclination) ** 2)


def dress(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    is_early: NDArray[np.bool_],
    z: Array,
    abs_mag_r: Array,
) -> Galaxies:
    """Give each galaxy its type, dust, modes, structure and inclination.

    Parameters
    ----------
    rng
        Source of the draws.
    settings
        ``mode_rms`` (three relative amplitudes), ``structure_correlation`` (of the first mode).
    is_early, z, abs_mag_r
        Shape (N,) each.
    """
    n = len(z)
    cos_inclination = rng.random(n)
    structure = rng.normal(size=n)
    modes = rng.normal(size=(n, 3))
    link = settings["structure_correlation"]
    modes[:, 0] = link * structure + np.sqrt(1 - link**2) * modes[:, 0]
    spread = rng.normal(size=n)
    dusty = rng.normal(size=n)
    disc_dust = median_disc_dust_mag(abs_mag_r, cos_inclination)
    return Galaxies(
        z=z,
        abs_mag_r=abs_mag_r,
        is_early=is_early,
        sed_type=type_law(is_early, z, abs_mag_r).draw(spread),
        ebv_internal_mag=np.where(
            is_early,
            EARLY_DUST_MAG * np.abs(dusty),
            disc_dust * np.exp(LATE_DUST_SCATTER_LN * dusty),
        ),
        sed_modes=modes * np.asarray(settings["mode_rms"]),
        structure=structure,
        cos_inclination=cos_inclination,
    )
