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
    "metric": "bias_mean", "worse": "a", "better": "b",
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
    ],
)
def test_the_table_of_verdicts(ratio, lo95, hi95, published, tolerance, simulated, verdict):
    found, reason = judge_ratio(ratio, lo95, hi95, published, tolerance, simulated=simulated)
    assert found == verdict
    assert found in VERDICTS
    assert reason


def test_nothing_is_ever_reproduced_on_the_mock_sky():
    draw = np.random.default_rng(1)
    for _ in range(300):
        lo95, ratio, hi95 = np.sort(draw.uniform(0, 8, 3))
        published, tolerance = draw.choice([None, 3.0]), 5.0
        found, _ = judge_ratio(ratio, lo95, hi95, published, tolerance, simulated=True)
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
