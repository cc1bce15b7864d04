"""Scores of a study: the same galaxies for all, and choices that never look at the test split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.study import (
    DIFFERENCE_METRICS,
    Answers,
    best_on_validation,
    compare_with_peer,
    read_answers,
    residual_curves,
    score_methods,
)
from zladder.metrics.point import POINT_METRICS, point_metrics
from zladder.provenance.errors import BadInput

N = 400  # a split
DRAW = np.random.default_rng(8)
Z_TRUE = DRAW.uniform(0.1, 1.0, 2 * N)
NOISE = DRAW.normal(size=(4, 2 * N))
SPLITS = np.repeat(["validation", "test"], N)
SETTINGS = {"n_bootstraps": 40, "seed": 3, "networks": ["net", "other"]}


def answers(**scatters: tuple[float, float]) -> Answers:
    """Return answers whose methods scatter by these amounts on validation and on test."""
    galaxies = pd.DataFrame(
        {"dataset": "toy", "split": SPLITS, "object_id": np.arange(2 * N), "z_true": Z_TRUE}
    )
    z_phot = {
        method: (Z_TRUE + np.where(SPLITS == "test", test, validation) * noise)[None]
        for noise, (method, (validation, test)) in zip(NOISE, scatters.items(), strict=False)
    }
    return Answers(galaxies, z_phot)


def scored(answered: Answers) -> pd.DataFrame:
    return score_methods(answered, [0.0, 0.9], 40, 3)


@pytest.fixture
def files(tmp_path):
    """Prediction files of a study, two seeds of one network and a control."""

    def write(name: str, shift: float, change=lambda frame: frame):
        frame = answers(net=(0.1, 0.1)).galaxies.assign(z_phot=Z_TRUE + shift, flags=0)
        path = tmp_path / f"toy.{name}.parquet"
        change(frame).to_parquet(path)
        return path

    return write


def test_seeds_of_a_method_are_stacked(files):
    paths = [files("net-s0", 0.0), files("net-s1", 0.5), files("k-nn_s-s0", 1.0)]
    answered = read_answers(paths)
    assert {method: z.shape for method, z in answered.z_phot.items()} == {
        "net": (2, 2 * N), "k-nn_s": (1, 2 * N),
    }  # fmt: skip
    np.testing.assert_allclose(answered.z_phot["net"][1] - answered.z_true, 0.5)
    test = answered.part("toy", "test")
    assert len(test.galaxies) == test.z_phot["net"].shape[1] == N
    assert (test.galaxies["split"] == "test").all()


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.iloc[:-1],
        lambda frame: frame.iloc[::-1].reset_index(drop=True),
        lambda frame: frame.assign(object_id=frame["object_id"] + 1),
        lambda frame: frame.assign(z_true=frame["z_true"] + 0.1),
        lambda frame: frame.assign(split="test"),
        lambda frame: frame.assign(dataset="another"),
    ],
)
def test_answers_for_other_galaxies_are_refused(files, change):
    paths = [files("net-s0", 0.0), files("knn-s0", 0.0, change)]
    with pytest.raises(BadInput) as caught:
        read_answers(paths)
    error = caught.value
    assert (error.file, error.place) == (str(paths[1]), "its rows")
    assert error.expected == f"the galaxies of {paths[0]}"
    assert error.hint


def test_every_method_is_scored_on_both_splits_with_counts():
    scores = scored(answers(net=(0.1, 0.2), knn=(0.3, 0.3)))
    assert len(scores) == 2 * 2 * len(POINT_METRICS)
    assert set(scores["split"]) == {"validation", "test"}
    row = scores.query("method == 'net' and split == 'test' and metric == 'rms_dz'").iloc[0]
    part = answers(net=(0.1, 0.2)).part("toy", "test")
    expected = point_metrics(part.z_phot["net"][0], part.z_true)["rms_dz"]
    assert row["value"] == pytest.approx(expected)
    assert row["lo95"] < row["value"] < row["hi95"]
    assert (row["n_total"], row["n_used"], row["n_nonfinite"], row["n_seeds"]) == (N, N, 0, 1)
    assert row["n_off_grid"] == int((part.z_true >= 0.9).sum()) > 0


def test_rows_without_an_answer_are_counted_not_hidden():
    answered = answers(net=(0.1, 0.1), knn=(0.1, 0.1))
    answered.z_phot["net"][0, -5:] = np.nan
    scores = scored(answered).query("split == 'test' and metric == 'rms_dz'").set_index("method")
    assert scores.loc["net", ["n_total", "n_used", "n_nonfinite"]].tolist() == [N, N - 5, 5]
    assert scores.loc["knn", "n_used"] == N
    compared = compare_with_peer(answered, scored(answered), SETTINGS | {"networks": ["net"]})
    assert set(compared["n_used"]) == {N - 5}


def test_the_choice_is_made_on_validation():
    # On test the order of both pairs is reversed.
    answered = answers(net=(0.02, 0.3), other=(0.04, 0.01), knn=(0.05, 0.4), forest=(0.06, 0.05))
    scores = scored(answered)
    assert best_on_validation(scores, "toy", ["net", "other"]) == "net"
    compared = compare_with_peer(answered, scores, SETTINGS)
    assert set(compared["peer"]) == {"knn"}
    assert compared.groupby("method")["chosen"].first().to_dict() == {"net": True, "other": False}
    assert set(compared["metric"]) == set(DIFFERENCE_METRICS)
    worse = compared.query("method == 'net' and metric == 'sigma_nmad'").iloc[0]
    assert worse["difference"] == pytest.approx(
        _value(scores, "net", "sigma_nmad") - _value(scores, "knn", "sigma_nmad")
    )


def _value(scores: pd.DataFrame, method: str, metric: str) -> float:
    rows = scores.query(f"method == '{method}' and split == 'test' and metric == '{metric}'")
    return float(rows["value"].iloc[0])


def test_changing_the_test_split_changes_no_choice():
    scatters = {"net": (0.02, 0.1), "other": (0.04, 0.1), "knn": (0.05, 0.1), "forest": (0.06, 0.1)}
    before = answers(**scatters)
    after = answers(**scatters)
    for method in after.z_phot:
        after.z_phot[method][:, SPLITS == "test"] = DRAW.uniform(0, 1, N)
    for answered in (before, after):
        compared = compare_with_peer(answered, scored(answered), SETTINGS)
        assert set(compared["peer"]) == {"knn"}
        assert set(compared.loc[compared["chosen"], "method"]) == {"net"}


def test_a_constant_is_not_the_best_however_small_its_scatter():
    answered = answers(net=(0.1, 0.1), knn=(0.2, 0.2))
    answered.z_phot["mean_z"] = np.full((1, 2 * N), Z_TRUE.mean())
    # So concentrated a sample that a constant has the smallest robust scatter.
    answered.galaxies["z_true"] = np.where(np.arange(2 * N) % 3 == 0, Z_TRUE, 0.5)
    for method, noise in (("net", 0), ("knn", 1)):
        answered.z_phot[method] = (answered.z_true + 0.05 * NOISE[noise])[None]
    scores = scored(answered)
    assert _value(scores, "mean_z", "sigma_nmad") < _value(scores, "knn", "sigma_nmad")
    assert best_on_validation(scores, "toy", ["knn", "mean_z"]) == "knn"
    assert best_on_validation(scores, "toy", ["mean_z"]) == "mean_z"


def test_identical_methods_differ_by_nothing():
    answered = answers(net=(0.1, 0.1))
    for method in ("other", "knn"):
        answered.z_phot[method] = answered.z_phot["net"].copy()
    compared = compare_with_peer(answered, scored(answered), SETTINGS)
    ends = [name for name in compared if name.startswith(("difference", "relative"))]
    assert len(ends) == 10
    assert (compared[ends] == 0).all(axis=None)


def test_curves_are_of_the_test_split():
    answered = answers(net=(5.0, 0.0))
    answered.z_phot["net"][:, SPLITS == "test"] += 0.3
    curves = residual_curves(answered, 0.25)
    assert set(curves["against"]) == {"z_true", "z_phot"}
    by_truth = curves.query("against == 'z_true'")
    assert by_truth["n"].sum() == N
    assert by_truth["lo"].tolist() == [0.0, 0.25, 0.5, 0.75]
    z_true = answered.part("toy", "test").z_true
    for row in by_truth[by_truth["n"] > 0].itertuples():
        inside = (z_true > row.lo) & (z_true <= row.hi)
        assert row.n == inside.sum()
        assert row.value == pytest.approx((0.3 / (1 + z_true[inside])).mean(), rel=0.02)
