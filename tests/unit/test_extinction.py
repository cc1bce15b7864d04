"""Stored extinctions on SDSS's DR12 scale become what dust takes away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from zladder.catalogs.extinction import rescaled_extinctions
from zladder.provenance.errors import BadInput
from zladder.tables.hdf5_objects import DR12_EXTINCTION_PER_EBV

CONFIG = Path(__file__).parents[2] / "config"
SURVEY = {
    "name": "own",
    "bands": ["g", "r"],
    "stored_extinction_per_ebv": {"g": 4.0, "r": 2.0},
    "extinction_per_ebv": {"g": 3.0, "r": 1.0},
}


def table(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"mag_g": [18.0, 19.0], **columns})


def test_the_mean_reddening_gives_every_band_its_extinction():
    # by hand: E = (0.4 / 4 + 0.4 / 2) / 2 = 0.15, so 0.45 and 0.15; then 0 and 0
    stored = table(extinction_g=[0.4, 0.0], extinction_r=[0.4, 0.0])
    frame = rescaled_extinctions(stored, SURVEY)
    np.testing.assert_allclose(frame["extinction_g"], [0.45, 0.0])
    np.testing.assert_allclose(frame["extinction_r"], [0.15, 0.0])
    assert frame["mag_g"].tolist() == [18.0, 19.0]


def test_an_extinction_that_is_missing_in_one_band_is_missing_in_all():
    frame = rescaled_extinctions(table(extinction_g=[0.4, 0.4], extinction_r=[np.nan, 0.2]), SURVEY)
    assert frame[["extinction_g", "extinction_r"]].isna().all(axis=1).tolist() == [True, False]


def test_a_survey_that_declares_no_scale_keeps_its_extinctions():
    stored = table(extinction_g=[0.4, 0.1], extinction_r=[0.3, 0.2])
    survey = {key: SURVEY[key] for key in ("name", "bands", "extinction_per_ebv")}
    pd.testing.assert_frame_equal(rescaled_extinctions(stored, survey), stored)


@pytest.mark.parametrize(
    ("changes", "columns", "place", "found"),
    [
        ({"extinction_per_ebv": {"g": 3.0}}, "gr", "extinction_per_ebv.r", "none for 'r'"),
        ({"stored_extinction_per_ebv": {"g": 4.0, "r": 0.0}}, "gr", "stored_extinction_per_ebv.r",
         "0.0"),
        ({}, "g", "columns.extinction_r", "no such key"),
    ],
)  # fmt: skip
def test_a_scale_that_does_not_fit_is_refused(changes, columns, place, found):
    stored = table(**{f"extinction_{band}": [0.1, 0.2] for band in columns})
    with pytest.raises(BadInput) as caught:
        rescaled_extinctions(stored, SURVEY | changes)
    assert (caught.value.place, caught.value.found) == (place, found)


def test_the_mock_survey_lists_what_its_description_says():
    settings = yaml.safe_load((CONFIG / "stages" / "survey.yaml").read_text(encoding="utf-8"))
    for name in ("mock_sdss", "mock_sdss_deep"):
        survey = yaml.safe_load((CONFIG / "surveys" / f"{name}.yaml").read_text(encoding="utf-8"))
        assert survey["stored_extinction_per_ebv"] == settings["sdss"]["extinction_per_ebv"]
        assert survey["stored_extinction_per_ebv"] == DR12_EXTINCTION_PER_EBV
