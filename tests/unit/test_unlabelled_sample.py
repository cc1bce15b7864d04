"""A survey without redshifts makes a sample without labels, and nothing invents any."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.native import read_survey
from zladder.catalogs.select import select_sample
from zladder.config.selections import sample_cuts
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.standard import write_standard

LABELS = ("z_true", "z_true_err", "z_true_kind")


def native(bands: list[str], n: int = 40) -> pd.DataFrame:
    """Rows as SDSS gives them, without spectra; one magnitude is missing."""
    draw = np.random.default_rng(3)
    columns = {
        "objID": np.arange(n) + 1237648720693755905,
        "ra": draw.uniform(0, 9, n),
        "dec": draw.uniform(0, 9, n),
        "run": np.full(n, 756),
        "camcol": draw.integers(1, 7, n),
        "field": draw.integers(11, 900, n),
        "type": np.full(n, 3),
        "mode": np.full(n, 1),
        "clean": np.full(n, 1),
        "insideMask": np.full(n, 0),
    }
    for band in bands:
        columns[f"modelMag_{band}"] = draw.uniform(16, 20, n)
        columns[f"modelMagErr_{band}"] = draw.uniform(0.01, 0.1, n)
        columns[f"extinction_{band}"] = draw.uniform(0.05, 0.2, n)
        columns[f"psfWidth_{band}"] = draw.uniform(0.9, 1.6, n)
    columns["modelMag_u"][5] = -9999.0
    return pd.DataFrame(columns)


@pytest.fixture
def deep(settings, tmp_path):
    """The shipped survey and sample without labels, and a native file of it."""
    everything = settings()
    survey = {"name": "mock_sdss_deep", **everything["survey_files"]["mock_sdss_deep"]}
    cuts = sample_cuts(everything, "mock_deep")
    sample = {"name": "mock_deep", **everything["catalogs"]["samples"]["mock_deep"], "cuts": cuts}
    file = tmp_path / "sdss_deep.csv"
    native(survey["bands"]).to_csv(file, index=False)
    return survey, sample, file


def test_reading_and_selecting_gives_no_labels(deep, tmp_path):
    survey, settings, file = deep
    catalog, counts = read_survey({"all": file}, survey)
    assert (counts["rows_in"], counts["rows_out"]) == (40, 40)
    sample, cutflow = select_sample(catalog, catalog, None, settings, file)
    assert not set(LABELS) & (set(catalog) | set(sample))
    assert cutflow["n_out"].tolist() == [40, 40, 40, 40, 39]
    path = tmp_path / "mock_deep.parquet"
    write_standard(sample, path)
    read = read_table(path)
    assert not set(LABELS) & set(read)
    for name in ("run", "camcol", "field"):
        assert read[name].dtype == np.int64
    raw = native(survey["bands"]).drop(index=5)
    np.testing.assert_array_equal(read["field"], raw["field"])
    stored = survey["stored_extinction_per_ebv"]
    ebv_mag = sum(raw[f"extinction_{band}"] / stored[band] for band in "ugriz") / 5
    corrected = raw["modelMag_r"] - survey["extinction_per_ebv"]["r"] * ebv_mag
    np.testing.assert_allclose(read["mag_r"], corrected, rtol=1e-6)


def test_a_sample_without_cuts_is_the_whole_catalogue(deep):
    survey, settings, file = deep
    catalog, _ = read_survey({"all": file}, survey)
    sample, cutflow = select_sample(catalog, catalog, None, {**settings, "cuts": []}, file)
    assert len(sample) == 40
    assert cutflow.empty


def test_a_redshift_cut_on_a_sample_without_labels_is_refused(deep):
    survey, settings, file = deep
    catalog, _ = read_survey({"all": file}, survey)
    cuts = [{"name": "redshift range", "keep": "z_true > 0"}]
    with pytest.raises(BadInput) as caught:
        select_sample(catalog, catalog, None, {**settings, "cuts": cuts}, file)
    error = caught.value
    assert error.file == str(file)
    assert error.place.startswith("cut 'redshift range'")


def test_labels_of_no_kind_are_refused(deep):
    survey, _, file = deep
    survey = {**survey, "columns": {**survey["columns"], "z_true": "modelMag_r"}}
    with pytest.raises(BadInput) as caught:
        read_survey({"all": file}, survey)
    error = caught.value
    assert (error.place, error.expected) == ("kind", "spec or photo or mock")
    assert error.found == "'none'"
