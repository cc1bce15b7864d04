"""Residual curves in bins (a, b], their slopes, and the distances between two n(z).

A curve against z_true and one against z_phot are different biases and cannot both be flat (Lin et
al. 2022): show both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zladder.metrics.residuals import Floats, Residuals
from zladder.metrics.variance import smoothed_variance

MIN_IN_BIN = 30  # fewer objects: drawn hollow, left out of fits


@dataclass(frozen=True)
class Curve:
    """Mean residual per bin; all arrays have shape (n_bins,).

    ``lo, hi`` are the edges of (lo, hi]; ``x`` the mean abscissa of the bin's objects, weighted as
    the residuals are, NaN in an empty bin; ``n`` the number of objects; ``value`` the mean dz and
    ``err`` its error, NaN where there are too few; ``hollow`` marks n < 30; ``n_outside`` counts
    the objects in no bin.
    """

    lo: Floats
    hi: Floats
    x: Floats
    n: NDArray[np.int64]
    value: Floats
    err: Floats
    hollow: NDArray[np.bool_]
    n_outside: int


@dataclass(frozen=True)
class LineFit:
    """A weighted line through the bins of a curve that hold 30 objects or more."""

    slope: float
    slope_err: float
    intercept: float
    n_bins: int


def checked_edges(edges: ArrayLike) -> Floats:
    """Return bin edges (n_bins + 1,) as float64; ValueError unless they increase strictly."""
    array = np.asarray(edges, dtype=np.float64)
    if array.ndim != 1 or array.size < 2 or not np.all(np.diff(array) > 0):
        message = f"bin edges must be two or more and increase strictly, not {array}"
        raise ValueError(message)
    return array


def bin_index(values: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of each value, shape (n,): k for edges[k] < value <= edges[k + 1].

    Values at or below the first edge give -1, above the last n_bins; NaN gives -1.
    """
    array = np.asarray(values, dtype=np.float64)
    index = np.searchsorted(checked_edges(edges), array, side="left").astype(np.int64) - 1
    index[np.isnan(array)] = -1
    return index


def _curve(x: Floats, dz: Floats, edges: Floats, weight: Floats | None) -> Curve:
    """Bin dz over x with weights 1/v_i (error sqrt(1/sum)), or plainly (error std/sqrt(n-1))."""
    index, n_bins = bin_index(x, edges), len(edges) - 1
    inside = (index >= 0) & (index < n_bins) & np.isfinite(dz)
    index, x, dz = index[inside], x[inside], dz[inside]
    w = np.ones(len(dz)) if weight is None else weight[inside]

    def total(values: Floats) -> Floats:
        return np.bincount(index, values, minlength=n_bins).astype(np.float64)

    n = np.bincount(index, minlength=n_bins)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0/0: a bin with too few is NaN
        value, centre = total(w * dz) / total(w), total(w * x) / total(w)
        if weight is None:
            err = np.sqrt(total((dz - value[index]) ** 2) / n / (n - 1))
        else:
            err = np.where(n > 0, np.sqrt(1.0 / total(w)), np.nan)
    n_outside = int(np.count_nonzero(~inside))
    return Curve(edges[:-1], edges[1:], centre, n, value, err, n < MIN_IN_BIN, n_outside)


def mean_curve(x: ArrayLike, dz: ArrayLike, edges: ArrayLike) -> Curve:
    """Return the plain mean of dz in bins of x; the error is std(ddof = 0) / sqrt(n - 1).

    Parameters
    ----------
    x
        z_true, z_phot, a magnitude (mag), a colour or E(B-V) (mag), shape (n,).
    dz
        Shape (n,); objects that are not finite are counted in ``n_outside``.
    edges
        Shape (n_bins + 1,), in the unit of x.
    """
    arrays = np.asarray(x, dtype=np.float64), np.asarray(dz, dtype=np.float64)
    return _curve(*arrays, checked_edges(edges), None)


def residual_against_z_phot(z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike) -> Curve:
    """Return the plain mean dz in bins of z_phot (Lin et al. 2022); shapes (n,)."""
    return mean_curve(z_phot, Residuals.of(z_phot, z_true).dz, edges)


def residual_against_z_true(
    z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike, magnitude: ArrayLike | None = None
) -> Curve:
    """Return the inverse-variance weighted mean dz in bins of z_true (Lin et al. 2022).

    Weights 1 / v_i with v_i = variance_i / (1 + z_i)^2 and the variance of `smoothed_variance`
    over the range of the edges; the error is sqrt(1 / sum(1 / v_i)). Shapes (n,); z_phot, z_true
    finite; ``magnitude`` (mag) makes the variance depend on it.
    """
    truth, bounds = np.asarray(z_true, dtype=np.float64), checked_edges(edges)
    variance = smoothed_variance(z_phot, truth, (bounds[0], bounds[-1]), magnitude)
    return _curve(truth, Residuals.of(z_phot, truth).dz, bounds, (1.0 + truth) ** 2 / variance)


def fit_line(curve: Curve) -> LineFit:
    """Fit value = slope x + intercept by least squares with weights 1/err^2.

    Hollow bins, and bins whose error is not positive, are left out; ``n_bins`` tells how many
    remain. The slope's error takes err as it stands; fewer than two bins give NaN.
    """
    used = ~curve.hollow & (np.nan_to_num(curve.err) > 0)
    x, y, w = curve.x[used], curve.value[used], 1.0 / curve.err[used] ** 2
    if len(x) < 2:
        return LineFit(float("nan"), float("nan"), float("nan"), len(x))
    x_mean, y_mean = np.average(x, weights=w), np.average(y, weights=w)
    spread = np.sum(w * (x - x_mean) ** 2)
    slope = np.sum(w * (x - x_mean) * (y - y_mean)) / spread
    return LineFit(
        float(slope), float(spread**-0.5), float(y_mean - slope * x_mean), int(used.sum())
    )


def slope_zs(
    z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike, magnitude: ArrayLike | None = None
) -> LineFit:
    """Return the slope of the mean residual against z_true, metric id ``slope_zs``."""
    return fit_line(residual_against_z_true(z_phot, z_true, edges, magnitude))


def slope_zp(z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike) -> LineFit:
    """Return the slope of the mean residual against z_phot, metric id ``slope_zp``."""
    return fit_line(residual_against_z_phot(z_phot, z_true, edges))
