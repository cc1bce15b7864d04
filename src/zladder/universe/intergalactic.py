"""Hydrogen between the galaxies: what it takes from light bluer than Lyman alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Madau (1995, ApJ 441, 18), eq. 15 and its table of the Lyman series' first four lines
LINES_ANGSTROM = (1215.67, 1025.72, 972.54, 949.74)
COEFFICIENTS = (0.0036, 0.0017, 0.0012, 0.00093)
POWER = 3.46
LYMAN_LIMIT_ANGSTROM = 911.75


Array = NDArray[np.float64]


def transmission(
    wavelength_angstrom: Array, z: float, cells_angstrom: tuple[Array, Array] | None = None
) -> Array:
    """Return the mean transmitted share at observed wavelengths, for a source at ``z``.

    Line blanketing after Madau (1995); shortward of the Lyman limit nothing passes (his
    continuum absorption leaves a few per cent, which no broad band here sees).

    Parameters
    ----------
    wavelength_angstrom
        Observed wavelengths, shape (W,).
    z
        The source's redshift.
    cells_angstrom
        Lower and upper ends, shape (W,) each, of the cells that the wavelengths stand for in a
        sum. A cell that a line or the limit lies in then counts by the share on either side: a
        sum of cells does not jump when the source's redshift moves the limit across one.
    """
    passes = np.ones_like(wavelength_angstrom)
    for line, coefficient in zip(LINES_ANGSTROM, COEFFICIENTS, strict=True):
        bluer = 1 - _redder(line * (1 + z), wavelength_angstrom, cells_angstrom)
        depth = coefficient * (wavelength_angstrom / line) ** POWER
        passes *= 1 - bluer * -np.expm1(-depth)
    return passes * _redder(LYMAN_LIMIT_ANGSTROM * (1 + z), wavelength_angstrom, cells_angstrom)


def _redder(edge: float, wave: Array, cells: tuple[Array, Array] | None) -> Array:
    """Return the share of each cell that is not bluer than an edge; of a point, 0 or 1."""
    if cells is None:
        return (wave >= edge).astype(np.float64)
    lower, upper = cells
    return np.clip((upper - edge) / (upper - lower), 0.0, 1.0)
