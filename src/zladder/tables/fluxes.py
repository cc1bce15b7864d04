"""Nanomaggies, the flux unit of SDSS, and what turns errors of fluxes into those of magnitudes."""

from __future__ import annotations

import numpy as np

NANOMAGGY_NAMES = ("nanomaggy", "nanomaggies", "nmgy")  # as units are written, in lower case
NANOMAGGY_ZERO_POINT_MAG = 22.5  # 2.5 log10(1e9): AB magnitude of one nanomaggy
NJY_PER_NANOMAGGY = 3631.0  # a maggy is 3631 Jy in the AB system (Fukugita et al. 1996)
MAG_PER_LN = 2.5 / np.log(10.0)  # d mag = -MAG_PER_LN * d flux / flux


def flux_factor(zero_point_mag: float) -> float:
    """Return nanomaggies per pixel value: 10^(0.4 (22.5 - zero point))."""
    return float(10.0 ** (0.4 * (NANOMAGGY_ZERO_POINT_MAG - zero_point_mag)))
