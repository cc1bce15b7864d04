"""Schemas, shipped defaults and names agree: every key is described, bounded and in its unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from zladder.config.schema import check
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = sorted((ROOT / "workflow" / "schemas").glob("*.schema.yaml"))
STAGES = {path.stem: path for path in sorted((ROOT / "config" / "stages").glob("*.yaml"))}
# Overlays (papers/) are checked when they lie over the rest: alone they lack required keys.
DOCUMENTS = sorted(set((ROOT / "config").rglob("*.yaml")) - set((ROOT / "config/papers").glob("*")))
# The JSON-schema words in use; anything else is a description cut by a comma.
WORDS = {
    "$schema", "$ref", "$defs", "title", "description", "type", "enum", "const", "anyOf", "allOf",
    "if", "then", "properties", "additionalProperties", "required", "propertyNames", "items",
    "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "pattern", "dependentRequired",
}  # fmt: skip
UNITS = (
    "_deg", "_arcsec", "_mag", "_deg2", "_z", "_seconds", "_dpi", "_sigmas", "_per_deg2",
    "_per_mpc3", "_mag_per_z", "_per_ebv", "_pixels", "_counts2", "_electrons", "_per_count",
    "_mag_max", "_sigmas_max", "_angstrom", "_mb", "_nmgy", "_softenings",
)  # fmt: skip
# Numbers without a unit: counts, shares, shapes of functions, redshifts and their errors.
PLAIN = re.compile(
    r"n_\w+|\w*_share(_faint)?|\w*success|(\w+_)?scatter_(ln|bright|faint)|alpha|mode_rms|"
    r"structure_correlation|(stored|floor)_relative_error|spectrum_slope|(z|photoz)_(min|max)|"
    r"z_limit|second_peak_distance|template_steps|z_node_step|fewest_filters|"
    r"q_until_z|(redshift|photoz)_scatter|share|master_seed|epochs(_limit)?|patience|batch_size|"
    r"hidden|members|gamma|delta|learning_rate|weight_decay|neighbours|iterations|trees|leaf_min|"
    r"train|validation|calibration|test|sky_cell_order|label_draws|label_range_z|range_z|published_ratio|"
    r"\w+_per_field|(main|deep)_run|moffat_beta|max_lost_fraction|label_fractions|penalties|"
    r"((image|head)_)?steps_limit|steps|checks|(extension_)?bins|cell_limit|copies|trunk_factor|"
    r"(contrastive|colour)_weight|queue_size|momentum|temperature|projection_units|width|blocks|"
    r"quantiles|counts|start|(relative_)?tolerance|keep|published|z_true|at_least|\w+_i_mag|(g_i|i)_\w+_mag|figure_dpi|"
    r"bytes_about|pages|page_range|row_limit|rerun|(requests|slowest_bytes)_per_second|max_missing_frames_fraction"
)


def schema(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def parts(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name of the property, its schema) of every schema inside a schema."""
    if not isinstance(node, dict):
        return
    yield name, node
    for key in ("properties", "$defs"):
        for child, value in node.get(key, {}).items():
            yield from parts(value, child)
    for key in ("additionalProperties", "items", "propertyNames", "if", "then"):
        yield from parts(node.get(key), name)
    for key in ("anyOf", "allOf"):
        for value in node.get(key, []):
            yield from parts(value, name)


def conditions(node: dict[str, Any]) -> bool:
    """Whether a schema is a branch of if/then, which repeats names of described properties."""
    return not node.keys() - {"properties", "additionalProperties", "required"}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_schemas_use_the_words_of_json_schema_only(path):
    for name, node in parts(schema(path)):
        assert node.keys() <= WORDS, f"{name}: {node.keys() - WORDS}"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_mapping_is_strict(path):
    for name, node in parts(schema(path)):
        if "properties" in node and node.keys() != {"properties"}:  # the latter: an `if`
            strict = node.get("additionalProperties") is False
            assert strict, f"{name or 'top level'} lets unknown keys pass"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_property_says_what_it_is(path):
    for name, node in parts(schema(path)):
        if conditions(node):
            continue
        for child, value in node.get("properties", {}).items():
            if isinstance(value, dict) and "$ref" not in value and "const" not in value:
                said = value.get("description") or value.get("propertyNames") or "enum" in value
                assert said, f"{name}.{child} has no description"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_number_has_a_range(path):
    for name, node in parts(schema(path)):
        if node.get("type") in ("number", "integer"):
            assert node.keys() & {"minimum", "exclusiveMinimum"}, f"{name} has no lower bound"
            if node["type"] == "number" and name not in ("gamma", "delta", "published_ratio",
                                                         "tolerance"):  # fmt: skip
                assert node.keys() & {"maximum", "exclusiveMaximum"}, f"{name} has no upper bound"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_names_of_numbers_carry_their_unit(path):
    for name, node in parts(schema(path)):
        if node.get("type") in ("number", "integer"):
            known = name.endswith(UNITS) or PLAIN.fullmatch(name)
            assert known, f"{name} has neither a unit nor stands in the list of plain numbers"


