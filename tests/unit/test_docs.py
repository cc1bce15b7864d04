"""The generated pages do not drift, and what the other pages say of the code is true."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from tests import toy_images
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.docs.__main__ import main
from zladder.docs.array_formats import FEATURES, FEATURES_OPENING, PDF, PDF_OPENING
from zladder.docs.formats_words import FLAG_MEANINGS, RESERVED_FLAGS, SIDECAR_KEYS
from zladder.docs.pages import drift, mock_wiring
from zladder.docs.rule_files import read_rule_files
from zladder.docs.rule_inputs import wildcard_values
from zladder.docs.rules_page import compute_rules
from zladder.docs.schema_rows import schema_rows
from zladder.evaluate.flags import BITS
from zladder.learning.image_bundle import drawn_encoder, save_images_run
from zladder.pdf.pdf_file import ClassPdfs, write_pdfs
from zladder.provenance.program import ProgramParser, run_program
from zladder.train.embed import embed_images

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
FILES = read_rule_files(ROOT / "workflow" / "rules")
RULES = {rule.name: rule for file in FILES for rule in compute_rules(file)}


# ---------------------------------------------------------------- drift


def test_the_generated_pages_are_those_of_the_code():
    found = drift(ROOT)
    assert not found, f"run `make docs`\n{found}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what the pages are made of."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("config", "workflow", "docs"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def test_check_tells_of_drift_with_a_diff_and_writing_mends_it(checkout, capsys):
    page = checkout / "docs" / "config.md"
    stages = checkout / "config" / "stages" / "evaluate.yaml"
    assert main(["--check", "--root", str(checkout)]) == 0
    stages.write_text("n_bootstraps: 777\n", encoding="utf-8")
    before = page.read_bytes()
    assert main(["--check", "--root", str(checkout)]) == 1
    assert page.read_bytes() == before
    out = capsys.readouterr().out
    assert "-| `n_bootstraps`" in out
    assert "| `777` |" in out
    assert main(["--root", str(checkout)]) == 0
    assert main(["--check", "--root", str(checkout)]) == 0


def test_the_pages_do_not_depend_on_the_data_of_this_machine(monkeypatch, tmp_path):
    with_default = drift(ROOT)
    (tmp_path / "sdss_mgs").mkdir()
    for part in ("train", "test"):
        (tmp_path / "sdss_mgs" / f"SDSS_MGS.{part}").write_text("", encoding="utf-8")
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path))
    assert drift(ROOT) == with_default


# ---------------------------------------------------------------- words held against the code


SCHEMA_WORDS = {
    "$schema", "$ref", "$defs", "title", "description", "type", "enum", "const", "pattern",
    "properties", "additionalProperties", "propertyNames", "required", "dependentRequired",
    "minProperties", "maxProperties", "items", "minItems", "maxItems", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "anyOf", "oneOf", "allOf", "not", "if",
    "then", "else",
}  # fmt: skip
SCHEMAS = sorted((ROOT / "workflow" / "schemas").glob("*.yaml"))


def strange_words(node, inside=""):
    """Return the keywords of a schema that mean nothing: a description cut at a comma."""
    if isinstance(node, list):
        return [word for entry in node for word in strange_words(entry)]
    if not isinstance(node, dict):
        return []
    named = inside in ("properties", "$defs", "dependentRequired")
    own = [] if named else [key for key in node if key not in SCHEMA_WORDS]
    return own + [w for k, v in node.items() for w in strange_words(v, "" if named else k)]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_holds_only_words_of_json_schema(path):
    assert strange_words(yaml.safe_load(path.read_text(encoding="utf-8"))) == []
    assert strange_words({"type": "number", "of what": None}) == ["of what"]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_key_says_what_it_means(path):
    assert [row.key for row in schema_rows(path) if row.is_leaf and not row.meaning] == []


def test_a_key_with_a_unit_shows_it():
    units = {r.key: r.unit for r in schema_rows(ROOT / "workflow/schemas/survey.schema.yaml")}
    assert units["hsc.position_error_arcsec"] == "arcsec"
    assert units["population.early.phistar_per_mpc3"] == "Mpc⁻³"
    assert units["sky.deep_area_deg2"] == "deg²"
    assert units["sky.deep_ra_deg"] == "deg"
    assert units["hsc.masked_share"] == ""


def test_every_flag_has_a_meaning_and_every_bit_one_use():
    assert FLAG_MEANINGS.keys() == BITS.keys()
    assert sorted([*BITS.values(), *RESERVED_FLAGS]) == list(range(15))


def test_the_sidecar_keys_are_those_that_programs_write(tmp_path):
    parser = ProgramParser("a program")
    parser.add_output("--made")

    def work(options):
        options.made.write_text("", encoding="utf-8")
        return {}

    made, sidecar = tmp_path / "made", tmp_path / "sidecar.json"
    assert run_program(parser, work, ["--made", str(made), "--sidecar", str(sidecar)]) == 0
    common = {key for key, (by, _) in SIDECAR_KEYS.items() if by == "all"}
    assert set(json.loads(sidecar.read_text(encoding="utf-8"))) == common
    for key, scripts in returned_keys().items():
        by = SIDECAR_KEYS[key][0]
        assert by in ("all", "most") or set(by.split(", ")) == scripts, (key, sorted(scripts))
    assert SIDECAR_KEYS.keys() == {*common, *returned_keys()}


# Where `work` hands on what the library says: the function that says it.
SAID_BY = {
    "train_network": ("train/network.py", "summary"),
    "train_image": ("learning/image_run.py", "summary"),
    "train_head": ("learning/image_run.py", "summary"),
    "pretrain_encoder": ("learning/image_run.py", "summary"),
    "embed_images": ("train/embed.py", "embed_images"),
}
# Keys in a mapping that is unpacked.
UNPACKED = {
    "train_probe": {"penalty", "validation_rms_dz"},
    "embed_images": {"n_in", "n_out"},
}


def returned_keys() -> dict[str, set[str]]:
    """Return {key that a script's work adds: scripts}, read from the sources."""
    found: dict[str, set[str]] = {}
    for path in SCRIPTS.glob("*.py"):
        script = path.stem
        keys = keys_of(path, "work") | UNPACKED.get(script, set())
        if script in SAID_BY:
            file, function = SAID_BY[script]
            keys |= keys_of(ROOT / "src" / "zladder" / file, function)
        assert keys, f"what {script} returns is not to be read from the source"
        for key in keys:
            found.setdefault(key, set()).add(script)
    return found


def keys_of(path: Path, function: str) -> set[str]:
    """Return the literal keys of the dicts that a function of a file returns."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            values = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
            dicts = [value for value in values if isinstance(value, ast.Dict)]
            return {key.value for value in dicts for key in value.keys if key is not None}
    raise AssertionError(f"{path} has no function {function}")


def shapes_of(path, words, letters):
    """Hold an HDF5 file against its words; return its attributes."""
    with h5py.File(path, "r") as file:
        assert file.keys() == words.keys()
        for name, (dtype, shape, _) in words.items():
            assert file[name].dtype.str.endswith(dtype), name
            sides = [eval(side, {}, letters) for side in shape.strip("()").split(",")]
            assert list(file[name].shape) == sides, name
        return dict(file.attrs)


def test_files_of_features_are_as_the_page_says(tmp_path):
    card = toy_images.pretrain_card()
    tensors = {f"encoder.{name}": value for name, value in drawn_encoder(card).state_dict().items()}
    save_images_run(tmp_path / "weights.safetensors", tensors, card)
    sky = toy_images.write_sky(tmp_path, "toy", 20, seed=1)
    features = tmp_path / "features.h5"
    embed_images(tmp_path / "weights.safetensors", *sky, 3, features)
    n_features = drawn_encoder(card).features
    attributes = shapes_of(features, FEATURES, {"N": 20, "K": 3, "D": n_features})
    for name in attributes:
        assert f"`{name}`" in FEATURES_OPENING


def test_files_of_densities_are_as_the_page_says(tmp_path):
    pmf = np.full((3, 4), 0.25, dtype=np.float32)
    path = tmp_path / "pdf.h5"
    write_pdfs(path, ClassPdfs(np.arange(3), np.linspace(0, 0.4, 5), pmf), "toy.net-s0")
    attributes = shapes_of(path, PDF, {"N": 3, "C": 4})
    for name, value in attributes.items():
        assert f"`{name}`" in PDF_OPENING
        assert name == "run" or f"`{value}`" in PDF_OPENING


# ---------------------------------------------------------------- examples and counts in prose


def yaml_examples(page: str) -> dict[str, str]:
    """Return {file: text} of the YAML blocks of a page whose first line names a file."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n# (\S+\.yaml)[^\n]*\n(.*?)^```$", text, re.M | re.S)
    return dict(blocks)


