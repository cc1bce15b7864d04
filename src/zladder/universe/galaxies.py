"""Galaxies as columns: everything that decides how one looks, and nothing observed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Galaxies:
    """N galaxies; every array has N rows.

    Attributes
    ----------
    z
        Redshift.
    abs_mag_r
        Absolute AB magnitude in the rest SDSS r band, own dust included.
    is_early
        Whether it belongs to the early-type population.
    sed_type
        0 elliptical, 1 Sbc, 2 Scd, 3 irregular.
    ebv_internal_mag
        E(B-V) of its own dust.
    sed_modes
        Shape (N, 3): amplitudes of the modes of `spectra.mode_curves`.
    structure
        Standard normal; the hidden property that goes with the first mode (to be its size).
    cos_inclination
        1 face on, 0 edge on; edge-on late types are dustier.
    """

    z: Array
    abs_mag_r: Array
    is_early: NDArray[np.bool_]
    sed_type: Array
    ebv_internal_mag: Array
    sed_modes: Array
    structure: Array
    cos_inclination: Array

    def part(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Galaxies:
        """Return the galaxies of some rows."""
        columns = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return replace(self, **columns)


def join(parts: list[Galaxies]) -> Galaxies:
    """Return several sets as one, in order."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Galaxies)
    }
    return Galaxies(**columns)
