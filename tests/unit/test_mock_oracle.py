"""The oracle's figure: an honest one has a flat PIT against the truth, and no other has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.unit.toy_oracle import toy_oracle, write_oracle
from zladder.pdf.pdf_file import read_pdfs
from zladder.report.mock_oracle import draw_oracle
from zladder.report.oracle_pit import PIT_BINS, PIT_COLUMNS, flatness, judge_oracle, pit_table


def judged_by(narrower=1.0, n=1200):
    found = judge_oracle(*toy_oracle(n, narrower=narrower))
    return {(one.dataset, one.against): one for one in found}


def test_an_honest_oracle_is_flat_against_the_truth():
    found = judged_by()
    assert list(found) == [("specz", "true z"), ("photoz", "true z"), ("photoz", "label")]
    for name in (("specz", "true z"), ("photoz", "true z")):
        flat = flatness(found[name].pit)
        assert flat.p_value >= 0.01  # of honest oracles one in a hundred fails; the seed is fixed
        assert flat.n == flat.counts.sum() == 1200
        assert ((flat.counts < flat.low) | (flat.counts > flat.high)).sum() <= 2


def test_one_that_is_too_sure_of_itself_and_labels_with_errors_are_not_flat():
    assert flatness(judged_by()["photoz", "label"].pit).p_value < 1e-6
    sure = flatness(judged_by(narrower=0.6)["specz", "true z"].pit)
    assert sure.p_value < 1e-4
    assert sure.counts[[0, -1]].min() > sure.high


def test_the_table_says_what_the_figure_shows():
    judged = judge_oracle(*toy_oracle(1200))
    table = pit_table(judged)
    assert list(zip(table["dataset"], table["against"], strict=True)) == [
        (one.dataset, one.against) for one in judged
    ]
    assert (table["n"] == 1200).all()
    assert table["is_flat"].tolist() == [True, True, False]
    np.testing.assert_array_equal(table["is_flat"], table["p_value"] >= 0.01)
    for outside, one in zip(table["bins_outside"], judged, strict=True):
        counts, _ = np.histogram(one.pit, 20, (0, 1))
        low, high = binom.interval(0.99, 1200, 0.05)
        assert outside == ((counts < low) | (counts > high)).sum()
    assert pit_table([]).dtypes.astype(str).to_dict().keys() == PIT_COLUMNS.keys()
    (none,) = pit_table([replace(judged[0], pit=np.full(3, np.nan))]).to_dict("records")
    assert (none["n"], none["is_flat"]) == (0, False)


def test_the_band_holds_what_the_binomial_says():
    rng = np.random.default_rng(5)
    outside = 0
    for _ in range(200):
        flat = flatness(rng.random(400))
        outside += ((flat.counts < flat.low) | (flat.counts > flat.high)).sum()
    # 1 % of 4,000 bins would be 40; the discrete band holds at least its 99 %.
    assert 5 <= outside <= 60


def test_pit_is_the_share_of_the_density_below_the_truth():
    from zladder.pdf.pdf_file import ClassPdfs

    pdfs = ClassPdfs(np.array([7, 8]), np.array([0.0, 1.0, 2.0]), np.array([[0.2, 0.8]] * 2))
    predictions = pd.DataFrame({"object_id": [8, 9, 7], "dataset": "d", "split": "test",
                                "z_true": [1.5, 0.5, 0.5], "z_phot": [1.3, 1.3, 1.3]})  # fmt: skip
    truth = pd.DataFrame({"object_id": [7, 8, 9], "objID": -1, "z_true": [0.5, 1.5, 0.5]})
    (one,) = judge_oracle(predictions, pdfs, truth)
    np.testing.assert_allclose(one.pit, [0.6, np.nan, 0.1])
    assert flatness(one.pit).n == 2
    figure = draw_oracle([one], "A <study>", "hsc")
    assert figure.axes[0].get_xlabel() == "z_true"


def test_a_galaxy_of_two_samples_has_a_density_in_each():
    from zladder.pdf.pdf_file import ClassPdfs

    density = np.array([[0.2, 0.8], [0.6, 0.4]])
    pdfs = ClassPdfs(np.array([7, 7]), np.array([0.0, 1.0, 2.0]), density)
    predictions = pd.DataFrame({"object_id": [7, 7], "dataset": ["a", "b"], "split": "test",
                                "z_true": 0.5, "z_phot": 0.5})  # fmt: skip
    truth = pd.DataFrame({"object_id": [7], "objID": -1, "z_true": [0.5]})
    first, second = judge_oracle(predictions, pdfs, truth)
    np.testing.assert_allclose([first.pit[0], second.pit[0]], [0.1, 0.3])


def test_only_test_galaxies_count():
    predictions, pdfs, truth = toy_oracle(50)
    predictions.loc[predictions.index[:20], "split"] = "validation"
    found = judge_oracle(predictions, pdfs, truth)
    assert len(found[0].z) == 30


def test_the_figure_has_its_panels_and_says_what_they_are(tmp_path):
    paths = write_oracle(tmp_path, 150)
    judged = judge_oracle(pd.read_parquet(paths[0]), read_pdfs(paths[1]),
                          pd.read_parquet(paths[2]))  # fmt: skip
    figure = draw_oracle(judged, "Two kinds of truth", "hsc")
    panels = [axes for axes in figure.axes if axes.get_xlabel() in ("z_true", "label", "PIT")]
    assert [axes.get_xlabel() for axes in panels] == ["z_true", "PIT", "z_true", "PIT", "label",
                                                      "PIT"]  # fmt: skip
    stairs = panels[1].patches[-1]
    assert stairs.get_data().values.sum() == 150
    assert len(stairs.get_data().edges) == PIT_BINS + 1


@pytest.mark.parametrize("n", [0, 1])
def test_no_galaxies_make_an_empty_figure_and_no_crash(n):
    predictions, pdfs, truth = toy_oracle(5)
    judged = judge_oracle(predictions.iloc[:n], pdfs, truth)
    assert len(judged) == n
    draw_oracle(judged, "None", "hsc")
    assert np.isnan(flatness(np.array([])).p_value)
