"""What the rules are told: just what they depend on, as text that does not change by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from zladder.config.plan import make_plan
from zladder.config.wiring import ConfigRefused, Wiring, names_pattern, wiring_or_exit
from zladder.provenance.digests import canonical_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wiring(settings, tmp_path, monkeypatch):
    """Return the wiring of the shipped settings after a change of them."""
    monkeypatch.chdir(tmp_path)

    def make(change=lambda tree: None) -> Wiring:
        tree = settings()
        change(tree)
        return Wiring(tree, make_plan(tree))

    return make


def told(wiring: Wiring) -> dict[str, str]:
    """Return everything that the rules are told, by rule and wildcard."""
    plan = wiring.plan
    texts = {"simulate_sky": wiring.simulation(), "tabulate_photometry": wiring.tabulation()}
    texts |= {f"read_catalog {name}": wiring.reading(name) for name in plan.surveys}
    texts |= {f"select_sample {name}": wiring.selection(name) for name in plan.samples}
    texts |= {f"build_dataset {name}": wiring.building(name) for name in plan.datasets}
    texts |= {f"train {run}": wiring.card(run) for run in plan.cards}
    for study in plan.studies:
        texts |= {f"score_study {study}": wiring.scoring(study)}
        texts |= {f"judge_claims {study}": wiring.claims(study)}
    return texts


def changed(wiring, change) -> set[str]:
    before, after = told(wiring()), told(wiring(change))
    return {name for name in before if before[name] != after[name]}


def test_everything_told_is_canonical_json(wiring):
    for text in told(wiring()).values():
        assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("survey", "n_main"), 901, {"simulate_sky"}),
        (("survey", "sdss", "z_max"), 0.7, {"simulate_sky", "tabulate_photometry"}),
        (("survey_files", "mock_sdss", "title"), "another", set()),
        (("survey_files", "mock_sdss", "citation"), "another", set()),
        (("survey_files", "mock_sdss", "sentinels"), {}, {"read_catalog mock_sdss"}),
        (("catalogs", "samples", "mock_main", "cuts"), [], {"select_sample mock_main"}),
        (("report", "figure_dpi"), 75, set()),
        (("study_files", "main_sample", "bin_width_z"), 0.3, {"score_study main_sample"}),
        (("study_files", "main_sample", "title"), "another", set()),
        (("study_files", "main_sample", "networks", "single", "optimizer"),
         {"learning_rate": 1e-3}, {"train main_sample.single-s0"}),
        (("claim_files", "soriano2024", "claims", "C4-transfer-rms", "text"), "another",
         {"judge_claims transfer"}),
    ],
)  # fmt: skip
def test_a_value_reaches_the_rules_that_read_it_and_no_other(wiring, path, value, expected):
    def change(tree):
        *way, last = path
        for step in way:
            tree = tree[step]
        tree[last] = value

    assert changed(wiring, change) == expected


def test_the_bootstrap_reaches_scores_and_claims(wiring):
    names = changed(wiring, lambda tree: tree["evaluate"].update(n_bootstraps=50))
    assert {name.split()[0] for name in names} == {"score_study", "judge_claims"}


def test_the_master_seed_reaches_all_that_is_random(wiring):
    names = changed(wiring, lambda tree: tree.update(master_seed=2))
    assert {name.split()[0] for name in names} == {
        "simulate_sky", "build_dataset", "train", "score_study", "judge_claims",
    }  # fmt: skip


def test_another_study_changes_nothing_of_the_others(wiring):
    def add(tree):
        tree["study_files"]["another"] = tree["study_files"]["main_sample"]
        tree["studies"].insert(0, "another")

    assert changed(wiring, add) == set()


def test_files_follow_from_names(wiring):
    w = wiring()
    assert w.match_of("mock_main") == []
    assert w.match_of("mock_specz") == ["<results>/catalogs/match/mock_specz.parquet"]
    assert w.catalog_of("mock_specz", "labels") == "<results>/catalogs/mock_galaxiesml.parquet"
    assert w.catalog_of("mock_specz", "photometry") == "<results>/catalogs/mock_hsc.parquet"
    assert w.samples_of("combined") == [
        "<results>/samples/mock_specz.parquet", "<results>/samples/mock_photoz.parquet",
    ]  # fmt: skip
    base = "<results>/runs/transfer.base-s0/weights.safetensors"
    assert w.parent_of("transfer.transfer-s0") == [base]
    assert w.parent_of("transfer.base-s0") == []
    assert w.native_files("mock_hsc") == {"all": "<results>/survey/hsc.csv"}
    targets = w.fetch_targets()
    assert targets["sdss_mgs"] == ["data/fetched/sdss_mgs/train", "data/fetched/sdss_mgs/test"]
    assert targets["cosmos2020"] == ["data/fetched/cosmos2020/all"]
    assert not [survey for survey in targets if survey.startswith("mock")]


def test_what_is_fetched_depends_on_what_is_published_alone(wiring):
    w = wiring()
    assert {"sdss_mgs/train", "galaxiesml/all"} <= set(w.fetched_places("file"))
    assert {"hsc_pdr2/all", "archives/sdss_dr12_main"} <= set(w.fetched_places("sql"))
    assert not set(w.fetched_places("sql")) & set(w.fetched_places("file"))
    assert w.fetched_places("frames") == ["archives/sdss_dr12_frames"]  # no rule makes it
    assert json.loads(w.archive("archives/galaxiesml_v6")) == json.loads(
        w.archive("galaxiesml/all")
    )
    entry = json.loads(w.archive("sdss_mgs/train"))
    assert entry["name"] == "sdss_mgs_train"
    assert len(entry["sha256"]) == 64
    query = json.loads(w.archive("hsc_pdr2/all"))["sql"]
    assert query.startswith("SELECT f.object_id, f.ra")
    assert "--" not in query

    def reworded(tree):
        tree["archives"]["sdss_mgs_train"]["title"] = "another title"
        tree["archives"]["sdss_mgs_train"]["licence"] = "another licence"

    assert wiring(reworded).archive("sdss_mgs/train") == w.archive("sdss_mgs/train")


def test_the_mock_sky_is_simulated_and_the_real_one_is_not(wiring):
    w = wiring(lambda tree: tree["studies"].append("sdss_main_sample"))
    simulated = {study: w.is_simulated(study) for study in w.plan.studies}
    assert simulated.pop("sdss_main_sample") is False
    assert len(simulated) == 4
    assert all(simulated.values())


def test_a_sample_is_told_the_kind_of_its_fluxes_where_the_survey_says_it(wiring):
    w = wiring(lambda tree: tree["studies"].extend(["measured_photometry", "sdss_main_sample"]))
    kinds = {name: json.loads(w.selection(name)).get("flux_kind") for name in w.plan.samples}
    assert kinds == {
        "mock_photoz": "analytic", "mock_specz": "analytic", "mock_main": "analytic",
        "mock_deep": "analytic", "mock_main_measured": "measured", "sdss_main": None,
    }  # fmt: skip
    assert json.loads(w.measuring())["measured"]["fiber_radius_arcsec"] == 1.5
    assert "measured" not in json.loads(w.reading("mock_sdss_measured"))
    assert w.match_to("mock_specz") == "isprimary == True"
    assert w.match_to("sdss_main") == ""


def test_patterns_match_just_the_names():
    pattern = names_pattern(["a.b-s0", "c"])
    assert re.fullmatch(pattern, "a.b-s0")
    assert not re.fullmatch(pattern, "axb-s0")
    assert not re.fullmatch(names_pattern([]), "")


def test_a_refused_configuration_ends_with_2_and_one_message(given, capsys):
    with pytest.raises(ConfigRefused) as ended:
        wiring_or_exit(ROOT, given(studies=["transfr"]))
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("bad input: config/config.yaml: studies\n")
    assert "did you mean 'transfer'?" in message
    assert "Traceback" not in message
