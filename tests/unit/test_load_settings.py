"""The settings tree: who wins, `like:`, and what a typo is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from zladder.config.documents import read_yaml
from zladder.config.load import STAGES, load_settings
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A copy of the configuration in which a text may be replaced."""
    for part in ("config", "workflow/schemas"):
        shutil.copytree(ROOT / part, tmp_path / part)

    def edit(file: str, old: str, new: str) -> Path:
        path = tmp_path / "config" / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    return edit


def refused(root, given) -> BadInput:
    with pytest.raises(BadInput) as caught:
        load_settings(root, given)
    return caught.value


@pytest.mark.parametrize("scale", ["test", "demo", "small", "paper"])
def test_every_shipped_document_is_valid_at_every_scale(settings, scale):
    tree = settings(scale)
    shipped = {
        folder: {path.stem for path in (ROOT / "config" / folder).glob("*.yaml")}
        for folder in ("stages", "surveys", "studies", "claims", "references")
    }
    assert shipped["stages"] == set(STAGES) <= set(tree)
    for folder, key in (("surveys", "survey_files"), ("studies", "study_files"),
                        ("claims", "claim_files"), ("references", "reference_files")):  # fmt: skip
        assert set(tree[key]) == shipped[folder] != set()


def test_every_overlay_of_a_paper_is_valid():
    for overlay_file in sorted((ROOT / "config" / "papers").glob("*.yaml")):
        config = read_yaml(ROOT / "config" / "config.yaml") | read_yaml(overlay_file)
        load_settings(ROOT, config)


def test_the_stage_gives_way_to_the_scale_and_the_scale_to_the_user(checkout, given):
    root = checkout("scales.yaml", "train: {n_seeds: 1, epochs_limit: 12,",
                    "train: {n_seeds: 2, epochs_limit: 12, label_range_z: [0.0, 3.0],")  # fmt: skip
    scaled = load_settings(root, given())["train"]
    assert (scaled["n_seeds"], scaled["epochs_limit"]) == (2, 12)
    assert scaled["label_range_z"] == [0.0, 3.0]
    assert load_settings(ROOT, given())["train"]["label_range_z"] == [0.0, 4.0]
    told = load_settings(root, given(train={"n_seeds": 5, "label_range_z": [0.0, 2.0]}))["train"]
    assert (told["n_seeds"], told["epochs_limit"]) == (5, 12)
    assert told["label_range_z"] == [0.0, 2.0]


def test_like_takes_over_everything_but_the_source(settings):
    surveys = settings()["survey_files"]
    mock, real = surveys["mock_hsc"], surveys["hsc_pdr2"]
    assert mock["source"] == {"simulated": "hsc.csv"}
    assert "like" not in mock
    assert mock["title"] != real["title"]
    for key in ("bands", "columns", "sentinels", "kind", "file_format"):
        assert mock[key] == real[key]


@pytest.mark.parametrize("model", ["hsc_pdr", "mock_cosmos"])
def test_like_must_name_a_survey_without_one(checkout, given, model):
    error = refused(checkout("surveys/mock_hsc.yaml", "hsc_pdr2", model), given())
    assert error.file.endswith("config/surveys/mock_hsc.yaml")
    assert error.place == "like"
    assert repr(model) == error.found
    assert "'hsc_pdr2'" in error.expected


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "hint"),
    [
        ("stages/train.yaml", "n_z", "n_z", None, None),
        ("stages/train.yaml", "weight_decay: 0.0", "weight_decy: 0.0",
         "networks.mlp_soriano.optimizer.weight_decy", "weight_decay"),
        ("stages/catalogs.yaml", "deredden: true", "deredened: true",
         "samples.mock_main.deredened", "deredden"),
        ("stages/survey.yaml", "scatter_ln", "scater_ln", "dust.scater_ln", "scatter_ln"),
        ("stages/datasets.yaml", "sky_cell_order", "sky_cel_order", "sky_cel_order",
         "sky_cell_order"),
        ("stages/evaluate.yaml", "n_bootstraps", "n_botstraps", "n_botstraps", "n_bootstraps"),
        ("stages/report.yaml", "figure_dpi", "figur_dpi", "figur_dpi", "figure_dpi"),
        ("surveys/sdss_mgs.yaml", "file_format", "fileformat", "fileformat", "file_format"),
        ("studies/transfer.yaml", "test_on", "teston", "teston", "test_on"),
        ("studies/transfer.yaml", "{learning_rate", "{learnig_rate",
         "networks.transfer.optimizer.learnig_rate", "learning_rate"),
        ("claims/soriano2024.yaml", "tolerance", "tolerence",
         "claims.C3-transfer-bias.tolerence", "tolerance"),
    ],
)  # fmt: skip
def test_a_misspelt_key_is_told_with_its_place_and_the_nearest_one(
    checkout, given, file, old, new, place, hint
):
    if place is None:
        load_settings(checkout(file, old, new), given())  # the fixture itself changes nothing
        return
    error = refused(checkout(file, old, new), given())
    assert error.file == f"config/{file}"
    assert error.place == place
    assert f"unknown key '{place.split('.')[-1]}'" in error.found
    assert hint in error.expected
    assert error.hint == f"did you mean '{hint}'?"


