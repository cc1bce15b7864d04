"""The overlays of the two papers on SDSS images: their cuts, row by row, in the native format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.native import read_survey
from zladder.catalogs.select import select_sample
from zladder.config.cards import dataset_samples
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.learning.room import room_pixels
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ("hayat2021", "lin2022")
FILES = {"sdss_dr12": "sdss_dr12/main_sample.csv",
         "sdss_dr12_deep": "sdss_dr12_deep/deep_sample.csv"}  # fmt: skip
BANDS = "ugriz"
DR12 = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
SF11 = {"u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263}
EBV_MAG = 0.1
N_GOOD = 3
FIRST_ID = 1237650000000000000  # 19 digits: no float holds them

# Per cut: the changes that make one row fail this cut and no other.
OF_BOTH = {
    "clean photometry": [{"clean": 0}],
    "outside the masks": [{"insideMask": 4}],
    "measured in every band": [{"modelMag_u": -9999}, {"modelMag_z": -9999}],
}
MAIN = OF_BOTH | {
    "redshift range": [{"z": 0.0}, {"z": 0.4001}],
    "sure redshift": [{"zWarning": 4}],
    "a galaxy by its spectrum": [{"class": "QSO"}],
    "target of the main sample": [{"primtarget": 32}],
    "bright enough": [{"dered_petro_r": 17.801}],
}
DEEP = OF_BOTH | {
    "primary detection": [{"mode": 2}],
    "a galaxy by its image": [{"type": 6}],
    "bright enough": [{"dered_petro_r": 19.801}],
}


def rows(failures: dict[str, list[dict]], r_mag: float) -> pd.DataFrame:
    """Return good rows, the last at the limit, then one row a failure."""
    changes = [{}] * (N_GOOD - 1) + [{"dered_petro_r": r_mag}]
    changes += [change for several in failures.values() for change in several]
    n = len(changes)
    frame = pd.DataFrame({
        "objID": FIRST_ID + np.arange(n), "specObjID": np.uint64(2**63) + np.arange(n, dtype="u8"),
        "run": 2001, "rerun": 301, "camcol": 3, "field": 11,
        "ra": 185.0 + 0.01 * np.arange(n), "dec": 20.0,
        "z": 0.1, "zErr": 1e-5, "zWarning": 0, "class": "GALAXY", "primtarget": 64,
        "dered_petro_r": 17.0,
        "mode": 1, "type": 3, "clean": 1, "insideMask": 0,
        **{f"modelMag_{band}": 17.0 for band in BANDS},
        **{f"modelMagErr_{band}": 0.02 for band in BANDS},
        **{f"extinction_{band}": DR12[band] * EBV_MAG for band in BANDS},
        **{f"psfWidth_{band}": 1.3 for band in BANDS},
        **{f"rowc_{band}": 700.5 for band in BANDS},
    })  # fmt: skip
    for row, change in enumerate(changes):
        for column, value in change.items():
            frame.loc[row, column] = value
    return frame


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Both answers of SkyServer below ZLADDER_DATA."""
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path))
    for survey, table in (("sdss_dr12", rows(MAIN, 17.8)), ("sdss_dr12_deep", rows(DEEP, 19.8))):
        path = tmp_path / FILES[survey]
        path.parent.mkdir()
        path.write_text("#Table1\n" + table.to_csv(index=False), encoding="utf-8")
    return tmp_path


def ladder(paper: str) -> Wiring:
    overlaid = read_yaml(ROOT / "config" / "papers" / f"{paper}.yaml")
    given = overlay(read_yaml(ROOT / "config" / "config.yaml"), overlaid)
    settings = load_settings(ROOT, given)
    return Wiring(settings, make_plan(settings))


