"""One redshift from a density; ``z`` (n_grid,) and normalised ``p`` (n_objects, n_grid).

For classes give ``class_centres(bin_edges)`` as z to `z_mode`, and use `class_mean`.
"""

from __future__ import annotations

import numpy as np

from zladder.pdf.grid import Floats, at, class_centres, cumulative, integral, quantile

TANAKA_GAMMA = 0.15  # Tanaka et al. 2018, PASJ 70, S9
PEAK_FRACTION = 0.05  # Dahlen et al. 2013, ApJ 775, 93: where the main peak ends
CONF_HALF_WIDTH = 0.03  # DMTN-049


def z_mode(z: Floats, p: Floats) -> Floats:
    """Return the redshift of the highest density, shape (n_objects,); ties go to the lowest."""
    return z[np.argmax(p, axis=1)]


def z_mean(z: Floats, p: Floats) -> Floats:
    """Return the mean redshift, the trapezoid integral of z p(z), shape (n_objects,)."""
    return integral(z, z * p) / integral(z, p)


def class_mean(bin_edges: Floats, pmf: Floats) -> Floats:
    """Return the mean redshift of a PMF (n_objects, n_bins) with classes at their centres."""
    return pmf @ class_centres(bin_edges) / pmf.sum(axis=1)


def z_median(z: Floats, p: Floats) -> Floats:
    """Return where the CDF is 1/2, linear between nodes, shape (n_objects,)."""
    return quantile(z, cumulative(z, p), 0.5)


def z_weight(z: Floats, p: Floats) -> Floats:
    """Return the mean over the main peak, shape (n_objects,) (Dahlen et al. 2013).

    The peak is the unbroken run of nodes about the mode with p > 0.05 p_peak; a peak of one node
    gives its redshift.
    """
    node, mode = np.arange(z.size), np.argmax(p, axis=1)[:, None]
    outside = p <= PEAK_FRACTION * p.max(axis=1, keepdims=True)
    start = np.max(np.where(outside & (node < mode), node, -1), axis=1, keepdims=True)
    stop = np.min(np.where(outside & (node > mode), node, z.size), axis=1, keepdims=True)
    inside = (node > start) & (node < stop)
    width = np.diff(z) * (inside[:, 1:] & inside[:, :-1])  # (n_objects, n_grid - 1)
    above = np.sum(width * (z[1:] * p[:, 1:] + z[:-1] * p[:, :-1]), axis=1)
    below = np.sum(width * (p[:, 1:] + p[:, :-1]), axis=1)
    return np.divide(above, below, out=z_mode(z, p), where=below > 0)


def z_risk(z: Floats, p: Floats) -> Floats:
    """Return the grid redshift of least expected Tanaka loss, shape (n_objects,); ties lowest.

    The risk of z_p is the integral of P(z) L(z_p, z), L = 1 - 1 / (1 + (dz / 0.15)^2) with
    dz = (z_p - z) / (1 + z) (Tanaka et al. 2018). It holds an (n_grid, n_grid) matrix.
    """
    dz = (z[:, None] - z) / (1.0 + z)  # (candidate, truth)
    loss = 1.0 - 1.0 / (1.0 + (dz / TANAKA_GAMMA) ** 2)
    weight = np.zeros(z.size)  # of the trapezoid rule
    weight[1:] += 0.5 * np.diff(z)
    weight[:-1] += 0.5 * np.diff(z)
    return z[np.argmin(p @ (weight * loss).T, axis=1)]


def conf_003(z: Floats, p: Floats, z_phot: Floats) -> Floats:
    """Return the probability within 0.03 of z_phot (DMTN-049), shape (n_objects,).

    From the CDF, linear between nodes; the part of the window off the grid holds none.
    """
    cdf = cumulative(z, p)
    return at(z, cdf, z_phot + CONF_HALF_WIDTH) - at(z, cdf, z_phot - CONF_HALF_WIDTH)
