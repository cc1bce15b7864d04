"""Contaminants: as many as asked for, truly labelled, flagged as the surveys do, and cut away."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy import units
from astropy.coordinates import SkyCoord
from mock_sky import instrument, large_sky, settings
from scipy.stats import kstest

from zladder.catalogs.match_read import Side
from zladder.catalogs.matching import match_tables
from zladder.catalogs.select import select_sample
from zladder.catalogs.standardize import standardize
from zladder.config.load import load_settings
from zladder.config.selections import sample_cuts
from zladder.evaluate.label_comparison import unflagged
from zladder.provenance.errors import BadInput
from zladder.survey.catalogues import write_native
from zladder.survey.contaminants import misclassified
from zladder.survey.sdss_flags import flag_columns
from zladder.survey.simulate import simulate_sky
from zladder.tables.read import read_table
from zladder.universe.noise import ZERO_POINT_NJY_MAG, noise_njy
from zladder.universe.programmes import SPECZ_RANGE

ROOT = Path(__file__).resolve().parents[2]
IDS = {"hsc": "object_id", "sdss": "objID", "sdss_deep": "objID"}
NUMBERS = {"n_photoz": 2000, "n_specz": 2000, "n_main": 6000, "n_deep": 100}  # of `large_sky`

# Schlafly & Finkbeiner (2011) for SDSS, the shipped ones for HSC: what dust takes away, nearly
DIMMED_PER_EBV = {
    "sdss": (4.239, 3.303, 2.285, 1.698, 1.263),
    "hsc": (3.22, 2.25, 1.65, 1.27, 1.08),
}


def listed(name: str, kind: str) -> pd.DataFrame:
    """Return a catalogue's rows of one kind with what is true of them (ending in _true)."""
    table = large_sky()[name].merge(large_sky()["truth"], on=IDS[name], suffixes=("", "_true"))
    return table[table["contaminant"] == kind].reset_index(drop=True)


def apart_arcsec(a: pd.DataFrame, b: pd.DataFrame) -> np.ndarray:
    places = [SkyCoord(t["ra"].to_numpy(), t["dec"].to_numpy(), unit="deg") for t in (a, b)]
    return places[0].separation(places[1]).to_value(units.arcsec)


