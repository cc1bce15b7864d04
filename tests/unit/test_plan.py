"""What the configured studies need, and which studies join when their data are here."""

from __future__ import annotations

from pathlib import Path

import pytest

from zladder.config.plan import make_plan
from zladder.provenance.errors import BadInput

SHIPPED = ["transfer", "main_sample", "label_efficiency", "class_residuals"]
SDSS = ("sdss_mgs/SDSS_MGS.train", "sdss_mgs/SDSS_MGS.test")


@pytest.fixture
def tree(settings, tmp_path, monkeypatch):
    """The shipped settings in a folder without data."""
    monkeypatch.chdir(tmp_path)
    return settings()


def lay(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("data", encoding="utf-8")
    return folder


def test_a_plan_holds_what_its_studies_need_and_no_more(tree):
    tree["studies"] = ["main_sample"]
    plan = make_plan(tree)
    assert plan.studies == ["main_sample"]
    assert plan.datasets == ["main"]
    assert plan.samples == ["mock_main"]
    assert plan.surveys == ["mock_sdss"]
    assert {run.split(".")[0] for run in plan.cards} == {"main_sample"}
    networks, controls = plan.tasks("catalogue"), plan.tasks("control")
    assert set(networks) == {"main_sample.ensemble-s0", "main_sample.single-s0"}
    assert {*networks, *controls} == set(plan.cards) == set(plan.answering())
    assert all(datasets == ["main"] for datasets in plan.tests.values())


def test_everything_is_named_once(tree):
    tree["studies"] = ["transfer", "main_sample", "transfer"]
    plan = make_plan(tree)
    for names in (plan.studies, plan.datasets, plan.samples, plan.surveys):
        assert len(set(names)) == len(names)
    assert plan.datasets == ["photoz", "specz", "combined", "main"]
    assert set(plan.surveys) == {"mock_cosmos", "mock_hsc", "mock_galaxiesml", "mock_sdss"}


def test_runs_belong_to_their_study_alone(tree):
    tree["study_files"]["main"] = tree["study_files"]["main_sample"]
    tree["studies"] = ["main", "main_sample"]
    plan = make_plan(tree)
    assert {run.split(".")[0] for run in plan.runs_of("main")} == {"main"}
    assert len(plan.runs_of("main")) == len(plan.runs_of("main_sample"))


def test_papers_list_their_studies(tree):
    assert make_plan(tree).by_paper(tree) == {
        "soriano2024": ["transfer"],
        "hayat2021": ["label_efficiency"],
        "lin2022": ["class_residuals"],
    }


def test_every_run_has_one_task_and_all_but_the_pretrainings_answer(tree):
    plan = make_plan(tree)
    tasks = ("catalogue", "control", "pretrain", "image", "probe", "head")
    by_task = [set(plan.tasks(task)) for task in tasks]
    assert all(by_task)
    assert sum(map(len, by_task)) == len(plan.cards) == len(set.union(*by_task))
    assert set(plan.answering()) == set(plan.cards) - set(plan.tasks("pretrain"))
    assert set(plan.tests) == set(plan.answering())
    runs = plan.runs_of("label_efficiency")
    assert not set(runs) & set(plan.encoders_of("label_efficiency"))
    assert plan.encoders_of("transfer") == []


def test_a_run_gives_classes_or_a_redshift(tree):
    tree["studies"] = ["class_residuals"]
    plan = make_plan(tree)
    methods = ("baseline", "step2", "step3", "step3a", "step3b")
    assert plan.classifiers() == [f"class_residuals.{method}-s0" for method in methods]
    images = {*plan.tasks("image")}
    assert set(plan.regressing("image")) == images - {"class_residuals.baseline-s0"}
    assert not set(plan.regressing("image")) & set(plan.classifiers())


def test_features_are_kept_of_encoders_and_of_the_parents_of_heads_once(tree):
    plan = make_plan(tree)
    encoders = ("untrained", "moco", "moco_undusted", "joint", "colour")
    wanted = [f"label_efficiency.{method}-s0" for method in encoders]
    assert plan.embedded() == [*wanted, "class_residuals.baseline-s0"]


def test_the_dataset_of_the_encoders_and_its_survey_are_in_the_plan(tree):
    tree["studies"] = ["label_efficiency"]
    plan = make_plan(tree)
    assert plan.datasets == ["main_images", "deep_images"]
    assert plan.samples == ["mock_main", "mock_deep"]
    assert plan.surveys == ["mock_sdss", "mock_sdss_deep"]


def test_without_data_the_study_of_real_galaxies_stays_out(tree):
    assert make_plan(tree).studies == SHIPPED


@pytest.mark.parametrize("by_variable", [True, False])
def test_with_its_files_the_study_joins(tree, tmp_path, monkeypatch, by_variable):
    if by_variable:
        monkeypatch.setenv("ZLADDER_DATA", str(lay(tmp_path / "elsewhere", *SDSS)))
    else:
        lay(tmp_path / "data", *SDSS)
    plan = make_plan(tree)
    assert plan.studies == [*SHIPPED, "sdss_main_sample"]
    assert "sdss_mgs" in plan.surveys


def test_fetched_files_count_as_data(tree, tmp_path):
    lay(tmp_path / "data/fetched/sdss_mgs", "train", "test")
    assert "sdss_main_sample" in make_plan(tree).studies


def test_half_of_the_files_is_not_enough(tree, tmp_path):
    lay(tmp_path / "data", SDSS[0])
    assert "sdss_main_sample" not in make_plan(tree).studies


def test_a_study_asked_for_twice_is_built_once(tree, tmp_path):
    lay(tmp_path / "data", *SDSS)
    tree["studies"] = ["sdss_main_sample"]
    assert make_plan(tree).studies == ["sdss_main_sample"]


def test_a_demanded_survey_that_can_be_fetched_is_no_error(tree):
    tree["studies"] = ["sdss_main_sample"]
    assert make_plan(tree).surveys == ["sdss_mgs"]


@pytest.mark.parametrize("variable", [None, "/nowhere"])
def test_a_demanded_survey_without_files_is_refused(tree, monkeypatch, variable):
    if variable:
        monkeypatch.setenv("ZLADDER_DATA", variable)
    tree["studies"] = ["sdss_main_sample"]
    del tree["survey_files"]["sdss_mgs"]["source"]["fetch"]
    with pytest.raises(BadInput) as caught:
        make_plan(tree)
    error = caught.value
    assert error.file == "data/sdss_mgs/SDSS_MGS.train"
    assert "survey sdss_mgs (config/surveys/sdss_mgs.yaml" in error.place
    assert (error.expected, error.found) == ("a file", "nothing")
    assert "ZLADDER_DATA" in error.hint
    assert (variable or "not set") in error.hint
