"""Scores against the label and against the truth, side by side."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toy_universe import write_toy_results
from zladder.evaluate.study import read_answers
from zladder.evaluate.truth import true_redshifts
from zladder.evaluate.truth_scores import TRUTH_METRICS, truth_scores
from zladder.metrics.point import POINT_METRICS, point_metrics

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
    found = true_redshifts(toy.truth, np.array([7, 5, ids[3], 12]))
    assert found[[0, 2]] == pytest.approx([0.1, toy.seen.z[3]])  # 7 is an objID
    assert np.isnan(found[[1, 3]]).all()  # a star, and one that is in no catalogue
