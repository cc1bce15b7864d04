"""Milky-Way dust: its law."""

from __future__ import annotations

import numpy as np
from astropy import units
from dust_extinction.parameter_averages import F99
from numpy.typing import NDArray

R_V = 3.1
# E(B-V) is on the scale of Schlegel, Finkbeiner & Davis (1998), which Schlafly & Finkbeiner
# (2011, ApJ 737, 103) find 14 % too large for this law
SFD_SCALE = 0.86

Array = NDArray[np.float64]


def extinction_curve(wavelength_angstrom: Array) -> Array:
    """Return A(wavelength) / E(B-V), both in mag: Fitzpatrick (1999) with R_V = 3.1.

    Raises
    ------
    ValueError
        By dust_extinction, outside 0.1-3.3 micron.
    """
    wave = np.asarray(wavelength_angstrom, dtype=np.float64) * units.AA
    return SFD_SCALE * R_V * np.asarray(F99(Rv=R_V)(wave), dtype=np.float64)
