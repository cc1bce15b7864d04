"""The overlays of config/papers: valid, and right on native files of the real surveys' shape."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.table import Table

from zladder.catalogs.match_read import Side
from zladder.catalogs.matching import match_tables
from zladder.catalogs.native import read_survey
from zladder.catalogs.select import select_sample
from zladder.config.cards import dataset_samples
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
SORIANO = ROOT / "config" / "papers" / "soriano2024.yaml"
BANDS = "grizy"
FILES = {
    "galaxiesml": "galaxiesml/HSC_v6.csv",
    "cosmos2020": "cosmos2020/COSMOS2020_CLASSIC_R1_v2.1_p3.fits",
    "hsc_pdr2": "hsc_pdr2/hsc_pdr2_wide_forced.csv",
}


def settings_of(text: str) -> dict:
    """Load an overlay's text as Snakemake does: plain YAML over config/config.yaml."""
    given = overlay(read_yaml(ROOT / "config" / "config.yaml"), yaml.safe_load(text))
    return load_settings(ROOT, given)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty data folder, set as ZLADDER_DATA."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path / "data"))
    for file in FILES.values():
        (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path / "data"


@pytest.fixture
def ladder(data):
    """The wiring of the overlay with its three files there."""
    write_galaxiesml(data / FILES["galaxiesml"])
    write_cosmos(data / FILES["cosmos2020"])
    write_hsc(data / FILES["hsc_pdr2"])
    settings = settings_of(SORIANO.read_text(encoding="utf-8"))
    return Wiring(settings, make_plan(settings))


def catalogue(ladder, survey):
    """Read a survey as rule read_catalog does."""
    files = {part: Path(path) for part, path in ladder.native_files(survey).items()}
    return read_survey(files, json.loads(ladder.reading(survey)))


# ---------------------------------------------------------------- native files


def photometry(n, value=20.0):
    """HSC's columns of a galaxy that passes every cut, n rows."""
    magnitudes = {f"{band}_cmodel_mag": [value] * n for band in BANDS}
    return magnitudes | {f"{band}_cmodel_magsigma": [0.02] * n for band in BANDS}


# Per cut of the GalaxiesML sample: the changes that make one row fail this cut and no other.
GALAXIESML_FAILURES = {
    "redshift range": [{"specz_redshift": 0.01}, {"specz_redshift": 4.0, "specz_mag_i": 20.0}],
    "redshift error": [{"specz_redshift_err": 0.0}],
    "relative redshift error": [{"specz_redshift_err": 0.005 * 1.5 + 1e-5}],
    "homogeneous flag": [{"specz_flag_homogeneous": False}],
    "magnitude in g": [{"g_cmodel_mag": np.nan}, {"g_cmodel_mag": np.inf}],
    "magnitude in r": [{"r_cmodel_mag": -99.0}],
    "magnitude in i": [{"i_cmodel_mag": -99.9}],
    "magnitude in z": [{"z_cmodel_mag": np.inf}],
    "magnitude in y": [{"y_cmodel_mag": np.nan}],
    "magnitude of the spectroscopic list": [
        {"specz_mag_i": 28.0},
        {"specz_mag_i": 0.0},
        {"specz_mag_i": -99.9},
    ],
}
N_GOOD = 4


def galaxiesml_rows():
    """Four good galaxies, then one row for each failure."""
    changes = [{}] * N_GOOD + [c for several in GALAXIESML_FAILURES.values() for c in several]
    n = len(changes)
    frame = pd.DataFrame({
        "object_id": 36407043597301700 + np.arange(n),  # 17 digits: no float holds them
        "specz_name": [f"VIPERS-{i}" for i in range(n)],
        "ra": 30.0 + 0.01 * np.arange(n),
        "dec": [-5.0] * n,
        "specz_redshift": [0.5] * n,
        "specz_redshift_err": [1e-4] * n,
        "specz_flag_homogeneous": [True] * n,
        "specz_mag_i": [20.5] * n,
        **photometry(n),
    })  # fmt: skip
    for row, change in enumerate(changes):
        for column, value in change.items():
            frame.loc[row, column] = value
    return frame


def write_galaxiesml(path, frame=None):
    frame = galaxiesml_rows() if frame is None else frame
    frame.to_csv(path, index=False, na_rep="nan")


# The same for the TransferZ sample; z of a good row is 1.0, so the PDF may be 0.1 wide.
COSMOS_FAILURES = {
    "a galaxy": [{"lp_type": 1}, {"lp_type": 2}, {"lp_type": -9}],
    "best fit inside the grid": [{"lp_zMinChi2": 0.01}, {"lp_zMinChi2": 9.0}],
    "mass": [{"lp_mass_best": 7.5}],
    "narrow redshift PDF": [{"lp_zPDF_u68": 1.11}, {"lp_zPDF_l68": 0.89}],
    "fits better than a star": [{"lp_chis": 30.0}],
    "good fit": [{"lp_chi2_best": 150.0}],
    "no second peak": [{"lp_zp_2": 2.1}],
    "redshift range": [
        {"lp_zPDF": 0.01, "lp_zPDF_l68": 0.009, "lp_zPDF_u68": 0.011},
        {"lp_zPDF": 4.0, "lp_zPDF_l68": 3.9, "lp_zPDF_u68": 4.1},
    ],
    "measured in every band": [{}],  # its HSC partner has no y magnitude
}
STEP_DEG = 0.01


def cosmos_rows():
    """Four good galaxies, one row a failure, then one that HSC lacks and two that share one."""
    failures = [change for several in COSMOS_FAILURES.values() for change in several]
    changes = [{}] * N_GOOD + failures + [{}] * 3
    n = len(changes)
    frame = pd.DataFrame({
        "ID": np.arange(1, n + 1),
        "ALPHA_J2000": 150.0 + STEP_DEG * np.arange(n),
        "DELTA_J2000": [0.0] * n,  # on the equator: a degree of RA is a degree of sky
        "lp_type": [0] * n,
        "lp_zPDF": [1.0] * n,
        "lp_zPDF_l68": [0.95] * n,
        "lp_zPDF_u68": [1.05] * n,
        "lp_zMinChi2": [1.0] * n,
        "lp_chi2_best": [30.0] * n,
        "lp_chis": [200.0] * n,
        "lp_NbFilt": [30] * n,
        "lp_mass_best": [10.0] * n,
        "lp_zp_2": [np.nan] * n,
        "HSC_i_MAG_AUTO": [21.0] * n,  # one of the hundreds that nobody asks for
    })  # fmt: skip
    for row, change in enumerate(changes):
        for column, value in change.items():
            frame.loc[row, column] = value
    frame.loc[n - 1, "ALPHA_J2000"] = frame.loc[n - 2, "ALPHA_J2000"] + 0.5 / 3600
    return frame


def write_cosmos(path, frame=None):
    Table.from_pandas(cosmos_rows() if frame is None else frame).write(path, format="fits")


def write_hsc(path):
    """One HSC object 0.2 arcsec from each COSMOS row but the last but two and the last."""
    cosmos = cosmos_rows()
    n = len(cosmos)
    frame = pd.DataFrame({
        "object_id": 43158034708340000 + np.arange(n),
        "ra": cosmos["ALPHA_J2000"] + 0.2 / 3600,
        "dec": cosmos["DELTA_J2000"],
        **photometry(n),
        **{f"a_{band}": [0.05] * n for band in BANDS},
        **{f"{band}_sdssshape_psf_shape{which}": [0.08 if which != 12 else 0.0] * n
           for band in BANDS for which in (11, 22, 12)},
    })  # fmt: skip
    unmeasured = N_GOOD + sum(map(len, COSMOS_FAILURES.values())) - 1
    frame.loc[unmeasured, "y_cmodel_mag"] = -99.0
    frame.drop(index=[n - 3, n - 1]).to_csv(path, index=False)


# ---------------------------------------------------------------- the overlay


def test_the_overlay_asks_for_the_paper_on_real_surveys(ladder):
    settings = ladder.settings
    assert (settings["sky"], settings["scale"]) == ("hsc", "paper")
    assert ladder.plan.by_paper(settings) == {"soriano2024": ["transfer", "published_images"]}
    assert set(ladder.plan.surveys) == {"galaxiesml", "cosmos2020", "hsc_pdr2"}
    assert not ladder.is_simulated("transfer")
    assert settings["train"]["n_seeds"] == 5


def test_the_galaxiesml_copy_of_a_galaxy_wins(ladder):
    assert dataset_samples(ladder.settings, "combined") == ["galaxiesml", "transferz"]
    assert dataset_samples(ladder.settings, "specz") == ["galaxiesml"]
    assert dataset_samples(ladder.settings, "photoz") == ["transferz"]


def test_every_native_file_lies_below_the_data_folder(ladder, data):
    for survey, file in FILES.items():
        assert ladder.native_files(survey) == {"all": str(data / file)}


def test_a_missing_file_is_named_before_anything_runs(data):
    write_galaxiesml(data / FILES["galaxiesml"])
    write_hsc(data / FILES["hsc_pdr2"])
    settings = settings_of(SORIANO.read_text(encoding="utf-8"))
    del settings["survey_files"]["cosmos2020"]["source"]["fetch"]
    with pytest.raises(BadInput) as refused:
        make_plan(settings)
    error = refused.value
    assert "survey cosmos2020" in error.place
    assert error.file.endswith(FILES["cosmos2020"])
    assert (error.expected, error.found) == ("a file", "nothing")
    assert "ZLADDER_DATA" in error.hint


def test_a_missing_file_is_fetched_if_its_address_is_known(data):
    write_galaxiesml(data / FILES["galaxiesml"])
    write_hsc(data / FILES["hsc_pdr2"])
    settings = settings_of(SORIANO.read_text(encoding="utf-8"))
    files = Wiring(settings, make_plan(settings)).native_files("cosmos2020")
    assert files == {"all": "data/fetched/cosmos2020/all"}
    settings["archives"]["cosmos2020_classic"]["url"] = None
    with pytest.raises(BadInput) as refused:
        make_plan(settings)
    error = refused.value
    assert "survey cosmos2020" in error.place
    assert "cosmos2020_classic" in error.expected
    assert FILES["cosmos2020"] in error.hint


def test_every_cut_of_galaxiesml_removes_what_it_should(ladder):
    table, counts = catalogue(ladder, "galaxiesml")
    assert counts["rows_in"] == counts["rows_out"] == len(galaxiesml_rows())
    settings = json.loads(ladder.selection("galaxiesml"))
    sample, cutflow = select_sample(table, table, None, settings, "galaxiesml.parquet")
    lost = dict(zip(cutflow["cut"], cutflow["n_lost"], strict=True))
    duplicates = dict.fromkeys(["each spectrum once", "one redshift a galaxy"], 0)
    assert lost == {cut: len(rows) for cut, rows in GALAXIESML_FAILURES.items()} | duplicates
    assert sample["object_id"].tolist() == [36407043597301700 + i for i in range(N_GOOD)]
    assert sample["z_true_kind"].unique().tolist() == ["spec"]
    np.testing.assert_array_equal(sample["mag_g"], np.float32(20.0))  # not dereddened


def test_two_redshifts_of_one_galaxy_are_both_dropped(ladder, data):
    # Rows 0 and 1 are one galaxy with two spectra; 2 is listed twice under one spectrum; 3 has a
    # second redshift that fails a cut and so does not count against it.
    frame = galaxiesml_rows()
    good, bad = frame.iloc[2:3], frame.iloc[3:4].assign(specz_redshift_err=0.5, specz_name="x")
    frame.loc[1, "object_id"] = frame.loc[0, "object_id"]
    frame = pd.concat([frame, good, bad], ignore_index=True)
    write_galaxiesml(data / FILES["galaxiesml"], frame)
    table, counts = catalogue(ladder, "galaxiesml")
    assert counts["duplicates"] == 0
    settings = json.loads(ladder.selection("galaxiesml"))
    sample, cutflow = select_sample(table, table, None, settings, "galaxiesml.parquet")
    lost = dict(zip(cutflow["cut"], cutflow["n_lost"], strict=True))
    assert (lost["each spectrum once"], lost["one redshift a galaxy"]) == (1, 2)
    assert sample["object_id"].tolist() == frame.loc[[2, 3], "object_id"].tolist()


def test_every_cut_of_transferz_removes_what_it_should(ladder):
    labels, _ = catalogue(ladder, "cosmos2020")
    hsc, _ = catalogue(ladder, "hsc_pdr2")
    radius = ladder.match_radius_arcsec("transferz")
    sides = Side("cosmos"), Side("hsc")
    pairs, quality = match_tables(labels, hsc, radius, *sides, one_to_one=True)
    n, counts = len(cosmos_rows()), quality["counts"]
    assert (counts["n_left"], counts["n_right"]) == (n, n - 2)
    # The last row stands 0.3 arcsec from its neighbour's partner, which is nearer to the neighbour.
    losses = counts["n_no_neighbour"], counts["n_contested"]
    assert (counts["n_matched"], *losses) == (n - 2, 1, 1)
    settings = json.loads(ladder.selection("transferz"))
    sample, cutflow = select_sample(labels, hsc, pairs, settings, "hsc.parquet")
    lost = dict(zip(cutflow["cut"], cutflow["n_lost"], strict=True))
    assert lost == {cut: len(rows) for cut, rows in COSMOS_FAILURES.items()}
    # The four good ones and the winner of the contest, under HSC's identifiers.
    winner = 43158034708340000 + n - 2
    assert sample["object_id"].tolist() == [43158034708340000 + i for i in range(N_GOOD)] + [winner]
    assert sample["z_true_kind"].unique().tolist() == ["photo"]
    np.testing.assert_allclose(sample["match_separation_arcsec"], 0.2, atol=1e-6)


def test_the_cuts_that_stand_in_comments_work_when_they_are_taken_in(ladder, data):
    text = re.sub(r"^( *)# (- \{name)", r"\1\2", SORIANO.read_text(encoding="utf-8"), flags=re.M)
    given = yaml.safe_load(text)
    columns = read_yaml(ROOT / "config" / "surveys" / "cosmos2020.yaml")["extra_columns"]
    extra = {"extra_columns": [*columns, "FLAG_COMBINED", "lp_zBEST"]}
    given["surveys"] = {"cosmos2020": extra}
    frame = cosmos_rows().assign(FLAG_COMBINED=0, lp_zBEST=1.0)
    frame.loc[0, "FLAG_COMBINED"] = 1
    frame.loc[1, "lp_zBEST"] = -1.0
    frame.loc[2, "lp_NbFilt"] = 8
    frame.loc[3, "lp_zPDF_l68"] = 0.49  # lost to the narrow PDF before, but alone to this cut
    (data / FILES["cosmos2020"]).unlink()
    write_cosmos(data / FILES["cosmos2020"], frame)
    settings = settings_of(yaml.safe_dump(given))
    wiring = Wiring(settings, make_plan(settings))
    labels, _ = catalogue(wiring, "cosmos2020")
    hsc, _ = catalogue(wiring, "hsc_pdr2")
    pairs, _ = match_tables(labels, hsc, 1.0, Side("cosmos"), Side("hsc"), one_to_one=True)
    cuts = json.loads(wiring.selection("transferz"))
    _, cutflow = select_sample(labels, hsc, pairs, cuts, "hsc.parquet")
    lost = dict(zip(cutflow["cut"], cutflow["n_lost_alone"], strict=True))
    found = [lost[cut] for cut in ("unmasked", "best redshift", "lower error", "many filters")]
    assert found == [1, 1, 1, 1]


def test_every_overlay_of_config_papers_is_tested():
    # the others in test_sdss_overlays.py
    overlays = sorted(path.stem for path in (ROOT / "config" / "papers").glob("*.yaml"))
    assert overlays == sorted([SORIANO.stem, "hayat2021", "hayat2021_released", "lin2022"])
