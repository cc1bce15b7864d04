"""Residual curves and slopes equal their formulas; no edge object is lost."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.metrics.binned import (
    MIN_IN_BIN,
    bin_index,
    fit_line,
    mean_curve,
    residual_against_z_phot,
    residual_against_z_true,
    slope_zp,
    slope_zs,
)
from zladder.metrics.variance import MIN_VARIANCE, smoothed_variance


def galaxies(n: int, seed: int, sigma: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z_true = rng.uniform(0, 0.4, n)
    return z_true + sigma * (1 + z_true) * rng.normal(size=n), z_true


def test_bins_are_left_open_and_right_closed():
    edges = [0.0, 0.5, 1.0]
    values = [-0.1, 0.0, 1e-12, 0.5, 0.5000001, 1.0, 1.1, np.nan]
    assert bin_index(values, edges).tolist() == [-1, -1, 0, 0, 1, 1, 2, -1]


@pytest.mark.parametrize("edges", [[0.0], [0.0, 0.0], [0.0, 1.0, 0.5], [0.0, np.nan]])
def test_edges_must_increase(edges):
    with pytest.raises(ValueError, match="bin edges must be two or more and increase strictly"):
        bin_index([0.1], edges)


def test_a_plain_curve_by_hand():
    x = np.array([0.0, 0.1, 0.2, 0.3, 0.6, 1.0, 1.5, np.nan])
    dz = np.array([9.0, 0.01, 0.02, 0.06, 0.1, 0.3, 9.0, 9.0])
    curve = mean_curve(x, dz, [0.0, 0.5, 1.0, 1.2])
    assert curve.n.tolist() == [3, 2, 0]
    assert curve.n_outside == 3  # 0.0 (left-open), 1.5 and NaN
    np.testing.assert_allclose(curve.value, [0.03, 0.2, np.nan])
    # std(ddof = 0) / sqrt(n - 1): sqrt((4 + 1 + 9) / 3) / 100 / sqrt(2), and 0.1 / sqrt(1)
    np.testing.assert_allclose(curve.err, [np.sqrt(14 / 3) / 100 / np.sqrt(2), 0.1, np.nan])
    np.testing.assert_allclose(curve.x, [0.2, 0.8, np.nan])
    assert curve.hollow.all()


def test_one_object_has_a_mean_but_no_error():
    curve = mean_curve([0.1], [0.02], [0.0, 1.0])
    assert curve.value.tolist() == [0.02]
    assert np.isnan(curve.err).all()


def test_fewer_than_thirty_are_hollow_and_left_out_of_the_fit():
    counts = (MIN_IN_BIN, MIN_IN_BIN - 1, MIN_IN_BIN)
    x = np.repeat([0.5, 1.5, 2.5], counts)
    wiggle = np.tile([1.0, -1.0], len(x))[: len(x)] * 1e-3
    dz = 0.01 * x + wiggle + np.where(x == 1.5, 7.0, 0.0)
    curve = mean_curve(x, dz, [0, 1, 2, 3])
    assert curve.hollow.tolist() == [False, True, False]
    fit = fit_line(curve)
    assert fit.n_bins == 2
    assert fit.slope == pytest.approx(0.01, abs=1e-12)


def test_the_curve_against_z_phot_is_the_plain_mean():
    z_phot, z_true = galaxies(2000, seed=0)
    edges = np.linspace(0, 0.4, 11)
    curve = residual_against_z_phot(z_phot, z_true, edges)
    inside = (z_phot > edges[3]) & (z_phot <= edges[4])
    dz = ((z_phot - z_true) / (1 + z_true))[inside]
    assert curve.n[3] == inside.sum()
    assert curve.value[3] == pytest.approx(dz.mean())
    assert curve.err[3] == pytest.approx(dz.std(ddof=0) / np.sqrt(inside.sum() - 1))
    assert curve.n.sum() + curve.n_outside == 2000


def test_the_curve_against_z_true_is_inverse_variance_weighted():
    z_phot, z_true = galaxies(3000, seed=1)
    magnitude = np.random.default_rng(2).uniform(14, 18, 3000)
    edges = np.linspace(0, 0.4, 9)
    curve = residual_against_z_true(z_phot, z_true, edges, magnitude)
    inside = (z_true > edges[2]) & (z_true <= edges[3])
    variance = smoothed_variance(z_phot, z_true, (0.0, 0.4), magnitude) / (1 + z_true) ** 2
    weight = 1 / variance[inside]
    dz = ((z_phot - z_true) / (1 + z_true))[inside]
    assert curve.value[2] == pytest.approx(np.sum(weight * dz) / np.sum(weight))
    assert curve.err[2] == pytest.approx(1 / np.sqrt(weight.sum()))


def test_the_variance_of_normal_errors():
    # Half of (median + mean) of chi^2 with one degree of freedom: (0.4549 + 1) / 2 sigma^2.
    rng = np.random.default_rng(3)
    z_true = rng.uniform(0, 0.4, 100_000)
    z_phot = z_true + 0.03 * rng.normal(size=z_true.size)
    variance = smoothed_variance(z_phot, z_true, (0.0, 0.4))
    # Its relative error is 0.019 here (measured), and 0.1 five of it: with 180 bins false alarms
    # are below 1e-4.
    np.testing.assert_allclose(variance, 0.72747 * 0.03**2, rtol=0.1)


def test_the_variance_follows_redshift_and_magnitude_with_a_floor():
    rng = np.random.default_rng(4)
    z_true, magnitude = rng.uniform(0, 0.4, 60_000), rng.uniform(14, 20, 60_000)
    sigma = np.where(magnitude > 17, 0.04, 0.001) * np.where(z_true > 0.2, 2, 1)
    z_phot = z_true + sigma * rng.normal(size=z_true.size)
    variance = smoothed_variance(z_phot, z_true, (0.0, 0.4), magnitude)
    faint, far = magnitude > 18.5, z_true > 0.25
    assert np.median(variance[faint & far]) == pytest.approx(0.72747 * 0.08**2, rel=0.05)
    assert np.median(variance[faint & (z_true < 0.15)]) == pytest.approx(0.00116, rel=0.05)
    assert (variance[magnitude < 15.5] == MIN_VARIANCE).all()
    assert variance.min() == MIN_VARIANCE


def test_a_line_is_recovered_with_an_honest_error():
    # 200 realisations; the pulls' standard deviation has an error of 5 %, the bounds are four of
    # it (false alarm 1e-4); their mean has 0.07, the bound is four of it.
    rng, pulls = np.random.default_rng(5), []
    for _ in range(200):
        z = rng.uniform(0, 1, 600)
        dz = 0.03 * z - 0.01 + 0.02 * rng.normal(size=600)
        fit = fit_line(mean_curve(z, dz, np.linspace(0, 1, 6)))
        pulls.append((fit.slope - 0.03) / fit.slope_err)
    assert abs(np.mean(pulls)) < 0.28
    assert 0.8 < np.std(pulls) < 1.2


def test_the_fit_equals_polyfit():
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 1, 900)
    curve = mean_curve(x, 0.1 * x**2 + rng.normal(size=900) * (0.01 + x), np.linspace(0, 1, 7))
    fit = fit_line(curve)
    (slope, intercept), covariance = np.polyfit(
        curve.x, curve.value, 1, w=1 / curve.err, cov="unscaled"
    )
    assert (fit.slope, fit.intercept) == pytest.approx((slope, intercept))
    assert fit.slope_err == pytest.approx(np.sqrt(covariance[0, 0]))


def test_shrunken_estimates_slope_against_the_truth_only():
    # The mean of the truth given noisy data: no bias at given z_phot, attenuated at given z_true.
    rng = np.random.default_rng(7)
    z_true = 1 + 0.1 * rng.normal(size=40_000)
    z_phot = 1 + 0.5 * (z_true - 1 + 0.1 * rng.normal(size=40_000))
    along_truth = slope_zs(z_phot, z_true, np.linspace(0.7, 1.3, 13))
    along_estimate = slope_zp(z_phot, z_true, np.linspace(0.85, 1.15, 13))
    assert along_truth.slope == pytest.approx(-0.25, abs=0.02)  # -0.5 / (1 + z)
    assert abs(along_estimate.slope) < 0.02


def test_too_few_bins_have_no_slope():
    fit = fit_line(mean_curve([0.1, 0.2], [0.0, 0.1], [0.0, 0.5, 1.0]))
    assert fit.n_bins == 0
    assert np.isnan([fit.slope, fit.slope_err, fit.intercept]).all()
