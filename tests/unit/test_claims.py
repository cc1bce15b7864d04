"""Verdicts on claims, and the interval of the ratio that they rest on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.claims import VERDICTS, judge_claims, judge_ratio
from zladder.evaluate.ratios import drift_ratio, ratio_interval
from zladder.evaluate.rungs import NotApplicable, method_named
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


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "verdict", "said"),
    [
        (7.0, 5.1, 9.0, "ordering reproduced", "lies above 5"),
        (7.0, 5.0, 9.0, "undecided", "contains 5"),
        (3.0, 2.0, 5.0, "undecided", "contains 5"),
        (3.0, 2.0, 4.9, "not reproduced", "lies below 5"),
        (0.5, 0.4, 0.6, "not reproduced", "lies below 5"),
        (np.nan, 5.1, np.inf, "ordering reproduced", "which lies above 5"),
        (np.nan, 4.9, np.inf, "undecided", "which lies not above 5"),
        (np.nan, np.nan, np.nan, "undecided", "zero for both"),
    ],
)
def test_a_required_ratio_takes_the_place_of_1(ratio, lo95, hi95, verdict, said):
    found, reason = judge_ratio(
        ratio, lo95, hi95, None, None, simulated=True, better="b", at_least=5.0, quantity="slope"
    )
    assert found == verdict
    assert said in reason
    assert ("the slope of b" in reason) == (np.isnan(ratio) and not np.isnan(lo95))


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


def judged(given: Answers | None = None, modes=None, drifts=None, settings=None, **changes):
    simulated = changes.pop("simulated", False)
    claim = CLAIM | {key: value for key, value in changes.items() if value is not None}
    asked = SETTINGS | {"claims": {"C1": claim}, "simulated": simulated} | (settings or {})
    table = judge_claims(given or answers(), asked, modes, drifts)
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


def test_the_required_ratio_of_a_claim_is_told_and_asked():
    row = judged(simulated=True)
    assert (row["at_least"], row["verdict"]) == (1.0, "ordering reproduced")
    row = judged(simulated=True, at_least=4.5)
    assert (row["at_least"], row["verdict"]) == (4.5, "ordering reproduced")
    assert judged(simulated=True, at_least=5.0)["verdict"] == "undecided"
    assert judged(simulated=True, at_least=6)["verdict"] == "not reproduced"


LADDER = {
    "a_f2": {"base": "a", "fraction": 0.02},
    "a_f100": {"base": "a", "fraction": 1.0},
    "b_f20": {"base": "b", "fraction": 0.2},
    "b_f100": {"base": "b", "fraction": 1.0},
}


@pytest.mark.parametrize(
    ("name", "method"),
    [("a", "a"), ("a_at_fewest", "a_f2"), ("a_at_all", "a_f100"), ("b_at_all", "b_f100")],
)
def test_a_name_on_the_ladder_stands_for_a_label_fraction(name, method):
    assert method_named(name, LADDER, ["a", *LADDER]) == method


@pytest.mark.parametrize(
    ("name", "ladder", "said"),
    [
        ("b_at_fewest", LADDER, "b was not trained on 2 % of the labels"),  # as few as the others
        ("c_at_all", LADDER, "c was not trained on 100 % of the labels"),
        ("c", LADDER, "no results of c"),
        ("a_at_fewest", {"a_f100": LADDER["a_f100"]}, "on a part of the labels"),
        ("a_at_fewest", {}, "on a part of the labels"),
        ("a_at_fewest", {"a_f1": {"base": "a", "fraction": 0.01}}, "no results of a_f1"),
    ],
)
def test_a_name_without_results_is_not_applicable(name, ladder, said):
    with pytest.raises(NotApplicable, match=said):
        method_named(name, ladder, LADDER)


def test_a_claim_about_a_fraction_names_the_method_that_was_compared():
    given = answers()
    moved = {"a_f2": given.z_phot["a"], "b_f2": given.z_phot["b"]}
    ladder = {name: {"base": name[0], "fraction": 0.02} for name in moved}
    names = {"worse": "a_at_fewest", "better": "b_at_fewest", "simulated": True}
    row = judged(Answers(given.galaxies, moved), settings={"ladder": ladder}, **names)
    assert (row["worse"], row["better"]) == ("a_f2", "b_f2")
    assert row["verdict"] == "ordering reproduced"
    row = judged(settings={"ladder": {}}, **names)
    assert (row["worse"], row["verdict"]) == ("a_at_fewest", "not applicable")
    assert "part of the labels" in row["reason"]
    assert np.isnan(row["ratio"])
    assert row["n_used"] == 0


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
