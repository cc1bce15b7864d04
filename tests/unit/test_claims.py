"""Verdicts on claims, and the interval of the ratio that they rest on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.claims import VERDICTS, judge_claims, judge_ratio, ratio_interval
from zladder.evaluate.study import Answers
from zladder.metrics.bootstrap import resamples

CLAIM = {
    "text": "b is less biased", "source": "a paper", "study": "toy", "dataset": "toy",
    "metric": "bias_mean", "definition": "not stated", "worse": "a", "better": "b",
}  # fmt: skip
SETTINGS = {"n_bootstraps": 200, "seed": 5, "simulated": False}


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "published", "tolerance", "simulated", "verdict"),
    [
        (5.0, 4.0, 6.0, 5.0, 0.2, False, "reproduced"),
        (6.0, 4.0, 8.0, 5.0, 0.2, False, "reproduced"),  # just within the tolerance
        (6.1, 4.0, 8.0, 5.0, 0.2, False, "ordering reproduced"),
        (1.5, 1.01, 2.0, 5.0, 0.2, False, "ordering reproduced"),
        (1.5, 1.01, 2.0, None, None, False, "reproduced"),  # only an ordering was claimed
        (1.5, 1.0, 2.0, None, None, False, "undecided"),
        (5.0, 0.9, 9.0, 5.0, 0.2, False, "undecided"),
        (0.9, 0.8, 1.0, None, None, False, "undecided"),
        (0.5, 0.4, 0.9, 5.0, 0.2, False, "not reproduced"),
        (5.0, 4.0, 6.0, 5.0, 0.2, True, "ordering reproduced"),  # the mock sky proves no number
        (1.5, 1.01, 2.0, None, None, True, "ordering reproduced"),
        (5.0, 0.9, 9.0, 5.0, 0.2, True, "undecided"),
        (0.5, 0.4, 0.9, 5.0, 0.2, True, "not reproduced"),
        (np.nan, np.nan, np.nan, 5.0, 0.2, False, "undecided"),
        (2.0, np.nan, np.nan, 5.0, 0.2, False, "undecided"),
        (np.inf, 2.0, np.inf, 5.0, 0.2, False, "ordering reproduced"),
        (np.inf, 2.0, np.inf, None, None, True, "ordering reproduced"),
        # a lower bound only: the bias of the better method is compatible with 0
        (np.nan, 38.7, np.inf, 4.5, 0.2, False, "ordering reproduced"),
        (np.nan, 38.7, np.inf, 4.5, 0.2, True, "ordering reproduced"),
        (np.nan, 1.01, np.inf, None, None, False, "ordering reproduced"),  # never `reproduced`
        (np.nan, 1.0, np.inf, None, None, False, "undecided"),
        (np.nan, 0.4, np.inf, 4.5, 0.2, True, "undecided"),
    ],
)
def test_the_table_of_verdicts(ratio, lo95, hi95, published, tolerance, simulated, verdict):
    numbers = ratio, lo95, hi95, published, tolerance
    found, reason = judge_ratio(*numbers, simulated=simulated, better="b")
    assert found == verdict
    assert found in VERDICTS
    bounded = "the bias of b is compatible with 0: the ratio has only a lower bound"
    assert (bounded in reason) == (np.isnan(ratio) and not np.isnan(lo95))
    assert reason


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "simulated", "verdict"),
    [
        (5.0, 4.0, 6.0, True, "by construction"),
        (5.0, 0.9, 9.0, True, "by construction"),  # neither does a small sample test it
        (np.nan, 0.4, np.inf, True, "by construction"),
        (np.nan, np.nan, np.nan, True, "by construction"),
        (0.5, 0.4, 0.9, True, "not reproduced"),  # the opposite came out: that must be seen
        (5.0, 4.0, 6.0, False, "reproduced"),  # nothing was put into a real sky
        (5.0, 0.9, 9.0, False, "undecided"),
    ],
)
def test_by_construction_is_said_on_a_simulated_sky_only(ratio, lo95, hi95, simulated, verdict):
    found, reason = judge_ratio(
        ratio, lo95, hi95, 5.0, 0.2, simulated=simulated, better="b", by_construction="we did it"
    )
    assert found == verdict
    assert (reason == "we did it") == (verdict == "by construction")


def test_nothing_is_ever_reproduced_on_the_mock_sky():
    draw = np.random.default_rng(1)
    for _ in range(300):
        lo95, ratio, hi95 = np.sort(draw.uniform(0, 8, 3))
        published, tolerance = draw.choice([None, 3.0]), 5.0
        found, _ = judge_ratio(ratio, lo95, hi95, published, tolerance, simulated=True, better="b")
        assert found in ("ordering reproduced", "undecided", "not reproduced")


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
    assert ratio_interval(worse, better, z_true, "bias_mean", 20, 1)[:3] == (2.0, 2.0, 2.0)


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


def answers(n: int = 100) -> Answers:
    draw = np.random.default_rng(3)
    z_true = draw.uniform(0.1, 1.0, 2 * n)
    split = np.repeat(["validation", "test"], n)
    galaxies = pd.DataFrame(
        {"dataset": "toy", "split": split, "object_id": np.arange(2 * n), "z_true": z_true}
    )
    spread = (1 + z_true) * np.where(split == "test", 1.0, 100.0)
    z_phot = {
        name: (z_true + spread * draw.normal(bias, 0.001, 2 * n))[None]
        for name, bias in {"a": 0.05, "b": -0.01}.items()
    }
    return Answers(galaxies, z_phot)


def judged(**changes):
    simulated = changes.pop("simulated", False)
    claim = CLAIM | {key: value for key, value in changes.items() if value is not None}
    settings = SETTINGS | {"claims": {"C1": claim}, "simulated": simulated}
    table = judge_claims(answers(), settings)
    assert len(table) == 1
    return table.iloc[0]


def test_a_claim_is_judged_on_the_test_split():
    row = judged(published_ratio=5.0, tolerance=0.2)
    assert row["ratio"] == pytest.approx(5.0, rel=0.05)
    assert row["verdict"] == "reproduced"
    assert row["n_used"] == 100
    for key, value in CLAIM.items():
        assert key == "study" or row[key] == value
    assert judged(published_ratio=5.0, tolerance=0.2, simulated=True)["verdict"] == (
        "ordering reproduced"
    )
    assert judged(worse="b", better="a")["verdict"] == "not reproduced"


def test_the_reason_of_a_claim_by_construction_is_the_claim_s_own():
    given = {"published_ratio": 5.0, "tolerance": 0.2, "by_construction": "drawn so"}
    row = judged(**given, simulated=True)
    assert (row["verdict"], row["reason"]) == ("by construction", "drawn so")
    assert judged(**given)["verdict"] == "reproduced"


def test_a_range_takes_its_galaxies_only():
    z_true = answers().part("toy", "test").z_true
    row = judged(range_z=[0.3, 0.5])
    assert row["n_used"] == ((z_true > 0.3) & (z_true <= 0.5)).sum()


def test_a_range_without_galaxies_is_not_applicable():
    row = judged(range_z=[3.0, 4.0])
    assert row["verdict"] == "not applicable"
    assert row["n_used"] == 0
    assert "0 galaxies" in row["reason"]


def test_two_metrics_that_are_zero_have_no_verdict():
    row = judged(metric="fcat_1")
    assert row["verdict"] == "undecided"
    assert "zero" in row["reason"]


def test_a_study_without_claims_gives_an_empty_table_with_its_columns():
    table = judge_claims(answers(), SETTINGS | {"claims": {}})
    assert len(table) == 0
    assert {"claim", "verdict", "reason", "ratio", "lo95", "hi95"} <= set(table.columns)
