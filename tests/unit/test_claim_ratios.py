"""The interval of the ratio that a verdict rests on."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.evaluate.claims import judge_ratio
from zladder.evaluate.ratios import ratio_interval
from zladder.metrics.bootstrap import resamples


def test_the_ratio_and_its_interval_by_hand():
    z_true = np.zeros(4)  # dz is then the redshift itself
    worse, better = np.array([[1.0, 2, 3, 6]]), np.array([[-1.0, -1, -1, -1]])
    ratio, lo95, hi95, n_used = ratio_interval(worse, better, z_true, "bias_mean", 200, 5)
    assert ratio == 3.0  # |mean(1, 2, 3, 6)| / |-1|
    assert n_used == 4
    drawn = np.sort([worse[0][rows].mean() for rows in resamples(4, 200, 5)])
    assert (lo95, hi95) == (drawn[4], drawn[194])  # the 5th and the 195th of 200


def test_the_absolute_metric_is_averaged_over_seeds():
    z_true = np.zeros(3)
    worse, better = np.array([[1.0] * 3, [-3.0] * 3]), np.array([[1.0] * 3])
    assert ratio_interval(worse, better, z_true, "bias_mean", 200, 1)[:3] == (2.0, 1.0, 3.0)


def test_a_bias_compatible_with_zero_leaves_a_lower_bound_by_hand():
    z_true = np.zeros(4)
    worse, better = np.array([[1.0, 1, 1, 1]]), np.array([[-3.0, 1.1, 1.2, 1.4]])
    ratio, lo95, hi95, n_used = ratio_interval(worse, better, z_true, "bias_mean", 200, 5)
    drawn = np.array([better[0][rows].mean() for rows in resamples(4, 200, 5)])
    ends = np.sort(drawn)[[4, 194]]
    assert ends[0] < 0 < ends[1]  # so the case is what it claims to be
    assert np.isnan(ratio)
    assert lo95 == np.sort(1 / np.abs(drawn))[4]
    assert hi95 == np.inf
    assert n_used == 4


def test_only_a_bias_of_the_better_method_can_be_compatible_with_zero():
    draw = np.random.default_rng(4)
    z_true = np.zeros(200)
    near, far = draw.normal(0, 0.1, (1, 200)), draw.normal(0.1, 0.01, (1, 200))
    bounded = {
        (metric, side): ratio_interval(*pair, z_true, metric, 100, 1)[2] == np.inf
        for metric in ("bias_mean", "bias_median", "bias_biweight", "rms_dz", "sigma_nmad")
        for side, pair in {"better": (far, near), "worse": (near, far)}.items()
    }
    assert {key for key, found in bounded.items() if found} == {
        (metric, "better") for metric in ("bias_mean", "bias_median", "bias_biweight")
    }


def test_one_seed_with_a_clear_bias_is_enough_for_a_ratio():
    draw = np.random.default_rng(6)
    z_true, worse = np.zeros(200), draw.normal(0.3, 0.01, (1, 200))
    clear, unclear = draw.normal([[0.1], [0.0]], 0.1, (2, 200))
    both = ratio_interval(worse, np.stack([clear, unclear]), z_true, "bias_mean", 100, 1)
    assert both[0] == pytest.approx(0.3 / (np.abs([clear.mean(), unclear.mean()]).mean()), rel=0.05)
    assert np.isfinite(both[:3]).all()
    assert np.isnan(ratio_interval(worse, unclear[None], z_true, "bias_mean", 100, 1)[0])


@pytest.mark.parametrize("bias", [0.0, 0.005, 0.03])
def test_two_equal_biases_are_seldom_ordered(bias):
    """No ordering where both methods have the same distribution of abs(bias).

    The error of a mean is 0.1 / sqrt(200) = 0.007: biases of 0, 0.7 and 4 sigma. At most 2.5 % of
    the trials lie beyond one end of a 95 % interval; more than 19 of 400 would then be found with
    a probability of 0.003 (binomial): the false-alarm rate of this test, were it not seeded.
    """
    draw = np.random.default_rng(8)
    z_true = np.zeros(200)
    ordered = 0
    for trial in range(400):
        worse, better = draw.normal([[bias], [-bias]], 0.1, (2, 200))[:, None]
        ratio, lo95, hi95, _ = ratio_interval(worse, better, z_true, "bias_mean", 200, trial)
        verdict, _ = judge_ratio(ratio, lo95, hi95, None, None, simulated=True, better="b")
        ordered += verdict == "ordering reproduced"
    assert ordered < 20  # 5 %


def test_a_clear_bias_against_none_is_ordered():
    draw = np.random.default_rng(9)
    worse, better = draw.normal([[0.1], [0.0]], 0.1, (2, 200))[:, None]
    found = ratio_interval(worse, better, np.zeros(200), "bias_mean", 200, 1)[:3]
    verdict, reason = judge_ratio(*found, 4.5, 0.2, simulated=False, better="b")
    assert verdict == "ordering reproduced"
    assert "only a lower bound" in reason


def test_both_methods_see_the_same_galaxies_and_resamples():
    draw = np.random.default_rng(2)
    z_true = draw.uniform(0.1, 1, 50)
    z_phot = (z_true + draw.normal(0, 0.1, 50))[None]
    twice = z_true + 2 * (z_phot - z_true)
    twice[0, 7] = np.nan
    found = ratio_interval(twice, z_phot, z_true, "rms_dz", 100, 3)
    assert found[:3] == pytest.approx((2.0, 2.0, 2.0))
    assert found[3] == 49
