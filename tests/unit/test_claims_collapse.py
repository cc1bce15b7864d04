"""Claims about mode collapse, and about how far dust moves features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from claim_world import judged

from zladder.evaluate.ratios import drift_ratio, ratio_interval
from zladder.evaluate.study import Answers
from zladder.metrics.bootstrap import resamples

COLLAPSE = {"bins": 90, "range_z": [0.0, 0.4], "slope_above_z": 0.15}


def classified(n: int = 900) -> tuple[Answers, Answers]:
    """Return (estimates, modes): the modes of `a` are a comb and tilted, those of `b` are not."""
    draw = np.random.default_rng(10)
    z_true = draw.uniform(0.02, 0.38, n)
    galaxies = pd.DataFrame(
        {"dataset": "toy", "split": "test", "object_id": np.arange(n), "z_true": z_true}
    )
    fine = z_true + 0.012 * draw.standard_normal((2, n))
    tilt = 0.3 * np.maximum(z_true - 0.15, 0.0)
    comb = np.round((fine[0] - tilt) / 0.02) * 0.02 + 1e-4
    modes = {"a": comb[None], "b": fine[1:]}
    return Answers(galaxies, {"a": fine[:1], "b": fine[1:]}), Answers(galaxies, modes)


@pytest.mark.parametrize("metric", ["tv", "tv_excess", "abs_slope_zs"])
def test_a_collapse_is_judged_by_the_modes(metric):
    given, modes = classified()
    settings = {"collapse": COLLAPSE}
    row = judged(given, modes, settings=settings, metric=metric, simulated=True)
    assert row["verdict"] == "ordering reproduced"
    assert row["lo95"] > 1.5
    row = judged(given, settings=settings, metric=metric, simulated=True)
    assert row["verdict"] == "undecided"  # the estimates themselves are alike
    row = judged(given, modes, settings=settings, metric=metric, worse="b", better="a")
    assert row["verdict"] == "not reproduced"


@pytest.mark.parametrize(
    ("metric", "word"), [("tv_excess", "excess total variation"), ("abs_slope_zs", "slope")]
)
def test_what_is_compatible_with_zero_leaves_a_lower_bound(metric, word):
    given, modes = classified()
    row = judged(given, modes, settings={"collapse": COLLAPSE}, metric=metric, simulated=True)
    assert np.isnan(row["ratio"])
    assert row["hi95"] == np.inf
    assert row["reason"].startswith(f"the {word} of b is compatible with 0")


def test_an_excess_below_the_floor_is_none():
    given, modes = classified()
    z_true = given.z_true
    # Answers in the wrong places, but distributed as the truth: below what their scatter allows.
    shuffled = np.random.default_rng(11).permutation(z_true)[None]
    found = ratio_interval(shuffled, modes.z_phot["a"], z_true, "tv_excess", 50, 1, COLLAPSE)
    assert found[:3] == (0.0, 0.0, 0.0)


def test_a_study_without_bins_cannot_be_asked_about_its_distributions():
    row = judged(*classified(), metric="tv")
    assert row["verdict"] == "not applicable"
    assert "by which bins" in row["reason"]


def test_a_slope_of_too_few_galaxies_is_not_applicable():
    row = judged(*classified(40), settings={"collapse": COLLAPSE}, metric="abs_slope_zs")
    assert row["verdict"] == "not applicable"
    assert "fewer than 30 galaxies above z = 0.15" in row["reason"]


def drifts(**means: float) -> pd.DataFrame:
    draw = np.random.default_rng(13)
    parts = [
        pd.DataFrame({"method": name, "object_id": np.arange(100)[::step],
                      "drift": mean * draw.uniform(0.9, 1.1, 100)})
        for step, (name, mean) in zip((1, -1, 1), means.items(), strict=False)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


DRIFT = {"metric": "embedding_drift", "worse": "plain", "better": "dusted", "simulated": True}


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(0.8, "ordering reproduced"), (0.5, "undecided"), (0.3, "not reproduced")],
)
def test_a_drift_must_fall_by_the_required_factor(mean, verdict):
    row = judged(drifts=drifts(plain=mean, dusted=0.1), at_least=5, **DRIFT)
    assert row["verdict"] == verdict
    assert row["ratio"] == pytest.approx(10 * mean, rel=0.05)
    assert row["n_used"] == 100


def test_the_interval_of_a_drift_ratio_by_hand():
    table = drifts(plain=0.8, dusted=0.1)
    table = table[~((table["method"] == "plain") & (table["object_id"] == 7))]
    ratio, lo95, hi95, n_used = drift_ratio(table, "plain", "dusted", 200, 5)
    sides = [table[table["method"] == name].set_index("object_id")["drift"].sort_index()
             for name in ("plain", "dusted")]  # fmt: skip
    plain, dusted = sides[0].to_numpy(), sides[1].drop(7).to_numpy()
    drawn = np.sort([plain[r].mean() / dusted[r].mean() for r in resamples(99, 200, 5)])
    assert n_used == 99
    assert ratio == pytest.approx(plain.mean() / dusted.mean())
    assert (lo95, hi95) == pytest.approx((drawn[4], drawn[194]))


def test_a_drift_that_was_not_measured_is_not_applicable():
    row = judged(**DRIFT)
    assert row["verdict"] == "not applicable"
    assert "no results of plain" in row["reason"]
    collapsed = drifts(plain=0.8, dusted=np.nan)
    row = judged(drifts=collapsed, **DRIFT)
    assert row["verdict"] == "not applicable"
    assert row["n_used"] == 0
