"""Separations against what position errors say: histogram, Rayleigh curve, strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zladder.catalogs.match_zones import Array

BINS = 40
MOST_SIGMAS = 5.0  # of the histogram of normalised separations
FAR_SIGMAS = 3.0  # beyond which a Rayleigh variable lies with probability exp(-4.5), 1.1 %
_MOST_CURVES = 2000  # errors that the expected curve is the mean of


def separation_histogram(
    found: Array, odd: Array, weight: Array, radius_arcsec: float, sigma: Array | float
) -> dict[str, Any]:
    """Return how many pairs there are in bins of separation, and what is expected.

    Parameters
    ----------
    found
        Shape (P,): separations of the pairs, arcsec.
    odd, weight
        Shape (K,): separations of strangers, and how many pairs each stands for.
    radius_arcsec
        The last edge.
    sigma
        Errors of the separations along one axis, arcsec: shape (P,), or one for all that was
        fitted (`fit_sigma`).

    Returns
    -------
    dict
        ``edges_arcsec`` and per bin ``found``, ``expected_true`` (Rayleigh, cut at the radius),
        ``expected_false``; ``sigma_arcsec`` and whether it was fitted; shares beyond 3 sigma.
    """
    edges = np.linspace(0.0, radius_arcsec, BINS + 1)
    n_true = max(len(found) - float(weight.sum()), 0.0)
    false = np.histogram(odd, edges, weights=weight)[0].clip(0.0)
    sigmas = np.atleast_1d(sigma)
    sigmas = np.sort(sigmas)[:: max(1, len(sigmas) // _MOST_CURVES)]
    below = rayleigh_below(edges[:, None], sigmas, radius_arcsec).mean(axis=1)
    beyond = found > FAR_SIGMAS * sigma
    typical = float(np.sqrt(np.mean(sigmas**2))) if len(sigmas) else None
    return {
        "edges_arcsec": edges.tolist(),
        "found": np.histogram(found, edges)[0].tolist(),
        "expected_true": (n_true * np.diff(below)).tolist(),
        "expected_false": false.tolist(),
        "sigma_arcsec": typical if typical and np.isfinite(typical) else None,
        "sigma_fitted": np.ndim(sigma) == 0,
        "share_beyond_3_sigma": float(beyond.mean()) if len(found) else None,
    }


def normalised_histogram(separation_sigma: Array) -> dict[str, Any]:
    """Return how many pairs there are in bins of separation over error, and Rayleigh's share."""
    edges = np.linspace(0.0, MOST_SIGMAS, BINS + 1)
    below = 1 - np.exp(-(edges**2) / 2)
    return {
        "edges_sigma": edges.tolist(),
        "found": np.histogram(separation_sigma, edges)[0].tolist(),
        "expected": (len(separation_sigma) * np.diff(below)).tolist(),
        "n_beyond": int((separation_sigma > MOST_SIGMAS).sum()),
    }


def rayleigh_below(x: Array, sigma: Array, radius: float) -> Array:
    """Return the probability of a separation below x, given one below the radius."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        whole = -np.expm1(-(radius**2) / (2 * sigma**2))
        return np.where(whole > 0, -np.expm1(-(x**2) / (2 * sigma**2)) / whole, (x / radius) ** 2)


def fit_sigma(found: Array, odd: Array, weight: Array, radius_arcsec: float) -> float:
    """Return the error along one axis whose Rayleigh curve has the median of the true pairs.

    The median separation of the pairs less the strangers, x, is that of a Rayleigh variable cut
    at the radius R: 1 - exp(-x²/2s²) = (1 - exp(-R²/2s²)) / 2, solved by iteration. A median
    hardly minds the flat background of strangers, less so what is left of it, nor a few outliers.

    Returns
    -------
    float
        arcsec; NaN without a pair, or where the median is as far out as strangers' (R/√2).
    """
    if not len(found):
        return float("nan")
    inner = np.sort(found)
    order = np.argsort(odd)
    strange = np.concatenate([[0.0], np.cumsum(weight[order])])
    true = np.arange(1, len(inner) + 1) - strange[np.searchsorted(odd[order], inner, "right")]
    half = float(inner[np.argmax(true >= true[-1] / 2)])
    if half >= radius_arcsec / np.sqrt(2):
        return float("nan")
    variance = max(half, 1e-12) ** 2 / (2 * np.log(2))
    for _ in range(100):
        inside = -np.expm1(-(radius_arcsec**2) / (2 * variance))
        variance = half**2 / (-2 * np.log1p(-inside / 2)) if half else variance
    return float(np.sqrt(variance))
