"""The Fourier transforms of what the renderer paints: Sersic discs and bulges, Moffat seeing.

All are radial functions of the wave number, 1 at zero. A disc (n = 1) and a Moffat profile have
closed forms; a bulge (n = 4) is tabulated once, in 0.1 s. The table's nodes are evenly spaced
within each octave, as floating-point numbers are: the leading bits of a number are its place.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gammainc, gammaincinv, gammaln, j0, kv

# b_n of I(R) ~ exp(-b_n (R / R_e)^(1/n)): half of the light lies within R_e
DISC_B = float(gammaincinv(2.0, 0.5))
BULGE_B = float(gammaincinv(8.0, 0.5))
BULGE_OCTAVES = (-24, 24)  # of the bulge's table: powers of two of k^2, k in radians per R_e
BULGE_BITS = 10  # 2^10 places an octave: half a place is 3e-4 of the transform
LN_K_STEP = 0.02  # between the wave numbers at which it is computed
SERIES_FROM_K = 1.0  # below, the series loses digits; above, the integral oscillates
N_TERMS = 260
N_NODES = 20_001
LAST_NODE = 45.0

Array = NDArray[np.float64]


def disc_growth(radius: Array) -> Array:
    """Return the share of a disc's light within a radius, in half-light radii."""
    return gammainc(2.0, DISC_B * radius)


def bulge_growth(radius: Array) -> Array:
    """Return the share of a bulge's light within a radius, in half-light radii."""
    return gammainc(8.0, BULGE_B * radius**0.25)


def bulge_transform(k: Array) -> Array:
    """Return the transform of an n = 4 profile at wave numbers in radians per half-light radius.

    Below `SERIES_FROM_K` the Hankel integral over t = b r^(1/4), on even nodes; above it the
    series in powers of k^(-1/4) that follows from expanding the exponential and transforming
    each power of r (Gradshteyn & Ryzhik 6.561.14), which converges everywhere.

    Parameters
    ----------
    k
        Shape (K,), positive.

    Returns
    -------
    Array
        Shape (K,), good to 1e-7.
    """
    k = np.asarray(k, dtype=np.float64)
    small = k < SERIES_FROM_K
    result = np.empty_like(k)
    result[small] = _bulge_integral(k[small])
    result[~small] = _bulge_series(k[~small])
    return result


def _bulge_integral(k: Array) -> Array:
    t = np.linspace(0.0, LAST_NODE, N_NODES)
    weight = t**7 * np.exp(-t)
    weight /= weight.sum()
    radius = (t / BULGE_B) ** 4
    return np.array([np.sum(weight * j0(wave * radius)) for wave in k])


def _bulge_series(k: Array) -> Array:
    j = np.arange(1, N_TERMS)
    power = j * np.log(BULGE_B) - gammaln(j + 1) + 2 * gammaln(1 + j / 8) - np.log(np.pi)
    power = power + (j / 4 + 1) * np.log(2.0) - (j / 4 + 2) * np.log(k)[:, None]
    sign = -np.sin(np.pi * j / 8) * (-1.0) ** j  # 1 / Gamma(-j/8) by reflection
    norm = np.exp(8 * np.log(BULGE_B) - gammaln(8)) / 4
    return norm * np.sum(sign * np.exp(power), axis=1)


@cache
def bulge_table() -> Array:
    """Return the transform in the middle of each place of k^2, shape (48 * 2^10,).

    Place 0 begins at 2^-24; the numbers of a place share exponent and first ten binary digits.
    Between computed values the logarithm follows a cubic spline: it is smooth.
    """
    first, last = BULGE_OCTAVES
    within = 1 + (np.arange(2**BULGE_BITS) + 0.5) / 2**BULGE_BITS
    wave_squared = (2.0 ** np.arange(first, last)[:, None] * within).ravel()
    low, high = 0.5 * np.log(2.0) * np.array(BULGE_OCTAVES)
    nodes = np.linspace(low, high, round((high - low) / LN_K_STEP))
    spline = CubicSpline(nodes, np.log(bulge_transform(np.exp(nodes))))
    return np.exp(spline(0.5 * np.log(wave_squared)))


def moffat_scale(fwhm: float, beta: float) -> float:
    """Return the alpha of a Moffat profile (1 + r^2 / alpha^2)^-beta of given full width."""
    return fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))


def moffat_transform(k: Array, fwhm: float, beta: float) -> Array:
    """Return 2 (x/2)^(beta-1) K_(beta-1)(x) / Gamma(beta-1) with x = k alpha; 1 at k = 0."""
    x = np.maximum(k * moffat_scale(fwhm, beta), 1e-6)
    order = beta - 1
    return 2 * (x / 2) ** order * kv(order, x) / np.exp(gammaln(order))
