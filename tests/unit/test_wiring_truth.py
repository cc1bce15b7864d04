"""What the rules about truth and leaks are told: which runs, which level, which tables."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from zladder.config.plan import make_plan
from zladder.config.wiring import option
from zladder.config.wiring_truth import FALSE_ALARMS
from zladder.docs.pages import mock_wiring

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wiring():
    """The wiring of the default configuration."""
    return mock_wiring(ROOT)


def test_runs_that_see_photometry_are_told_from_those_that_see_images(wiring):
    answers = wiring.photometry_answers("label_efficiency")
    names = {Path(path).name for path in answers}
    assert {"label_efficiency.catalogue_f100-s0.parquet", "label_efficiency.boosting-s0.parquet",
            "label_efficiency.mean_z-s0.parquet"} <= names  # fmt: skip
    images = json.loads(wiring.leak_settings("label_efficiency"))["images"]
    assert {"supervised_f100", "probe_moco_f100", "finetuned_classes"} <= set(images)
    methods = {name.split(".")[1].rsplit("-s", 1)[0] for name in names}
    assert not methods & set(images)
    assert json.loads(wiring.leak_settings("transfer"))["images"] == []


def test_an_oracle_is_not_held_against_itself(wiring):
    assert "main_sample" in wiring.oracle_studies()
    answers = wiring.photometry_answers("main_sample")
    assert answers
    assert not [path for path in answers if "oracle" in path]


def test_the_oracle_is_estimated_where_many_band_labels_are(wiring):
    assert wiring.estimated_tests("transfer") == ["photoz", "combined"]
    assert wiring.estimated_tests("main_sample") == []
    about = json.loads(wiring.about_scores("transfer"))
    assert about["estimated"] == ["photoz", "combined"]
    assert about.keys() == {"study", "title", "question", "convention", "estimated"}
    told = json.loads(wiring.about_mock_sky())["estimated"]
    assert told.keys() == set(wiring.oracle_studies())
    assert told["transfer"] == ["photoz", "combined"]
    tables = wiring.mock_tables()
    assert {f"<results>/report/{study}.pit.parquet" for study in told} <= set(tables)


def test_an_oracle_answers_for_the_photometry_that_it_knows_alone(wiring):
    """Labels of the mock sky beside other photometry than the oracle's: no answer, and no fault."""
    known = [*wiring.oracle_samples()]
    assert {"mock_specz", "mock_photoz", "mock_main"} <= set(known)
    samples = deepcopy(wiring.settings["catalogs"]["samples"])
    for name in ("mock_specz", "mock_photoz"):
        samples[name]["photometry"] = "mock_cfhtls"
    catalogs = {**wiring.settings["catalogs"], "samples": samples}
    other = replace(wiring, settings={**wiring.settings, "catalogs": catalogs})
    left = [name for name in known if name not in ("mock_specz", "mock_photoz")]
    assert other.oracle_samples() == left
    assert "transfer" not in other.oracle_studies()
    assert "transfer" in other.simulated_studies()


def test_an_oracle_is_asked_for_what_is_tested_alone(wiring):
    """Galaxies that a study trains on and no more have none: nobody would be held against it."""
    study = {**wiring.settings["study_files"]["transfer"], "test_on": ["specz"]}
    settings = {**wiring.settings, "studies": ["transfer"], "studies_if_data": []}
    settings["study_files"] = {**settings["study_files"], "transfer": study}
    found = replace(wiring, settings=settings, plan=make_plan(settings))
    assert {"mock_specz", "mock_photoz"} <= set(found.plan.samples)
    assert found.oracle_samples() == ["mock_specz"]


def test_the_levels_of_all_comparisons_together_are_one_per_cent(wiring):
    level = json.loads(wiring.leak_settings("transfer"))["level"]
    n_leaks = sum(
        2 * len(wiring.photometry_answers(study)) * len(wiring.settings["study_files"][study]
                                                        ["test_on"])
        for study in wiring.simulated_studies()
    )  # fmt: skip  # one seed: a prediction is a method
    n_side = 5 * len(wiring.labelled_samples())
    assert level * (n_leaks + n_side) == pytest.approx(FALSE_ALARMS)
    assert json.loads(wiring.side_settings())["level"] == level
    for study in wiring.simulated_studies():
        assert json.loads(wiring.leak_settings(study))["level"] == level


def test_samples_without_labels_are_not_asked_for_redshifts(wiring):
    assert "mock_deep" in wiring.plan.samples
    assert set(wiring.labelled_samples()) == {"mock_specz", "mock_photoz", "mock_main"}


def test_a_page_shows_leaks_where_there_is_an_oracle(wiring):
    folder = "<results>/metrics"
    always = [f"{folder}/transfer/truth_scores.parquet",
              f"{folder}/mock_specz/side_information.parquet",
              f"{folder}/mock_photoz/side_information.parquet"]  # fmt: skip
    assert wiring.checked_studies() == wiring.oracle_studies()
    assert wiring.found_of("transfer") == [*always, f"{folder}/transfer/leaks.parquet"]
    sidecars = wiring.found_sidecars()
    assert len(sidecars) == len(set(sidecars))
    assert set(sidecars) <= set(wiring.sidecars())


def test_a_real_sky_has_nothing_of_it(wiring):
    files = deepcopy(wiring.settings["survey_files"])
    for survey in files.values():
        survey["source"] = {"path": "somewhere"}
    real = replace(wiring, settings={**wiring.settings, "survey_files": files})
    assert real.simulated_studies() == real.labelled_samples() == real.found_sidecars() == []
    assert real.found_of("transfer") == []


def test_an_option_takes_one_value_or_several_or_is_left_out():
    assert option("--x", "it's") == "--x 'it'\"'\"'s'"
    assert option("--x", ["a b", "c"]) == "--x 'a b' c"
    assert option("--x", []) == option("--x", None) == ""