def selected(wiring: Wiring, survey: str, sample: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sample and cut-flow as the rules read_catalog and select_sample make them."""
    files = {part: Path(path) for part, path in wiring.native_files(survey).items()}
    table, counts = read_survey(files, json.loads(wiring.reading(survey)))
    assert counts["rows_in"] == counts["rows_out"]
    return select_sample(table, table, None, json.loads(wiring.selection(sample)), "sdss.parquet")


@pytest.mark.parametrize("paper", PAPERS)
def test_the_overlay_asks_for_the_paper_on_the_real_sdss(data, paper):
    wiring = ladder(paper)
    settings = wiring.settings
    assert (settings["sky"], settings["scale"]) == ("sdss", "paper")
    studies = {"hayat2021": ["label_efficiency"], "lin2022": ["class_residuals"]}[paper]
    assert wiring.plan.by_paper(settings) == {paper: studies}
    assert not any(wiring.is_simulated(study) for study in wiring.plan.studies)
    assert dataset_samples(settings, "main_images") == ["sdss_dr12_main"]
    assert wiring.mock_pages() == wiring.oracle_samples() == []
    survey = json.loads(wiring.cutting("sdss_dr12_main"))
    assert (survey["bands"], survey["pixel_scale_arcsec"]) == (list(BANDS), 0.396)
    assert (survey["grid"], survey["stamp_pixels"]) == ("sky", 112)


def test_both_papers_share_sky_sample_stamps_and_splits(data):
    hayat, lin = (ladder(paper) for paper in PAPERS)
    for asked in ("selection", "cutting"):
        assert getattr(hayat, asked)("sdss_dr12_main") == getattr(lin, asked)("sdss_dr12_main")
    assert hayat.building_images("main_images") == lin.building_images("main_images")
    assert hayat.away_from("deep_images") == ["<results>/datasets/main_images.parquet"]


@pytest.mark.parametrize(("survey", "failures"), [("sdss_dr12", MAIN), ("sdss_dr12_deep", DEEP)])
def test_every_cut_removes_what_it_should(data, survey, failures):
    sample = {"sdss_dr12": "sdss_dr12_main"}.get(survey, survey)
    table, cutflow = selected(ladder("hayat2021"), survey, sample)
    lost = dict(zip(cutflow["cut"], cutflow["n_lost"], strict=True))
    once = {"one spectrum a galaxy": 0} if survey == "sdss_dr12" else {}
    assert lost == {cut: len(several) for cut, several in failures.items()} | once
    assert table["object_id"].tolist() == [FIRST_ID + i for i in range(N_GOOD)]
    # de-reddened by E(B-V) 0.1 on the scale of 2011, whatever scale the catalogue lists
    for band in BANDS:
        expected = 17.0 - SF11[band] * EBV_MAG
        np.testing.assert_allclose(table[f"mag_{band}"][:2], expected, atol=2e-5)
    assert ("z_true" in table) == (survey == "sdss_dr12")


def test_two_spectra_of_one_galaxy_count_once(data):
    table = rows(MAIN, 17.8)
    table.loc[1, "objID"] = FIRST_ID
    path = data / FILES["sdss_dr12"]
    path.write_text("#Table1\n" + table.to_csv(index=False), encoding="utf-8")
    found, cutflow = selected(ladder("lin2022"), "sdss_dr12", "sdss_dr12_main")
    assert found["object_id"].tolist() == [FIRST_ID, FIRST_ID + 2]
    [row] = cutflow[cutflow["cut"] == "one spectrum a galaxy"].to_dict("records")
    assert (row["n_in"], row["n_lost"]) == (N_GOOD, 1)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("paper", PAPERS)
def test_the_report_names_the_archives_that_the_paper_is_fetched_from(paper):
    archives = json.loads(ladder(paper).about_sources())["archives"]
    deep = {"sdss_dr12_deep"} if paper == "hayat2021" else set()
    assert archives.keys() == {"sdss_dr12_main", "sdss_dr12_frames"} | deep
    assert all(archives["sdss_dr12_main"].values())
    assert "Pasquet" in archives["sdss_dr12_main"]["citation"]


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("paper", [*PAPERS, "hayat2021_released"])
def test_more_may_be_lost_than_stamps_cross_the_columns_of_a_frame(paper):
    """Turned by any angle; three pixels of the kernel; no frame is joined at the columns' ends."""
    cutouts = ladder(paper).settings["cutouts"]
    assert (cutouts["grid"], cutouts["edge"]) == ("sky", "mosaic")
    turn = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    wide = (cutouts["stamp_pixels"] - 1) * (np.abs(np.cos(turn)) + np.abs(np.sin(turn)))
    crossing = (wide + 2 * 3).mean() / 2048
    assert crossing == pytest.approx(0.07, abs=0.004)
    assert 1.3 * crossing < cutouts["max_lost_fraction"] < 2 * crossing


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("paper", [*PAPERS, "hayat2021_released"])
def test_a_shard_of_frames_has_the_time_that_its_fields_take(paper):
    """A field took up to 3.6 s; a second attempt of a job of eight fits into two days."""
    wiring = ladder(paper)
    for sample in wiring.cut_samples():
        n_fields = wiring.settings["survey_files"][sample.rpartition("_")[0]]["frames"]["n_fields"]
        seconds = 60 * wiring.cutting_minutes(sample)
        assert 3.6 * n_fields / len(wiring.shards()) < seconds <= 48 * 3600 / (2 * 8)
        assert "n_fields" not in json.loads(wiring.cutting(sample))  # nothing is cut again for it


def test_with_released_images_all_else_is_as_with_ours(data):
    """Stamps of their side, turns that fit into them, their galaxies to pretrain on."""
    ours, released = (
        read_yaml(ROOT / "config" / "papers" / f"hayat2021{name}.yaml")
        for name in ("", "_released")
    )
    assert released.pop("pretrain").keys() == {"encoders"}
    assert released.pop("train").keys() == {"image_networks"}
    deep = released["datasets"].pop("datasets")
    assert deep == {"deep_images": {"samples": {"sdss": ["sdss_dr12_released"]}}}
    assert (released["cutouts"].pop("stamp_pixels"), released["cutouts"].pop("max_lost_fraction"),
            ours["cutouts"].pop("max_lost_fraction")) == (107, 0.1, 0.1)  # fmt: skip
    assert released == ours
    wiring = ladder("hayat2021_released")
    settings = wiring.settings
    recipes = [*settings["pretrain"]["encoders"].values(),
               *settings["train"]["image_networks"].values()]  # fmt: skip
    crop = settings["pretrain"]["pixels"]["crop_pixels"]
    turned = [r["augmentation"] for r in recipes if r["augmentation"]["geometry"] == "rotation"]
    assert len(turned) == 6
    assert {room_pixels(crop, augmentation) for augmentation in turned} == {107}
    assert wiring.plan.surveys == ["sdss_dr12", "sdss_selfsup"]
    assert wiring.converted_samples() == ["sdss_dr12_released"]
    assert wiring.cut_samples() == ["sdss_dr12_main"]
    assert wiring.selection("sdss_dr12_released") == wiring.selection("sdss_dr12_main").replace(
        "sdss_dr12_main", "sdss_dr12_released"
    )
    assert wiring.published_images("sdss_dr12_released") == [
        "data/fetched/sdss_selfsup/train", "data/fetched/sdss_selfsup/valid",
    ]  # fmt: skip


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("change", "file", "place", "expected"),
    [
        ({"cutouts": {"stamp_pixels": 108}}, "cutouts", "stamp_pixels",
         "at most 107, the side of the images of survey sdss_selfsup"),
        ({"datasets": {"datasets": {"deep_images": {"samples": {"sdss": ["sdss_selfsup"]}}}}},
         "datasets", "datasets.deep_images.samples",
         "samples with magnitudes: label_efficiency.joint-s0 learns colours"),
    ],
)  # fmt: skip
def test_what_released_images_are_not_is_refused_before_they_are_fetched(
    change, file, place, expected
):
    given = read_yaml(ROOT / "config" / "papers" / "hayat2021_released.yaml")
    given = overlay(read_yaml(ROOT / "config" / "config.yaml"), overlay(given, change))
    settings = load_settings(ROOT, given)
    with pytest.raises(BadInput) as caught:
        make_plan(settings)
    error = caught.value
    assert (error.file, error.place) == (f"config/stages/{file}.yaml", place)
    assert error.expected == expected
    assert error.hint


