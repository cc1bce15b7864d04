"""What the report's rules ask at parse time: files of every study, only values they print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring, option

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="wiring", scope="module")
def default_wiring() -> Wiring:
    """Return the wiring of the shipped configuration, mock studies only."""
    given = {**read_yaml(ROOT / "config" / "config.yaml"), "studies_if_data": []}
    settings = load_settings(ROOT, given)
    return Wiring(settings, make_plan(settings))


def test_the_sidecars_of_what_was_fetched_are_those_of_this_ladder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where no file lies already
    given = overlay(
        read_yaml(ROOT / "config" / "config.yaml"),
        read_yaml(ROOT / "config" / "papers" / "hayat2021.yaml"),
    )
    settings = load_settings(ROOT, given)
    found = Wiring(settings, make_plan(settings)).sidecars()
    files = {"data/fetched/sdss_dr12/all.json", "data/fetched/sdss_dr12_deep/all.json"}
    n_shards = settings["cutouts"]["n_shards"]
    frames = {f"<results>/survey/fetched/sdss_dr12/{shard}.json" for shard in range(n_shards)}
    assert files | frames < set(found)
    assert not [name for name in found if "galaxiesml" in name or "cosmos" in name]
    assert len(found) == len(set(found))


def test_a_heading_in_the_reports_menu_has_no_wildcards_in_it(wiring):
    files = wiring.settings["study_files"]
    braced = {**files, "transfer": {**files["transfer"], "title": "From {this} to {that}"}}
    given = Wiring({**wiring.settings, "study_files": braced}, wiring.plan)
    assert given.title_of("transfer") == "From (this) to (that)"
    assert "From {this} to {that}" in given.about_study("transfer", "title")


@pytest.mark.parametrize("paper", [None, "hayat2021", "lin2022", "soriano2024"])
def test_the_longest_lists_fit_one_argument_of_a_program(paper):
    """As many shards and seeds as the schemas let in: folded for bash, and unfolded by it."""
    given = read_yaml(ROOT / "config" / "config.yaml")
    if paper:
        given = overlay(given, read_yaml(ROOT / "config" / "papers" / f"{paper}.yaml"))
    most = {"cutouts": {"n_shards": 2000}, "datasets": {"label_draws": 20}}
    most |= {"scale": "paper", "studies_if_data": [], "train": {"n_seeds": 20}}
    settings = load_settings(ROOT, overlay(given, most))
    wiring = Wiring(settings, make_plan(settings))
    deep = f"/scratch/{'project-' * 8}/results/sky"
    everything = [wiring.sidecars(), wiring.all_cards()]  # of write_provenance
    for lists in (everything, [wiring.dataset_sidecars(), wiring.all_stamps()]):
        files = [[file.replace("<results>", deep) for file in files] for files in lists]
        assert sum(len(option("--files", paths)) for paths in files) < 50_000
        assert sum(len(path) + 9 for paths in files for path in paths) < 1_900_000


def test_stamps_that_two_datasets_share_are_told_once(wiring):
    """Splits of our own and as published of the same galaxies: what they cost, and who was lost."""
    settings = {**wiring.settings, "studies": ["label_efficiency"]}
    study = {**settings["study_files"]["label_efficiency"]}
    study["test_on"] = ["main_images", "main_images_as_published"]
    settings["study_files"] = {**settings["study_files"], "label_efficiency": study}
    found = Wiring(settings, make_plan(settings)).sidecars()
    stamps = [path for path in found if path.startswith("<results>/cutouts/mock_main/")]
    assert len(stamps) == settings["cutouts"]["n_shards"]
    assert len(found) == len(set(found))


def test_every_result_has_its_sidecar_once(wiring):
    sidecars, plan = wiring.sidecars(), wiring.plan
    assert len(sidecars) == len(set(sidecars))
    assert set(wiring.data_sidecars()) < set(sidecars)
    expected = [f"<results>/runs/{run}/sidecar.json" for run in plan.cards]
    expected += [f"<results>/predictions/{run}.json" for run in plan.answering()]
    expected += [f"<results>/datasets/{name}.json" for name in plan.datasets]
    assert set(expected) < set(sidecars)
    assert "<results>/survey/sky.json" in sidecars
    matched = [name for name in sidecars if "/match/" in name]
    assert matched == [match.replace("parquet", "json") for sample in plan.samples
                       for match in wiring.match_of(sample)]  # fmt: skip


def test_pages_get_the_values_they_print_and_no_others(wiring):
    study = wiring.plan.studies[0]
    about = json.loads(wiring.about_study(study, "title", "convention"))
    assert about.keys() == {"study", "title", "convention"}
    assert about["title"] == wiring.title_of(study)
    studies = json.loads(wiring.about_studies("title"))
    assert studies.keys() == set(wiring.plan.studies)
    assert all(entry.keys() == {"title", "simulated"} for entry in studies.values())
    assert json.loads(wiring.about_sky("sky", "scale")) == {"sky": "mock", "scale": "demo"}


def test_samples_and_sources_are_named_in_full(wiring):
    about = json.loads(wiring.about_sample("mock_specz"))
    assert about["bands"] == ["g", "r", "i", "z", "y"]
    assert len(about["surveys"]) == 2
    sources = json.loads(wiring.about_sources())
    assert sources["surveys"].keys() == set(wiring.plan.surveys)
    assert all(all(survey.values()) for survey in sources["surveys"].values())
    assert sources["archives"] == {}  # nothing of the mock sky is fetched
    assert sources["papers"] == wiring.papers()
    assert set(wiring.papers()) == {"hayat2021", "lin2022", "soriano2024"}


def test_all_pages_are_outputs_of_the_rules_and_none_is_forgotten(wiring):
    files = sorted((ROOT / "workflow" / "rules").glob("report*.smk"))
    rules = "".join(file.read_text(encoding="utf-8") for file in files)
    shown = re.findall(r'report\(\s*f?"<results>/report/([^"]+)"', rules)
    assert len(shown) == rules.count("report(\n")
    made = set()
    for name in shown:
        kind = next((k for k in values_of(wiring, name) if f"{{{k}}}" in name), "sample")
        values = values_of(wiring, name)[kind]
        made |= {f"<results>/report/{name.format(**{kind: value})}" for value in values}
    asked = set(wiring.report_pages())
    # The BibTeX file comes with the page of citations.
    assert asked == made - {"<results>/report/citations.bib"}
    assert set(wiring.study_pages("transfer")) < asked


def values_of(wiring, name):
    """Return {wildcard: its values} of an output of the report."""
    some = {
        "labels": wiring.studies_on_ladder(), "embeddings": wiring.encoding_studies(),
        "stamps": wiring.encoding_studies(), "oracle": wiring.oracle_studies(),
        "collapse": wiring.collapsing_studies(),
    }  # fmt: skip
    samples = wiring.matched_samples() if name.endswith(".match.png") else wiring.plan.samples
    studies = some.get(name.rsplit(".", 2)[1] if name.count(".") > 1 else "", wiring.plan.studies)
    datasets = wiring.plan.datasets if name.endswith(".html") else wiring.image_datasets()
    return {"study": studies, "sample": samples, "paper": wiring.papers(),
            "dataset": datasets}  # fmt: skip


def test_a_paper_s_page_has_the_files_of_its_studies_in_one_order(wiring):
    for paper in wiring.papers():
        studies = list(json.loads(wiring.about_paper(paper))["studies"])
        files = wiring.of_paper(paper, "<results>/metrics/{study}/scores.parquet")
        assert sorted(files) == [f"<results>/metrics/{name}/scores.parquet" for name in studies]
        assert set(wiring.paper_figures(paper)) < set(wiring.report_pages())
        runs = {file.split("/")[2] for file in wiring.paper_cards(paper)}
        assert runs == {run for run in wiring.plan.cards if run.split(".")[0] in studies}


def test_the_ladder_of_labels_tells_base_and_fraction_of_each_method(wiring):
    for study in wiring.studies_on_ladder():
        ladder = json.loads(wiring.about_ladder(study))["ladder"]
        methods = {run.split(".")[1].rsplit("-s", 1)[0] for run in wiring.plan.runs_of(study)}
        assert set(ladder) <= methods
        assert all(0 < rung["fraction"] <= 1 for rung in ladder.values())
        assert wiring.ladder_dataset(study).startswith("<results>/datasets/")


def wiring_of(*studies: str) -> Wiring:
    given = {**read_yaml(ROOT / "config" / "config.yaml"), "studies": list(studies)}
    settings = load_settings(ROOT, {**given, "studies_if_data": []})
    return Wiring(settings, make_plan(settings))


def test_the_mock_sky_is_shown_where_there_is_one(wiring):
    assert set(wiring.mock_pages()) < set(wiring.report_pages())
    assert "<results>/report/mock_sky.html" in wiring.mock_pages()
    shown = [page.split(".")[1] for page in wiring.mock_figures() if "mock_sky." in page]
    assert shown == ["samples", "tracks", "dust", "wall", "frames"]
    assert set(json.loads(wiring.quantiles())) == set(wiring.held_samples())
    assert json.loads(wiring.about_types())["dataset"] == wiring.typed_dataset()[0]


def test_no_image_of_the_mock_sky_means_neither_wall_nor_frames():
    found = wiring_of("transfer")
    assert [page.split(".")[1] for page in found.mock_figures() if "mock_sky." in page] == [
        "samples", "tracks", "dust",
    ]  # fmt: skip
    assert not any("frames" in table for table in found.mock_tables())


def test_frames_on_which_fluxes_are_measured_are_shown():
    found = wiring_of("measured_photometry")
    assert [page.split(".")[1] for page in found.mock_figures()] == [
        "samples", "tracks", "dust", "frames",
    ]  # fmt: skip
    assert "<results>/report/mock_sky.frames.parquet" in found.mock_tables()
    assert found.frame_indices() == [f"<results>/survey/frames/{shard}.parquet" for shard in (0, 1)]
    # fluxes are measured: no oracle, so that no model is held against one
    assert found.oracle_studies() == found.checked_studies() == []
    measured = {"measured/0", "measured/1", "sdss_measured"}
    assert {f"<results>/survey/{name}.json" for name in measured} <= set(found.data_sidecars())
    assert {"truth_scores", "side_information"} == {
        path.split("/")[-1].removesuffix(".parquet")
        for path in found.found_of("measured_photometry")
    }


def test_nothing_of_the_mock_sky_is_planned_for_a_real_one():
    real = wiring_of("sdss_main_sample")
    assert real.mock_pages() == real.mock_figures() == real.held_samples() == []
    assert not any("mock_sky" in page for page in real.report_pages())
    assert json.loads(real.about_types()) == {"dataset": "", "surveys": []}