def fluxes(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return fluxes in nanojansky; NaN where there is no magnitude."""
    magnitude = table[columns].to_numpy()
    return np.where(magnitude > 0, 10 ** (-0.4 * (magnitude - ZERO_POINT_NJY_MAG)), np.nan)


@pytest.mark.parametrize("name", list(IDS))
@pytest.mark.parametrize("kind", ["star", "blend", "artefact", "duplicate"])
def test_there_are_as_many_as_the_settings_say(name, kind):
    # the numbers are rounded, not drawn
    block = settings()["contaminants"]["hsc" if name == "hsc" else "sdss"]
    if (name, kind) == ("hsc", "star"):
        return  # those of the many-band catalogue
    number = {"hsc": 4000, "sdss": NUMBERS["n_main"], "sdss_deep": NUMBERS["n_deep"]}[name]
    # rounded in each of two label sets
    assert len(listed(name, kind)) == pytest.approx(block[f"{kind}_share"] * number, abs=1.0)


def test_every_listed_object_has_its_row_in_the_truth():
    for name, key in IDS.items():
        merged = large_sky()[name].merge(large_sky()["truth"], on=key)
        assert len(merged) == len(large_sky()[name])
        assert large_sky()[name][key].is_unique
    truth = large_sky()["truth"]
    assert set(truth["contaminant"]) == {"", "star", "blend", "artefact", "duplicate"}
    assert (truth["is_star"] == (truth["contaminant"] == "star")).all()
    none = truth["contaminant"].isin(["star", "artefact"])
    assert (truth["z_true"].isna() == none).all()
    assert ((truth["blended_with"] >= 0) == (truth["contaminant"] == "blend")).all()
    assert ((truth["duplicate_of"] >= 0) == (truth["contaminant"] == "duplicate")).all()


@pytest.mark.parametrize(("name", "survey"), [("sdss", "sdss"), ("hsc", "hsc")])
def test_a_blend_has_the_light_of_both_and_stands_at_its_centre(name, survey):
    blends, truth, made = listed(name, "blend"), large_sky()["truth"], instrument(survey)
    others = truth.loc[blends["blended_with"]].reset_index(drop=True)
    assert (others[["object_id", "objID", "cosmos_id"]] == -1).all(axis=None)
    assert others["z_true"].notna().all()
    assert (np.abs(others["z_true"] - blends["z_true"]) > 1e-4).mean() > 0.9  # unrelated
    # the true magnitudes are without the dust that the listed ones are behind
    true = [f"mag_{survey}_{band}" for band in made.bands]
    pattern = "modelMag_{}" if name == "sdss" else "{}_cmodel_mag"
    seen = fluxes(blends, [pattern.format(band) for band in made.bands])
    alone, together = fluxes(blends, true), fluxes(blends, true) + fluxes(others, true)
    dimming = 10 ** (-0.4 * np.outer(blends["ebv_mag"], DIMMED_PER_EBV[survey]))
    sigma = noise_njy(together * dimming, made.depth)
    # dust is known to 5 %, reddening through the spectrum to some per cent of itself, and the
    # calibration to 1 %: 3 % of the flux bounds what is not noise
    error = np.hypot(sigma, 0.03 * together * dimming)
    pull = (seen - together * dimming) / error
    assert np.nanmax(np.abs(pull)) < 5.0  # some hundred numbers: 1e-4
    assert np.nanmedian((seen - alone * dimming) / error, axis=0)[2] > 3.0
    block = settings()["contaminants"][survey]
    nearest, farthest = block["blend_distance_arcsec"]
    own = blends.assign(ra=blends["ra_true"], dec=blends["dec_true"])
    distance = apart_arcsec(own, others)
    assert nearest - 1e-6 < distance.min()
    assert distance.max() < farthest + 1e-6
    # the listed place is between the two, off the line by its error of 0.05 arcsec
    detour = apart_arcsec(blends, own) + apart_arcsec(blends, others) - distance
    assert detour.max() < 0.5


@pytest.mark.parametrize("name", ["sdss", "sdss_deep", "hsc"])
def test_a_duplicate_is_the_same_galaxy_seen_again(name):
    again, key = listed(name, "duplicate"), IDS[name]
    first = listed(name, "").set_index(key).loc[again["duplicate_of"]].reset_index()
    assert (again[key] != first[key]).all()
    error_arcsec = settings()["sdss" if name != "hsc" else "hsc"]["position_error_arcsec"]
    # two errors in each coordinate: a Rayleigh distance, beyond 5 of its sigmas once in 3e5
    assert apart_arcsec(again, first).max() < 5 * np.sqrt(2) * error_arcsec
    np.testing.assert_array_equal(again["z_true"], first["z_true"])
    bands = ("r", "i") if name != "hsc" else ("i", "z")
    for band in bands:
        magnitude, error = (
            (f"{band}_cmodel_mag", f"{band}_cmodel_magsigma")
            if name == "hsc"
            else (f"modelMag_{band}", f"modelMagErr_{band}")
        )
        pull = (again[magnitude] - first[magnitude]) / np.hypot(again[error], first[error])
        pull = pull[np.isfinite(pull) & (first[magnitude] > 0) & (first[magnitude] < 24)]
        assert (pull != 0).all()
        if len(pull) > 10:
            assert kstest(pull, "norm").pvalue > 1e-4


def test_artefacts_have_colours_that_no_galaxy_has_and_nothing_behind():
    false = listed("sdss", "artefact")
    assert false.filter(like="mag_sdss_").isna().all(axis=None)
    galaxies = listed("sdss", "")
    for table, share in ((false, 0.8), (galaxies, 0.02)):
        g_r, r_i = (
            table["modelMag_g"] - table["modelMag_r"],
            table["modelMag_r"] - table["modelMag_i"],
        )
        odd = ~g_r.between(-0.3, 2.2) | ~r_i.between(-0.3, 1.3)
        assert (odd.mean() > share) == (table is false)
    scene = large_sky()["scene"]
    first = len(large_sky()["truth"]) - len(scene)
    truth = large_sky()["truth"].iloc[first:].reset_index(drop=True)
    light = scene.filter(regex="flux_.*_nmgy")[truth["contaminant"] == "artefact"]
    trails = light["disc_flux_r_nmgy"] > 0
    assert 0.3 < trails.mean() < 0.7
    assert (light.loc[trails].drop(columns="disc_flux_r_nmgy") < 1e-5).all(axis=None)
    assert (light.loc[~trails] == 0).all(axis=None)  # the star's own light
    assert (scene.filter(regex="flux_")[truth["contaminant"] == "duplicate"] == 0).all(axis=None)


def test_flags_are_those_of_the_survey_and_tell_all():
    expected = {
        "": {"type": 3, "mode": 1, "clean": 1, "insideMask": 0, "class": "GALAXY", "zWarning": 0},
        "blend": {"type": 3, "mode": 1, "clean": 0, "insideMask": 0},
        "artefact": {"type": 3, "mode": 1, "clean": 0, "zWarning": 4},
        "duplicate": {"type": 3, "mode": 2, "clean": 1, "insideMask": 0},
        "star": {"mode": 1, "class": "STAR", "zWarning": 0},
    }
    for kind, flags in expected.items():
        rows = listed("sdss", kind)
        for flag, value in flags.items():
            assert (rows[flag] == value).all(), (kind, flag)
    assert listed("sdss", "artefact")["insideMask"].isin([2, 4]).all()
    assert listed("hsc", "")["isprimary"].all()
    assert not listed("hsc", "duplicate")["isprimary"].any()
    assert listed("hsc", "artefact")["r_pixelflags_bright_object"].all()
    assert not listed("hsc", "")["r_pixelflags_bright_object"].any()
    assert (listed("hsc", "blend")["i_blendedness_abs"] > 0.42).all()
    assert (listed("hsc", "")["i_extendedness_value"] == 1).all()
    stars = listed("hsc", "star")
    assert (stars["i_extendedness_value"] == 0)[stars["mag_hsc_i"] < 20.5].all()
    with pytest.raises(ValueError, match="no flags of SDSS"):
        flag_columns(np.zeros(2), kind=3)


def test_faint_stars_are_taken_for_galaxies_as_often_as_stated():
    # 40,000 draws give each share to 0.2 %: five of them
    block = {"star_bright_mag": 16.0, "star_faint_mag": 18.0, "star_misclassified_faint_share": 0.2}
    rng = np.random.default_rng(1)
    for magnitude, share in ((15.0, 0.0), (17.0, 0.1), (18.0, 0.2), (21.0, 0.2)):
        found = misclassified(rng, block, np.full(40_000, magnitude)).mean()
        assert found == pytest.approx(share, abs=0.01 if share else 0.0)


@cache
def shipped() -> dict[str, Any]:
    text = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    return load_settings(ROOT, yaml.safe_load(text))


def sample_of(
    sky: dict[str, pd.DataFrame], name: str, folder: Path, pairs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return a shipped sample, read and selected as the rules do; or with pairs given."""
    entry = shipped()["catalogs"]["samples"][name]
    tables = []
    for survey_name in (entry["labels"], entry["photometry"]):
        survey = {"name": survey_name, **shipped()["survey_files"][survey_name]}
        file = folder / survey["source"]["simulated"]
        write_native({file.stem: sky[file.stem]}, {file.stem: file})
        tables.append(standardize(read_table(file, survey["file_format"]), survey, file, "all")[0])
    labels, photometry = tables
    if pairs is None and "match_to" in entry:
        sides = Side(file), Side(file, keep=entry["match_to"])
        pairs, _ = match_tables(labels, photometry, 1.0, *sides, one_to_one=True)
    chosen = {"name": name, "deredden": entry["deredden"], "cuts": sample_cuts(shipped(), name)}
    return select_sample(labels, photometry, pairs, chosen, file)[0]


def own_pairs(sky: dict[str, pd.DataFrame], labels: str, key: str, in_truth: str) -> pd.DataFrame:
    """Return the match of each label to its own object, where the HSC-like survey lists it."""
    hsc = (
        sky["hsc"].query("isprimary").reset_index(names="right_index")[["object_id", "right_index"]]
    )
    named = sky[labels][[key]].reset_index(names="left_index").rename(columns={key: in_truth})
    joined = named.merge(sky["truth"][[in_truth, "object_id"]]).merge(hsc).sort_values("left_index")
    return joined.assign(separation_arcsec=0.0)


def test_the_shipped_photoz_cuts_are_what_the_sky_calls_usable_less_the_flagged(tmp_path):
    sky = large_sky()
    pairs = own_pairs(sky, "cosmos", "ID", "cosmos_id")
    usable = sky["cosmos_other_noise"].query("usable_listed")["ID"]
    hsc = sky["hsc"]
    wanted = pairs[pairs["cosmos_id"].isin(usable) & unflagged(hsc)[pairs["right_index"]]]
    sample = sample_of(sky, "mock_photoz", tmp_path, pairs)
    assert sorted(sample["object_id"]) == sorted(wanted["object_id"])
    assert 0 < len(wanted) < len(pairs[pairs["cosmos_id"].isin(usable)]) < len(pairs)


def test_the_shipped_specz_cuts_are_what_the_sky_calls_usable_less_the_flagged(tmp_path):
    sky = large_sky()
    pairs = own_pairs(sky, "galaxiesml", "specz_name", "specz_name")
    hsc = sky["hsc"].iloc[pairs["right_index"]]
    label = sky["galaxiesml"].iloc[pairs["left_index"]]
    inside = label["specz_redshift"].between(*SPECZ_RANGE, inclusive="neither").to_numpy()
    usable = inside & label["specz_flag_homogeneous"].to_numpy()  # as `survey.fields` has it
    usable &= hsc.filter(regex="_cmodel_mag$").notna().all(axis=1).to_numpy()
    wanted = pairs[usable & unflagged(hsc)]
    sample = sample_of(sky, "mock_specz", tmp_path, pairs)
    assert sorted(sample["object_id"]) == sorted(wanted["object_id"])
    assert 0 < len(wanted) < usable.sum() < len(pairs)


def test_the_range_of_spectroscopic_labels_is_that_of_the_shipped_cut():
    cuts = {cut["name"]: cut for cut in sample_cuts(shipped(), "mock_specz")}
    low, high = SPECZ_RANGE
    assert cuts["redshift range"]["keep"] == f"z_true > {low:g} and z_true < {high:g}"


SAMPLES = {"mock_main": "n_main", "mock_deep": "n_deep", "mock_specz": "n_specz",
           "mock_photoz": "n_photoz"}  # fmt: skip


@pytest.mark.parametrize("name", list(SAMPLES))
def test_the_shipped_cuts_leave_the_galaxies_asked_for_and_nothing_else(name, tmp_path):
    sample = sample_of(large_sky(), name, tmp_path)
    key = "objID" if name in ("mock_main", "mock_deep") else "object_id"
    truth = large_sky()["truth"].set_index(key).loc[sample["object_id"]]
    kinds = truth["contaminant"].value_counts().to_dict()
    # without spectra a faint star in fifty passes for a galaxy: of one star, at most one
    assert set(kinds) - {""} <= ({"star"} if name == "mock_deep" else set())
    # a neighbour within an arcsecond takes a label now and then
    assert kinds[""] == pytest.approx(NUMBERS[SAMPLES[name]], rel=2e-3)
    assert sample["object_id"].is_unique


def test_what_is_not_flagged_slips_through_and_counts(tmp_path):
    asked = settings(n_photoz=300, n_specz=300, n_main=1000, n_deep=100)
    for block in asked["contaminants"].values():
        block |= {"unflagged_share": 0.5, "blend_share": 0.1, "duplicate_share": 0.1}
    sky = simulate_sky(asked, 2)
    main = sample_of(sky, "mock_main", tmp_path)
    kinds = sky["truth"].set_index("objID").loc[main["object_id"], "contaminant"].value_counts()
    # an unflagged artefact is seen in few bands, and cut for that
    assert (kinds[""], kinds["blend"], kinds["duplicate"]) == (1000, 50, 50)
    specz = sample_of(sky, "mock_specz", tmp_path)
    truth = sky["truth"].set_index("object_id").loc[specz["object_id"]]
    kinds = truth["contaminant"].value_counts()
    assert kinds["blend"] == 15
    # the second listing of a galaxy, where it is nearer than the first
    assert kinds[""] + kinds["blend"] + kinds.get("duplicate", 0) == pytest.approx(300, abs=2)


def test_no_contaminants_leave_the_galaxies_as_they_are():
    asked = settings(n_photoz=20, n_specz=20, n_main=200, n_deep=50)
    with_them = simulate_sky(asked, 5)
    for kind in ("star", "blend", "artefact", "duplicate"):
        asked["contaminants"]["sdss"][f"{kind}_share"] = 0.0
    without = simulate_sky(asked, 5)
    truth = [sky["truth"].query("run > 0 and contaminant == ''") for sky in (with_them, without)]
    galaxies = [table[table["objID"] > 0]["z_true"].to_numpy() for table in truth]
    np.testing.assert_array_equal(*galaxies)
    assert set(without["truth"].query("run > 0")["contaminant"]) == {"", "star"}  # unlisted ones
    assert len(without["sdss"]) == len(galaxies[1]) - len(without["sdss_deep"])


def test_contaminants_that_the_limit_never_lists_are_refused():
    asked = settings(n_photoz=20, n_specz=20, n_main=100, n_deep=50)
    asked["contaminants"]["sdss"] |= {"artefact_share": 0.1, "artefact_mag": [17.8, 50.0]}
    asked["dust"]["median_ebv_mag"] = 1e-6  # nothing is bright enough but by its noise
    with pytest.raises(BadInput) as caught:
        simulate_sky(asked, 1)
    assert caught.value.place == "survey/contaminants/sdss/artefact_share"
    assert re.fullmatch("[0-9] of 10 found", caught.value.found)