def test_neighbouring_fields_are_asked_for_as_far_as_stamps_of_the_paper_reach(data):
    """112 pixels on the sky's grid, by any angle; the queries tell the rows in every band."""
    made = ladder("hayat2021")
    assert made.settings["cutouts"]["edge"] == "mosaic"
    files = {"sdss_dr12": "sdss_dr12_main.sql", "sdss_dr12_deep": "sdss_dr12_deep.sql"}
    for survey, file in files.items():
        assert made.reach_rows(survey) == pytest.approx(56 * 2**0.5 + 5, abs=1e-3)
        columns = made.settings["survey_files"][survey]["extra_columns"]
        query = (ROOT / "config" / "queries" / file).read_text(encoding="utf-8")
        for band in BANDS:
            assert f"rowc_{band}" in columns
            assert f"p.rowc_{band} AS rowc_{band}" in query
    made.settings["cutouts"]["edge"] = "lose"
    assert made.reach_rows("sdss_dr12") is None


def test_released_images_and_stamps_on_another_grid_make_no_study(data):
    overlaid = read_yaml(ROOT / "config" / "papers" / "hayat2021_released.yaml")
    given = overlay(read_yaml(ROOT / "config" / "config.yaml"), overlaid)
    settings = load_settings(ROOT, overlay(given, {"cutouts": {"grid_scale_arcsec": 0.3}}))
    with pytest.raises(BadInput) as caught:
        make_plan(settings)
    assert caught.value.file == "config/studies/label_efficiency.yaml"
    assert caught.value.expected == "the parent's inputs: {'pixel_scale_arcsec': 0.396}"
    assert caught.value.found == "{'pixel_scale_arcsec': 0.3}"
