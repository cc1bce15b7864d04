"""How a galaxy of given redshift, luminosity and population looks: type, own dust, structure.

The trends have physical reasons and numbers chosen here, not measured in a paper: luminous early
types are redder, luminous and nearby late types are earlier, discs seen edge on are dustier, and
spectra differ from the shapes in smooth modes of which the first goes with a hidden structure
(age and size go together). Independent diversity would be a floor that nobody could beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.galaxies import Galaxies

Array = NDArray[np.float64]


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
    sed_type = np.where(
        is_early, _early_type(z, abs_mag_r, spread), _late_type(z, abs_mag_r, spread)
    )
    dusty = rng.normal(size=n)
    return Galaxies(
        z=z,
        abs_mag_r=abs_mag_r,
        is_early=is_early,
        sed_type=sed_type,
        ebv_internal_mag=np.where(
            is_early, 0.01 * np.abs(dusty), _disc_dust_mag(abs_mag_r, cos_inclination, dusty)
        ),
        sed_modes=modes * np.asarray(settings["mode_rms"]),
        structure=structure,
        cos_inclination=cos_inclination,
    )


def _early_type(z: Array, abs_mag_r: Array, spread: Array) -> Array:
    """The red sequence: bluer (later) when fainter and when younger."""
    return np.clip(0.10 + 0.05 * (abs_mag_r + 21.5) + 0.15 * z + 0.06 * spread, 0.0, 0.9)


def _late_type(z: Array, abs_mag_r: Array, spread: Array) -> Array:
    """The blue cloud and the green valley: later when fainter and when younger."""
    return np.clip(1.4 + 0.25 * (abs_mag_r + 20.5) + 0.7 * z + 0.6 * spread, 0.4, 3.0)


def _disc_dust_mag(abs_mag_r: Array, cos_inclination: Array, dusty: Array) -> Array:
    """E(B-V) of a disc: more when luminous and edge on."""
    luminous = np.clip(1.0 - 0.2 * (abs_mag_r + 21.0), 0.3, 1.6)
    return 0.07 * luminous * (0.5 + 1.5 * (1 - cos_inclination) ** 2) * np.exp(0.4 * dusty)
