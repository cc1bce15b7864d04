"""A matched sample: identity and photometry of one survey, the labels of the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.select import deredden, select_sample
from zladder.provenance.errors import BadInput

LABELS = pd.DataFrame(
    {
        "object_id": [1, 2, 3], "ra": [10.0, 11.0, 12.0], "dec": [0.0, 1.0, 2.0],
        "z_true": [0.1, 0.2, 0.3], "z_true_kind": ["spec"] * 3, "flag": [True, False, True],
        "mag_g": [99.0, 99.0, 99.0], "mag_err_g": [9.0] * 3, "extinction_g": [9.0] * 3,
        "ebv_mag": [9.0] * 3, "part": ["all"] * 3,
    }
)  # fmt: skip
PHOTOMETRY = pd.DataFrame(
    {
        "object_id": [500, 400, 300, 200], "ra": [11.0001, 50.0, 10.0001, 12.0001],
        "dec": [1.0, 5.0, 0.0, 2.0], "mag_g": [20.0, 21.0, 22.0, np.nan],
        "mag_err_g": [0.01, 0.02, 0.03, 0.04], "extinction_g": [0.1, 0.2, 0.3, 0.4],
        "ebv_mag": [0.03, 0.06, 0.09, 0.12], "part": ["wide"] * 4, "z_true": [7.0] * 4,
        "blendedness": [0.5, 0.6, 0.7, 0.8],
    }
)  # fmt: skip
PAIRS = pd.DataFrame(
    {"left_index": [0, 1, 2], "right_index": [2, 0, 3], "separation_arcsec": [0.36, 0.35, 0.34]}
)
SETTINGS = {"name": "toy", "deredden": False, "cuts": []}


def selected(pairs=PAIRS, labels=LABELS, **settings):
    return select_sample(labels, PHOTOMETRY, pairs, SETTINGS | settings, "hsc.parquet")


def test_a_match_keeps_the_identity_and_photometry_of_the_photometry():
    sample, _ = selected()
    assert sample["object_id"].tolist() == [300, 500, 200]
    assert sample["ra"].tolist() == [10.0001, 11.0001, 12.0001]
    np.testing.assert_array_equal(sample["mag_g"], [22.0, 20.0, np.nan])
    assert sample["mag_err_g"].tolist() == [0.03, 0.01, 0.04]
    assert sample["extinction_g"].tolist() == [0.3, 0.1, 0.4]
    assert sample["ebv_mag"].tolist() == [0.09, 0.03, 0.12]


def test_a_match_takes_labels_and_all_else_from_the_labels():
    sample, _ = selected()
    assert sample["z_true"].tolist() == [0.1, 0.2, 0.3]
    assert sample["z_true_kind"].tolist() == ["spec"] * 3
    assert sample["flag"].tolist() == [True, False, True]
    assert sample["part"].tolist() == ["all"] * 3
    assert sample["blendedness"].tolist() == [0.7, 0.5, 0.8]  # only the photometry has it
    assert sample["match_separation_arcsec"].tolist() == [0.36, 0.35, 0.34]
    assert sample.columns.is_unique


def test_a_band_of_the_labels_alone_is_not_mixed_in():
    sample, _ = selected(labels=LABELS.assign(mag_u=18.0))
    assert "mag_u" not in sample


def test_without_pairs_one_survey_gives_both():
    sample, _ = selected(pairs=None)
    pd.testing.assert_frame_equal(sample.reset_index(drop=True), PHOTOMETRY)


def test_cuts_are_counted():
    cuts = [{"name": "flagged", "keep": "flag == True"}, {"name": "seen", "finite": ["mag_g"]}]
    sample, cutflow = selected(cuts=cuts)
    assert sample["object_id"].tolist() == [300]
    assert cutflow["n_in"].tolist()[0] == 3
    assert cutflow["n_out"].tolist()[-2:] == [2, 1]


def test_dereddening_subtracts_the_extinction_of_each_band():
    sample, _ = selected(deredden=True)
    np.testing.assert_allclose(sample["mag_g"], [21.7, 19.9, np.nan])
    assert sample["mag_err_g"].tolist() == [0.03, 0.01, 0.04]  # an error is no magnitude
    assert sample["extinction_g"].tolist() == [0.3, 0.1, 0.4]
    assert PHOTOMETRY["mag_g"].iloc[0] == 20.0  # the input is left alone


def test_what_was_not_detected_stays_so():
    frame = PHOTOMETRY.assign(mag_g=[np.inf, np.nan, 20.0, 20.0])
    corrected = deredden(frame, "t")["mag_g"]
    assert np.isposinf(corrected[0])
    assert np.isnan(corrected[1])


def test_dereddening_needs_every_extinction():
    frame = PHOTOMETRY.assign(mag_r=20.0)
    with pytest.raises(BadInput) as caught:
        deredden(frame, "hsc.parquet")
    error = caught.value
    assert (error.file, error.place) == ("hsc.parquet", "column 'extinction_r'")
    assert error.found == "no such column"
    assert "deredden: false" in error.hint