@pytest.mark.parametrize("stage", STAGES)
def test_every_required_key_has_a_default_or_is_set_by_every_scale(stage):
    wanted = schema(ROOT / "workflow" / "schemas" / f"{stage}.schema.yaml")
    default = yaml.safe_load(STAGES[stage].read_text(encoding="utf-8"))
    scales = yaml.safe_load((ROOT / "config" / "scales.yaml").read_text(encoding="utf-8"))
    assert set(default) <= set(wanted["properties"])
    for key in set(wanted["properties"]) - set(default):
        assert "set by the scale" in wanted["properties"][key]["description"], key
        for scale, values in scales.items():
            assert key in values[stage], f"{scale} does not set {stage}.{key}"
    assert set(wanted["required"]) == set(wanted["properties"])


def test_every_stage_can_be_overridden():
    assert set(STAGES) < set(schema(ROOT / "workflow/schemas/config.schema.yaml")["properties"])


def test_every_stage_has_a_schema_and_every_schema_a_document():
    documents = {
        *STAGES,
        "surveys",
        "studies",
        "claims",
        "references",
        "real_samples",
        "archives",
        "fetching",
        "scales",
        "config",
    }
    assert {path.name.removesuffix(".schema.yaml") for path in SCHEMAS} == documents


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_editors_find_the_schema_of_a_document(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match, first
    assert (path.parent / match[1]).resolve() in SCHEMAS


def test_the_metrics_of_claims_are_those_that_the_code_compares():
    from zladder.evaluate.ratios import COLLAPSE_METRICS, DRIFT_METRIC
    from zladder.metrics.point import POINT_METRICS

    claims = schema(ROOT / "workflow/schemas/claims.schema.yaml")
    claim = claims["properties"]["claims"]["additionalProperties"]
    known = [*POINT_METRICS, *COLLAPSE_METRICS, DRIFT_METRIC]
    assert claim["properties"]["metric"]["enum"] == known


def test_the_choices_of_a_recipe_are_those_of_the_code():
    from zladder.learning.losses import LOSSES
    from zladder.networks.mlp import ACTIVATIONS

    train = schema(ROOT / "workflow/schemas/train.schema.yaml")["$defs"]
    assert set(train["loss"]["properties"]["name"]["enum"]) == set(LOSSES)
    image_losses = {*LOSSES, "cross_entropy"}  # the latter is that of classes
    assert set(train["image_loss"]["properties"]["name"]["enum"]) == image_losses
    assert set(train["model"]["properties"]["activation"]["enum"]) == set(ACTIVATIONS)


def test_the_flags_that_a_dataset_may_leave_out_are_those_that_a_stamp_may_have():
    from zladder.tables.stamp_files import LOSING, STAMP_FLAGS

    images = schema(ROOT / "workflow/schemas/datasets.schema.yaml")["properties"]["images"]
    enum = images["properties"]["leave_out_flags"]["items"]["enum"]
    assert enum == [name for name in STAMP_FLAGS if name not in LOSING]


def test_the_choices_about_pixels_are_those_of_the_code():
    from zladder.learning.augment import N_SYMMETRIES
    from zladder.learning.pixels import STRETCHES

    pixels = schema(ROOT / "workflow/schemas/pretrain.schema.yaml")["properties"]["pixels"]
    assert set(pixels["properties"]["stretch"]["enum"]) == set(STRETCHES)
    heads = schema(ROOT / "workflow/schemas/train.schema.yaml")["properties"]["heads"]
    # All turns and reflections of a square but the identity.
    copies = heads["additionalProperties"]["properties"]["copies"]
    assert copies["maximum"] == N_SYMMETRIES - 1


def checked(section: str, changes: dict[str, Any]) -> None:
    """Check the train stage with a change of one recipe."""
    path = ROOT / "workflow" / "schemas" / "train.schema.yaml"
    document = yaml.safe_load(STAGES["train"].read_text(encoding="utf-8"))
    scales = yaml.safe_load((ROOT / "config" / "scales.yaml").read_text(encoding="utf-8"))
    document |= scales["test"]["train"]
    recipe = next(iter(document[section]))
    document[section][recipe] |= changes
    check(document, path, lambda _path: "train.yaml")


CLASSES = {"kind": "classes", "bins": 180, "range_z": [0.0, 0.4]}


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("image_networks", {"output": CLASSES}),  # with the loss of a regression
        ("image_networks", {"loss": {"name": "cross_entropy"}}),  # with a regression
        ("image_networks", {"output": CLASSES, "loss": {"name": "cross_entropy", "delta": 1.0}}),
        ("image_networks", {"output": {"kind": "regression", "bins": 180}}),
        ("image_networks", {"output": {"kind": "classes", "bins": 180},
                            "loss": {"name": "cross_entropy"}}),
        ("image_networks", {"output": {**CLASSES, "extension_bins": 9},
                            "loss": {"name": "cross_entropy"}}),
        ("image_networks", {"loss": {"name": "huber"}}),
        ("heads", {"output": {"kind": "regression", "extension_bins": 0}}),
        ("heads", {"output": CLASSES}),
        ("heads", {"copies": 8}),
    ],
)  # fmt: skip
def test_outputs_losses_and_labels_that_do_not_go_together_are_refused(section, changes):
    checked(section, {})
    checked("image_networks", {"output": CLASSES, "loss": {"name": "cross_entropy"}})
    with pytest.raises(BadInput):
        checked(section, changes)
