"""Hydrogen between the galaxies: what it takes from light bluer than Lyman alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Madau (1995, ApJ 441, 18), eq. 15 and its table of the Lyman series' first four lines
LINES_ANGSTROM = (1215.67, 1025.72, 972.54, 949.74)
COEFFICIENTS = (0.0036, 0.0017, 0.0012, 0.00093)
POWER = 3.46
LYMAN_LIMIT_ANGSTROM = 911.75


def transmission(wavelength_angstrom: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """Return the mean transmitted share at observed wavelengths, for a source at ``z``.

    Line blanketing after Madau (1995); shortward of the Lyman limit nothing passes (his
    continuum absorption leaves a few per cent, which no broad band here sees).

    Parameters
    ----------
    wavelength_angstrom
        Observed wavelengths, shape (W,).
    z
        The source's redshift.
    """
    depth = np.zeros_like(wavelength_angstrom)
    for line, coefficient in zip(LINES_ANGSTROM, COEFFICIENTS, strict=True):
        bluer = wavelength_angstrom < line * (1 + z)
        depth += bluer * coefficient * (wavelength_angstrom / line) ** POWER
    passes = wavelength_angstrom > LYMAN_LIMIT_ANGSTROM * (1 + z)
    return np.exp(-depth) * passes
