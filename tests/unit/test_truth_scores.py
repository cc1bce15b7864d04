"""Scores against the label and against the truth, side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.toy_universe import write_toy_results
from zladder.evaluate.study import Answers, read_answers
from zladder.evaluate.truth import true_redshifts
from zladder.evaluate.truth_scores import TRUTH_METRICS, truth_scores
from zladder.metrics.point import POINT_METRICS, point_metrics
from zladder.provenance.errors import BadInput

SETTINGS = {"label_range_z": [0.0, 4.0], "n_bootstraps": 50, "seed": 2}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Files of the toy universe, whose labels are wrong for one galaxy in fifty."""
    return write_toy_results(tmp_path_factory.mktemp("toy") / "results")


@pytest.fixture(scope="module")
def scored(toy):
    """Answers, and the table by method, metric and reference."""
    answers = read_answers(toy.predictions("same", "worse"))
    found = truth_scores(answers, toy.truth, SETTINGS)
    return answers, found.set_index(["method", "metric", "against"])


def test_every_metric_stands_against_both(scored):
    _answers, found = scored
    assert len(found) == 2 * 2 * len(TRUTH_METRICS)
    assert set(TRUTH_METRICS) < set(POINT_METRICS)
    assert (found["lo95"] <= found["value"]).all()
    assert (found["value"] <= found["hi95"]).all()


def test_the_values_are_those_of_the_metrics(toy, scored):
    answers, found = scored
    part = answers.part("toy", "test")
    truth = true_redshifts(toy.truth, part.galaxies["object_id"].to_numpy())
    for method, z_phot in part.z_phot.items():
        for against, reference in (("label", part.z_true), ("truth", truth)):
            wanted = point_metrics(z_phot[0], reference)
            for metric in TRUTH_METRICS:
                value = found.loc[(method, metric, against), "value"]
                assert value == pytest.approx(wanted[metric], rel=1e-12)


def test_wrong_labels_are_outliers_of_the_label_and_not_of_the_truth(scored):
    _answers, found = scored
    value = found["value"]
    assert value["same", "fout_15", "label"] > 0.003
    assert value["same", "fout_15", "truth"] == 0
    assert value["same", "rms_dz", "label"] > value["same", "rms_dz", "truth"]


def test_the_truth_is_found_by_identifier_and_a_star_has_none(toy):
    answers = read_answers(toy.predictions("same"))
    ids = answers.galaxies["object_id"].to_numpy()
    assert np.array_equal(true_redshifts(toy.truth, ids), toy.seen.z)
    found = true_redshifts(toy.truth, np.array([7, 5, ids[3], 7]))
    assert found[[0, 2, 3]] == pytest.approx([0.1, toy.seen.z[3], 0.1])  # 7 is an objID
    assert np.isnan(found[1])  # a star
    assert true_redshifts(toy.truth, np.array([2])) == pytest.approx([0.3])  # of a CFHTLS-like tile


def test_an_object_that_the_truth_does_not_list_is_refused(toy):
    with pytest.raises(BadInput) as caught:
        true_redshifts(toy.truth, np.array([7, 12, 5, 13]))
    assert caught.value.file == str(toy.truth)
    assert caught.value.found == "2 of 4 are not there, the first is 12"


def test_a_truth_that_lists_an_object_twice_is_refused(toy, tmp_path):
    truth = pd.read_parquet(toy.truth)
    pd.concat([truth, truth[truth["objID"] == 7]]).to_parquet(tmp_path / "truth.parquet")
    with pytest.raises(BadInput, match="7 twice"):
        true_redshifts(tmp_path / "truth.parquet", np.array([7]))
    # one that nobody asks for does no harm
    assert np.isnan(true_redshifts(tmp_path / "truth.parquet", np.array([5])))


def test_labelled_stars_count_against_neither(toy, tmp_path):
    answers = read_answers(toy.predictions("same", "worse"))
    part = answers.part("toy", "test")
    stars = part.galaxies["object_id"].iloc[:60]
    truth = pd.read_parquet(toy.truth)
    truth.loc[truth["object_id"].isin(stars), "z_true"] = np.nan
    truth.to_parquet(tmp_path / "truth.parquet")
    found = truth_scores(answers, tmp_path / "truth.parquet", SETTINGS)
    assert (found["n_used"] == len(part.galaxies) - 60).all()
    found = found.set_index(["method", "metric", "against"])["value"]
    wanted = point_metrics(part.z_phot["worse"][0, 60:], part.z_true[60:])
    for metric in TRUTH_METRICS:
        assert found["worse", metric, "label"] == pytest.approx(wanted[metric], rel=1e-12)


def test_perfect_labels_give_the_same_intervals_for_both_whoever_is_a_star(toy, tmp_path):
    # the same galaxies and the same resamples: label and truth rows are equal to the last digit
    truth = pd.read_parquet(toy.truth)
    answers = read_answers(toy.predictions("worse"))
    ids = answers.galaxies["object_id"].to_numpy()
    galaxies = answers.galaxies.assign(z_true=true_redshifts(toy.truth, ids))
    truth.loc[truth["object_id"].isin(ids[::9]), "z_true"] = np.nan
    truth.to_parquet(tmp_path / "truth.parquet")
    perfect = Answers(galaxies, answers.z_phot)
    found = truth_scores(perfect, tmp_path / "truth.parquet", SETTINGS).set_index("against")
    pd.testing.assert_frame_equal(found.loc[["label"]].reset_index(drop=True),
                                  found.loc[["truth"]].reset_index(drop=True))  # fmt: skip
