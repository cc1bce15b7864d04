"""What verdicts know of training noise: seeds are drawn as galaxies are, and one seed is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.claims import judge_claims
from zladder.evaluate.ratios import drift_ratio, ratio_interval
from zladder.evaluate.study import Answers

ONE = "; one training a method"
N = 100
CLAIM = {
    "text": "b scatters less", "source": "a paper", "study": "toy", "dataset": "toy",
    "metric": "rms_dz", "definition": "stated", "worse": "a", "better": "b",
}  # fmt: skip
SETTINGS = {"n_bootstraps": 400, "seed": 5, "simulated": True}


def answers(worse: list[float], better: list[float]) -> Answers:
    """Return two methods whose seeds scatter by these numbers; every |dz| is its seed's."""
    galaxies = pd.DataFrame({"dataset": "toy", "split": "test", "object_id": np.arange(N)})
    signs = np.where(np.arange(N) % 2 == 0, 1.0, -1.0)
    sides = {name: np.outer(scatters, signs) for name, scatters in (("a", worse), ("b", better))}
    return Answers(galaxies.assign(z_true=0.0), sides)


def drifts(**by_seed: list[float]) -> pd.DataFrame:
    """Return the table of drifts of encoders, each seed with one drift for all its galaxies."""
    parts = [
        pd.DataFrame({"method": name, "seed": seed, "object_id": np.arange(N), "drift": drift})
        for name, seeds in by_seed.items()
        for seed, drift in enumerate(seeds)
    ]
    return pd.concat(parts, ignore_index=True)


def judged(given: Answers, drifted: pd.DataFrame | None = None, **changes) -> pd.Series:
    settings = {**SETTINGS, "claims": {"c": {**CLAIM, **changes}}}
    return judge_claims(given, settings, drifts=drifted).iloc[0]


@pytest.mark.parametrize(
    ("worse", "verdict"),
    [(2.0, "ordering reproduced"), (1.0, "undecided"), (0.5, "not reproduced")],
)
def test_a_verdict_on_single_trainings_says_so(worse, verdict):
    row = judged(answers([worse], [1.0]))
    assert row["verdict"] == verdict
    assert row["reason"].endswith(ONE)


@pytest.mark.parametrize(("worse", "better"), [([2.0, 2.0], [1.0, 1.0]), ([2.0] * 3, [1.0])])
def test_a_verdict_on_several_trainings_does_not(worse, better):
    row = judged(answers(worse, better))
    assert row["verdict"] == "ordering reproduced"
    assert "training a method" not in row["reason"]


def test_a_lower_bound_of_one_training_says_so_too():
    given = answers([1.0], [1.0])
    given.z_phot["a"] += 1.0
    row = judged(given, metric="bias_mean")  # 1 against 0
    assert "only a lower bound" in row["reason"]
    assert row["reason"].endswith(ONE)


def test_what_was_not_compared_or_tests_nothing_keeps_its_reason():
    assert not judged(answers([2.0], [1.0]), better="unknown")["reason"].endswith(ONE)
    row = judged(answers([2.0], [1.0]), by_construction="put in")
    assert (row["verdict"], row["reason"]) == ("by construction", "put in")


def test_the_interval_holds_the_spread_of_the_seeds_by_hand():
    """Galaxies add nothing here: each resample's ratio is that of the seeds it drew.

    Of two seeds, a quarter of the resamples holds the first twice, another the second: the 2.5 %
    ends lie there unless fewer than 11 of 400 do (400 draws at 1/4: 9 standard deviations).
    """
    part = answers([1.0, 4.0], [1.0])
    found = ratio_interval(*part.z_phot.values(), part.z_true, "rms_dz", 400, 5)
    assert found == pytest.approx((2.5, 1.0, 4.0, N))


def test_a_lucky_training_does_not_decide():
    steady, lucky = answers([1.5] * 3, [1.0] * 3), answers([0.9, 0.9, 2.7], [1.0] * 3)
    assert judged(steady)["verdict"] == "ordering reproduced"
    row = judged(lucky)
    assert row["ratio"] == pytest.approx(judged(steady)["ratio"])
    assert row["verdict"] == "undecided"


def test_equal_seeds_of_two_methods_are_drawn_together():
    """A child shares its encoder: what a good encoder gives to both is no noise of the ratio."""
    part = answers([2.0, 6.0, 10.0], [1.0, 3.0, 5.0])
    found = ratio_interval(*part.z_phot.values(), part.z_true, "rms_dz", 400, 5)
    assert found == pytest.approx((2.0, 2.0, 2.0, N))


def test_a_single_seed_has_the_interval_of_the_galaxies_alone():
    draw = np.random.default_rng(3)
    worse, better = draw.normal(0, [[2.0], [1.0]], (2, N))
    single = ratio_interval(worse[None], better[None], np.zeros(N), "rms_dz", 100, 1)
    equal = ratio_interval(np.stack([worse] * 3), np.stack([better] * 3), np.zeros(N), "rms_dz",
                           100, 1)  # fmt: skip
    assert single == pytest.approx(equal)


def test_drifts_are_resampled_over_seeds_too():
    found = drift_ratio(drifts(plain=[1.0, 4.0], dusted=[1.0]), "plain", "dusted", 400, 5)
    assert found == pytest.approx((2.5, 1.0, 4.0, N))


def test_a_drift_of_one_training_says_so():
    claim = {"metric": "embedding_drift", "worse": "plain", "better": "dusted"}
    given = answers([1.0], [1.0])
    one = judged(given, drifts(plain=[4.0], dusted=[1.0]), **claim)
    two = judged(given, drifts(plain=[4.0, 4.0], dusted=[1.0, 1.0]), **claim)
    assert one["verdict"] == two["verdict"] == "ordering reproduced"
    assert one["reason"].endswith(ONE)
    assert not two["reason"].endswith(ONE)


def test_a_galaxy_without_a_drift_in_one_seed_is_left_out():
    table = drifts(plain=[4.0, 4.0], dusted=[1.0, 1.0])
    table.loc[(table["seed"] == 1) & (table["object_id"] == 7), "drift"] = np.nan
    assert drift_ratio(table, "plain", "dusted", 50, 5)[3] == N - 1


def test_a_collapsed_seed_is_not_left_out_of_an_encoder():
    table = drifts(plain=[4.0, 4.0], dusted=[1.0, np.nan])
    assert drift_ratio(table, "plain", "dusted", 50, 5)[3] == 0  # no galaxy has both