def test_a_misspelt_key_of_a_scale_is_told(checkout, given):
    error = refused(checkout("scales.yaml", "n_specz: 700", "n_spec: 700"), given())
    assert (error.file, error.place) == ("config/scales.yaml", "n_spec")
    assert error.hint == "did you mean 'n_specz'?"


@pytest.mark.parametrize(
    ("changes", "file", "place", "hint"),
    [
        ({"scal": "demo"}, "config/config.yaml (or --config)", "scal", "scale"),
        ({"train": {"n_seed": 3}}, "--config or --configfile", "n_seed", "n_seeds"),
        ({"surveys": {"sdss_mgs": {"colums": {}}}}, "config/surveys/sdss_mgs.yaml", "colums",
         "columns"),
    ],
)  # fmt: skip
def test_a_misspelt_override_is_told(given, changes, file, place, hint):
    error = refused(ROOT, given(**changes))
    assert (error.file, error.place) == (file, place)
    assert error.hint == f"did you mean '{hint}'?"


@pytest.mark.parametrize(
    ("changes", "place", "expected", "found"),
    [
        ({"scale": "tset"}, "scale", "test", "'tset'"),
        ({"master_seed": -1}, "master_seed", "at least 0", "-1"),
        ({"train": {"n_seeds": "three"}}, "n_seeds", "type integer", "'three'"),
        ({"datasets": {"splits": {"test": 1.5}}}, "splits.test", "less than 1", "1.5"),
        ({"train": {"networks": {"mlp_soriano": {"optimizer": {"learning_rate": 0}}}}},
         "networks.mlp_soriano.optimizer.learning_rate", "more than 0", "0"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_told_with_the_range(given, changes, place, expected, found):
    error = refused(ROOT, given(**changes))
    assert error.place == place
    assert expected in error.expected
    assert error.found == found
    assert error.hint


def test_a_missing_key_is_told_with_the_file_that_should_have_it(checkout, given):
    error = refused(checkout("stages/report.yaml", "figure_dpi: 150", "{}"), given())
    assert (error.file, error.place) == ("config/stages/report.yaml", "top level")
    assert error.expected == "the key 'figure_dpi'"
    assert "figure_dpi:" in error.hint


def test_broken_yaml_is_told_with_line_and_column(checkout, given):
    error = refused(checkout("stages/evaluate.yaml", "n_bootstraps: 1000", "a: b: c"), given())
    assert error.file.endswith("config/stages/evaluate.yaml")
    assert error.place == "line 2, column 5"


@pytest.mark.parametrize("content", [b"- a list\n", b"\xff\xfe", None])
def test_what_is_no_yaml_mapping_is_bad_input(tmp_path, content):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.yaml"):
        read_yaml(path)


def test_a_study_needs_a_plain_name(checkout, given):
    root = checkout("studies/main_sample.yaml", "title", "title")
    (root / "config/studies/main_sample.yaml").rename(root / "config/studies/Main.two.yaml")
    error = refused(root, given())
    assert error.file.endswith("Main.two.yaml")
    assert error.found == "'Main.two'"


def test_numbers_given_as_text_on_the_command_line_are_numbers(given):
    # Snakemake reads --config 'train={n_seeds: 3}' as text throughout.
    text = {"n_seeds": "3", "label_range_z": ["0.0", "1e0"], "epochs_limit": "7"}
    settings = load_settings(ROOT, given(train=text))
    assert settings["train"]["n_seeds"] == 3
    assert settings["train"]["label_range_z"] == [0.0, 1.0]
    samples = {"mock_main": {"deredden": "false"}}
    assert (
        load_settings(ROOT, given(catalogs={"samples": samples}))["catalogs"]["samples"][
            "mock_main"
        ]["deredden"]
        is False
    )