def test_the_example_of_labels_for_deep_images_can_be_planned(given):
    text = (ROOT / "docs" / "real-data.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"^```yaml\n# --configfile deep\.yaml[^\n]*\n(.*?)^```$", text, re.M | re.S
    )
    tree = load_settings(ROOT, given(studies=["label_efficiency"], **yaml.safe_load(example)))
    study = tree["study_files"]["label_efficiency"]
    recipe = {"recipe": "resnet_regression"}
    for labelled, other in (
        ("cfhtls_labelled_images", "cfhtls_images"), ("hsc_images", "hsc_deep_images"),
    ):  # fmt: skip
        study |= {
            "test_on": [labelled], "embed_on": labelled,
            "encoders": {"moco": {"recipe": "moco", "dataset": other}},
            "networks": {"tuned": {**recipe, "dataset": labelled, "parent": "moco"}},
            "controls": {"dataset": labelled, "methods": ["mean_z"]},
        }  # fmt: skip
        ladder = Wiring(tree, make_plan(tree))
        assert set(ladder.plan.datasets) == {labelled, other}
        assert ladder.oracle_samples() == (["mock_specz"] if labelled == "hsc_images" else [])


def test_the_example_of_ones_own_survey_works(tmp_path, monkeypatch):
    examples = yaml_examples("real-data.md")
    new = {f"config/{folder}my_field.yaml" for folder in ("surveys/", "studies/", "")}
    assert new < set(examples)
    for part in ("config", "workflow/schemas"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for file, text in examples.items():
        there = {} if file in new else read_yaml(tmp_path / file)
        whole = overlay(there, yaml.safe_load(text))
        (tmp_path / file).write_text(yaml.safe_dump(whole), encoding="utf-8")
    n = 6
    table = pd.DataFrame({"ID": range(n), "RA": 10.0, "DE": 0.0, "zspec": 0.3, "qz": 4, "u-g": 1.5})
    for band in "ugriz":
        table[band], table[f"e_{band}"] = 20.0, 0.05
    table.loc[1, "qz"] = 2
    table.loc[2, "u-g"] = 0.1
    table.loc[3, ["u", "e_u"]] = -99.0
    table.loc[4, ["u", "e_u"]] = 99.0
    (tmp_path / "data" / "my_field").mkdir(parents=True)
    table.to_csv(tmp_path / "data" / "my_field" / "galaxies.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path / "data"))
    given = overlay(
        read_yaml(tmp_path / "config/config.yaml"), yaml.safe_load(examples["config/my_field.yaml"])
    )
    settings = load_settings(tmp_path, given)
    ladder = Wiring(settings, make_plan(settings))
    assert ladder.plan.studies == ["my_field"]
    assert selected(ladder, "my_field") == [0, 5]


def selected(ladder, sample):
    """Return the object_ids of a sample whose labels and photometry are one survey."""
    from zladder.catalogs.native import read_survey
    from zladder.catalogs.select import select_sample

    survey = ladder.settings["catalogs"]["samples"][sample]["labels"]
    files = {part: Path(path) for part, path in ladder.native_files(survey).items()}
    table, _ = read_survey(files, json.loads(ladder.reading(survey)))
    found, _ = select_sample(table, table, None, json.loads(ladder.selection(sample)), survey)
    return found["object_id"].tolist()


@pytest.fixture
def example_plan(tmp_path):
    """Return the plan of a study among the examples of extending.md, all of them in place."""
    examples = yaml_examples("extending.md")
    assert set(examples) == {
        "config/studies/learning_rates.yaml", "config/stages/pretrain.yaml",
        "config/studies/half_dust.yaml",
    }  # fmt: skip
    for part in ("config", "workflow/schemas"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for file, text in examples.items():
        path = tmp_path / file
        there = read_yaml(path) if path.is_file() else {}
        path.write_text(yaml.safe_dump(overlay(there, yaml.safe_load(text))), encoding="utf-8")

    def plan(study):
        given = read_yaml(tmp_path / "config/config.yaml")
        given |= {"studies": [study], "studies_if_data": []}
        return make_plan(load_settings(tmp_path, given))

    return plan


def test_the_example_of_a_new_study_is_valid(example_plan):
    cards = example_plan("learning_rates").cards
    rates = {run: card["optimizer"]["learning_rate"] for run, card in cards.items()
             if "optimizer" in card}  # fmt: skip
    assert len(set(rates.values())) > 1


def test_the_example_of_a_new_encoder_is_valid(example_plan):
    plan = example_plan("half_dust")
    dust = {run: plan.cards[run]["augmentation"]["ebv_mag_max"] for run in plan.tasks("pretrain")}
    assert dust == {"half_dust.full-s0": 0.5, "half_dust.half-s0": 0.25}
    parents = {run: plan.cards[run]["parent"]["run"] for run in plan.tasks("probe", "image")}
    assert set(parents.values()) == set(dust)


def test_the_budget_counts_the_jobs_of_the_demo():
    wiring = mock_wiring(ROOT)
    wanted = {name: len(wildcard_values(rule, wiring)) for name, rule in RULES.items()}
    wanted |= dict.fromkeys(("crossmatch", "plot_match"), len(wiring.matched_samples()))
    wanted["predict_oracle"] = sum(len(wiring.oracles_of(name)) for name in wiring.plan.studies)
    for rule in ("fetch_file", "fetch_query", "fetch_frames", "measure_frames", "merge_measured",
                 "convert_images"):  # fmt: skip
        del wanted[rule]  # no default study asks for their files
    text = (ROOT / "docs" / "budget.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \w+ \| (\w+) \| (\d+) \|", text, re.M)
    assert {name: int(count) for name, count in rows} == wanted
    assert f"**{sum(wanted.values())}**" in text


def test_no_cell_of_the_budget_is_empty():
    text = (ROOT / "docs" / "budget.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) >= len(RULES)
    empty = [row for row in rows if not all(cell.strip() for cell in row.strip("|").split("|"))]
    assert not empty


def test_every_message_of_the_troubleshooting_page_is_one_of_ours():
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?`(?:, `.*?`)*)[^|]* \|", text, re.M)
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 30
    sources = [*(ROOT / "src").rglob("*.py"), *SCRIPTS.glob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    varying = r"…|'X'|\bX\b|\bN\b|\[\.\.\.\]|found:|expected:"
    for message in messages:
        for fragment in re.split(varying, message):
            assert fragment.strip() in said, message
