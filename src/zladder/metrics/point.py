"""The point metrics, each under its id; all work along the last axis of the residuals.

Comparisons with a threshold are strict, standard deviations have ddof = 0, quantiles are linear,
and fewer than two objects give NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zladder.metrics.normal import IQR_FACTOR, NMAD_FACTOR
from zladder.metrics.residuals import Floats, Residuals, median

TANAKA_GAMMA = 0.15  # Tanaka et al. 2018, PASJ 70, S9

PointMetric = Callable[[Residuals], Floats]
POINT_METRICS: dict[str, PointMetric] = {}
"""Metrics that need z_phot and z_true only: id to function of `Residuals`, (..., n) to (...)."""


def _point_metric(function: PointMetric) -> PointMetric:
    """Register a metric under its name and let fewer than two objects give NaN."""

    @wraps(function)
    def guarded(residuals: Residuals) -> Floats:
        if residuals.n < 2:
            return np.full(residuals.dz.shape[:-1], np.nan)
        return function(residuals)

    POINT_METRICS[function.__name__] = guarded
    return guarded


def _fraction(condition: NDArray[np.bool_]) -> Floats:
    return np.count_nonzero(condition, axis=-1) / np.float64(condition.shape[-1])


@_point_metric
def bias_mean(residuals: Residuals) -> Floats:
    """Mean of dz."""
    return residuals.dz.mean(axis=-1)


@_point_metric
def bias_median(residuals: Residuals) -> Floats:
    """Median of dz."""
    return residuals.median_dz


@_point_metric
def bias_biweight(residuals: Residuals) -> Floats:
    """Biweight location of dz, c = 6."""
    return residuals.biweight_location


@_point_metric
def sigma_nmad(residuals: Residuals) -> Floats:
    """1.4826 times the median absolute deviation of dz: the default scatter; 0 is "collapsed"."""
    return NMAD_FACTOR * residuals.mad_dz


@_point_metric
def sigma_nmad0(residuals: Residuals) -> Floats:
    """1.4826 times the median of abs(dz): about zero, so that it includes the bias."""
    return NMAD_FACTOR * median(residuals.abs_dz)


@_point_metric
def sigma_iqr(residuals: Residuals) -> Floats:
    """(Q75 - Q25) / 1.349 of dz."""
    return residuals.interquartile_dz / IQR_FACTOR


@_point_metric
def sigma_biweight(residuals: Residuals) -> Floats:
    """Square root of the biweight midvariance of dz, c = 9."""
    return residuals.biweight_scale


@_point_metric
def rms_dz(residuals: Residuals) -> Floats:
    """Root of the mean square of dz: includes the bias and the outliers."""
    return np.sqrt(np.mean(residuals.dz**2, axis=-1))


@_point_metric
def std_dz(residuals: Residuals) -> Floats:
    """Standard deviation of dz, ddof = 0."""
    return residuals.dz.std(axis=-1)


@_point_metric
def mse_z(residuals: Residuals) -> Floats:
    """Mean square of z_phot - z_true, not normalised."""
    return np.mean(residuals.delta_z**2, axis=-1)


@_point_metric
def fout_05(residuals: Residuals) -> Floats:
    """Fraction with abs(dz) > 0.05."""
    return _fraction(residuals.abs_dz > 0.05)


@_point_metric
def fout_15(residuals: Residuals) -> Floats:
    """Fraction with abs(dz) > 0.15."""
    return _fraction(residuals.abs_dz > 0.15)


def dc1_threshold(residuals: Residuals) -> Floats:
    """Return max(0.06, 3 sigma_iqr), the threshold of `fout_dc1`: print it beside the value."""
    return np.maximum(0.06, 3.0 * sigma_iqr(residuals))


@_point_metric
def fout_dc1(residuals: Residuals) -> Floats:
    """Fraction with abs(dz) > max(0.06, 3 sigma_iqr) (Schmidt, Malz et al. 2020)."""
    return _fraction(residuals.abs_dz > dc1_threshold(residuals)[..., None])


@_point_metric
def fout_bw2(residuals: Residuals) -> Floats:
    """Fraction further than two sigma_biweight from bias_biweight."""
    distance = np.abs(residuals.dz - residuals.biweight_location[..., None])
    return _fraction(distance > 2.0 * residuals.biweight_scale[..., None])


@_point_metric
def fcat_1(residuals: Residuals) -> Floats:
    """Fraction with abs(z_phot - z_true) > 1, not divided by 1 + z."""
    return _fraction(np.abs(residuals.delta_z) > 1.0)


@_point_metric
def loss_tanaka(residuals: Residuals) -> Floats:
    """Mean of 1 - 1 / (1 + (dz / 0.15)^2) (Tanaka et al. 2018)."""
    return np.mean(1.0 - 1.0 / (1.0 + (residuals.dz / TANAKA_GAMMA) ** 2), axis=-1)


def fout_3sig(residuals: Residuals) -> Floats:
    """Fraction with abs(z_phot - z_true) > 3 z_phot_std; NaN where an uncertainty is not finite.

    Not in `POINT_METRICS`, for it needs the model's own uncertainty of each object.
    """
    sigma = residuals.z_phot_std
    if sigma is None or residuals.n < 2:
        return np.full(residuals.dz.shape[:-1], np.nan)
    fraction = _fraction(np.abs(residuals.delta_z) > 3.0 * sigma)
    return np.where(np.isfinite(sigma).all(axis=-1), fraction, np.nan)


def evaluate(residuals: Residuals, ids: Iterable[str] | None = None) -> dict[str, Floats]:
    """Return metrics by id, each of shape (...) for residuals of shape (..., n).

    Without ids: all of `POINT_METRICS`, and `fout_3sig` where there are uncertainties.
    """
    known = {**POINT_METRICS, "fout_3sig": fout_3sig}
    if ids is None:
        ids = [i for i in known if i != "fout_3sig" or residuals.z_phot_std is not None]
    return {metric_id: known[metric_id](residuals) for metric_id in ids}


def finite_rows(z_phot: ArrayLike, z_true: ArrayLike) -> NDArray[np.bool_]:
    """Return which objects are used, (n,): z_true and z_phot (in every row of it) are finite."""
    phot = np.atleast_2d(np.asarray(z_phot, dtype=np.float64))
    truth = np.asarray(z_true, dtype=np.float64)
    if truth.shape != phot.shape[-1:]:
        message = f"z_phot has shape {np.shape(z_phot)}, but z_true {truth.shape}"
        raise ValueError(message)
    used: NDArray[np.bool_] = np.isfinite(phot).all(axis=0) & np.isfinite(truth)
    return used


def point_metrics(
    z_phot: ArrayLike, z_true: ArrayLike, z_phot_std: ArrayLike | None = None
) -> dict[str, float]:
    """Return every point metric of one set of estimates by id.

    Parameters
    ----------
    z_phot, z_true
        Shape (n,). Objects of which one is not finite are left out: print `counts` beside this.
    z_phot_std
        Shape (n,), each object's own uncertainty; adds `fout_3sig`.
    """
    used = finite_rows(z_phot, z_true)
    sigma = None if z_phot_std is None else np.asarray(z_phot_std, dtype=np.float64)[used]
    residuals = Residuals.of(np.asarray(z_phot)[used], np.asarray(z_true)[used], sigma)
    return {metric_id: float(value) for metric_id, value in evaluate(residuals).items()}
