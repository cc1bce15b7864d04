"""Bootstrap intervals cover, are paired between models and shared between seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from zladder.metrics.bootstrap import (
    bootstrap_metrics,
    paired_differences,
    resample_chunks,
    resamples,
)
from zladder.metrics.point import POINT_METRICS, point_metrics


def sample(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z_true = rng.uniform(0.1, 1.5, n)
    return z_true + 0.05 * rng.standard_t(3, n), z_true


def test_resamples_are_seeded_and_in_range():
    drawn = resamples(7, 1000, seed=5)
    assert drawn.shape == (1000, 7)
    assert drawn.min() == 0
    assert drawn.max() == 6
    assert np.array_equal(drawn, resamples(7, 1000, seed=5))
    assert not np.array_equal(drawn, resamples(7, 1000, seed=6))


@pytest.mark.parametrize("chunk_elements", [1, 50, 333, 10**6])
def test_resamples_do_not_depend_on_the_chunks(chunk_elements):
    chunks = list(resample_chunks(31, 40, seed=3, chunk_elements=chunk_elements))
    assert all(len(chunk) == 1 or chunk.size <= chunk_elements for chunk in chunks)
    assert np.array_equal(np.concatenate(chunks), resamples(31, 40, seed=3))


def test_bootstrap_equals_a_plain_loop():
    z_phot, z_true = sample(80)
    found = bootstrap_metrics(z_phot, z_true, n_boot=50, seed=9)
    loop = [point_metrics(z_phot[rows], z_true[rows]) for rows in resamples(80, 50, seed=9)]
    for metric_id in POINT_METRICS:
        draws = np.array([values[metric_id] for values in loop])
        interval = found[metric_id]
        assert interval.value == pytest.approx(point_metrics(z_phot, z_true)[metric_id])
        assert interval.se == pytest.approx(draws.std(ddof=1))
        bounds = (interval.lo68, interval.hi68, interval.lo95, interval.hi95)
        assert bounds == pytest.approx(np.quantile(draws, [0.16, 0.84, 0.025, 0.975]), abs=1e-14)
        assert np.isnan(interval.seed_std)


def test_the_95_percent_interval_of_a_normal_mean_covers():
    # 2,000 samples of 200. The percentile bootstrap of a mean covers 94 to 95 % at this n; the
    # bounds are those of 2,000 trials at 94 and 95 %, each passed by chance once in 10,000 (false
    # alarms: 2e-4 in all). A 90 % or a 98 % interval would fail.
    trials, n = 2000, 200
    rng = np.random.default_rng(20)
    covered = 0
    for trial in range(trials):
        interval = bootstrap_metrics(rng.normal(size=n), np.zeros(n), ["bias_mean"], 400, trial)
        covered += interval["bias_mean"].lo95 <= 0.0 <= interval["bias_mean"].hi95
    assert binom.ppf(1e-4, trials, 0.94) <= covered <= binom.ppf(1 - 1e-4, trials, 0.95)


def test_the_standard_error_of_a_mean_is_that_of_theory():
    z_phot = np.random.default_rng(4).normal(0, 0.1, 500)
    se = bootstrap_metrics(z_phot, np.zeros(500), ["bias_mean"], 1000, 1)["bias_mean"].se
    # The relative error of a standard deviation from 1,000 draws is 1/sqrt(2000) = 2.2 %; four of
    # it are passed by chance six times in 100,000.
    assert se == pytest.approx(z_phot.std() / np.sqrt(500), rel=0.09)


def test_seeds_are_averaged_on_the_same_resamples():
    z_phot, z_true = sample(120)
    runs = np.stack([z_phot, z_phot + 0.02 * (1 + z_true), z_phot - 0.05 * (1 + z_true)])
    both = bootstrap_metrics(runs, z_true, n_boot=30, seed=2)
    each = [point_metrics(run, z_true) for run in runs]
    for metric_id, interval in both.items():
        values = [point[metric_id] for point in each]
        assert interval.value == pytest.approx(np.mean(values))
        assert interval.seed_std == pytest.approx(np.std(values, ddof=1), abs=1e-15)
    # A shift common to all objects moves the bias alone: resamples shared by the seeds leave the
    # width of its interval as that of one seed; independent ones would shrink it.
    single = bootstrap_metrics(z_phot, z_true, ["bias_mean"], 30, 2)["bias_mean"]
    assert both["bias_mean"].se == pytest.approx(single.se, rel=1e-9)


def test_identical_predictions_differ_by_exactly_zero():
    z_phot, z_true = sample()
    ids = ("sigma_nmad", "bias_biweight", "rms_dz", "sigma_iqr")
    by_id = paired_differences(z_phot, z_phot.copy(), z_true, ids, n_boot=100)
    assert tuple(by_id) == ids
    for found in by_id.values():
        for interval in (found.difference, found.relative):
            numbers = (interval.value, interval.se, interval.lo68, interval.hi68)
            assert numbers == (0.0, 0.0, 0.0, 0.0)
            assert (interval.lo95, interval.hi95) == (0.0, 0.0)
        assert (found.n_total, found.n_used) == (300, 300)


def test_the_difference_is_paired_and_equals_a_plain_loop():
    a, z_true = sample(90)
    b = z_true + 1.3 * (a - z_true)  # every residual 1.3 times a's, in every resample
    [found] = paired_differences(a, b, z_true, ["sigma_nmad"], n_boot=60, seed=4).values()
    assert found.relative.value == pytest.approx(1 / 1.3 - 1)
    assert found.relative.hi95 - found.relative.lo95 == pytest.approx(0, abs=1e-12)
    draws = [
        point_metrics(a[rows], z_true[rows])["sigma_nmad"]
        - point_metrics(b[rows], z_true[rows])["sigma_nmad"]
        for rows in resamples(90, 60, seed=4)
    ]
    assert found.difference.se == pytest.approx(np.std(draws, ddof=1))
    assert found.difference.lo95 == pytest.approx(np.quantile(draws, 0.025))


def test_seeds_of_two_models_may_differ_in_number():
    a, z_true = sample(60)
    [found] = paired_differences(np.stack([a, a, a]), a, z_true, ["sigma_iqr"], n_boot=20).values()
    assert found.difference.value == pytest.approx(0.0, abs=1e-15)


def test_objects_missing_in_one_model_are_left_out_of_both():
    a, z_true = sample(50)
    b = a + 0.01
    b[:5] = np.nan
    [found] = paired_differences(a, b, z_true, ["bias_mean"], n_boot=20).values()
    expected = point_metrics(a[5:], z_true[5:])["bias_mean"]
    expected -= point_metrics(b[5:], z_true[5:])["bias_mean"]
    assert found.difference.value == pytest.approx(expected)
    assert (found.n_total, found.n_used) == (50, 45)


def test_a_ratio_to_zero_is_nan_but_the_difference_stands():
    z_true = np.linspace(0.1, 1, 40)
    [found] = paired_differences(z_true + 0.01, z_true, z_true, ["fout_05"], n_boot=20).values()
    assert found.difference.value == found.difference.hi95 == 0.0
    assert np.isnan(found.relative.value)
    assert np.isnan(found.relative.hi95)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_objects_have_nan_intervals(n):
    for interval in bootstrap_metrics(np.ones(n), np.ones(n), n_boot=10).values():
        assert np.isnan([interval.value, interval.se, interval.lo95, interval.hi95]).all()


def test_one_resample_is_refused():
    with pytest.raises(ValueError, match="n_boot must be at least 2, not 1"):
        bootstrap_metrics(*sample(10), n_boot=1)


def test_fout_3sig_gets_an_interval_with_uncertainties():
    z_phot, z_true = sample()
    found = bootstrap_metrics(z_phot, z_true, n_boot=50, z_phot_std=np.full(300, 0.03))
    by_hand = np.mean(np.abs(z_phot - z_true) > 0.09)
    assert found["fout_3sig"].value == pytest.approx(by_hand)
    assert found["fout_3sig"].lo95 <= by_hand <= found["fout_3sig"].hi95
