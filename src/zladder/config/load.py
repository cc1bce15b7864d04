"""From YAML files to one checked settings tree.

The order of precedence, last wins: ``config/stages/STAGE.yaml``, the scale's block of
``config/scales.yaml``, then what the user gave with ``--configfile`` or ``--config``.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from zladder.config.archives import read_archives
from zladder.config.documents import read_yaml, text_keys
from zladder.config.merge import holds, overlay, with_model
from zladder.config.references import require_references
from zladder.config.schema import check
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PLAIN_NAME = "[a-z][a-z0-9_]*"
STAGES = (
    "survey", "catalogs", "cutouts", "datasets", "pretrain", "train", "evaluate", "report",
)  # fmt: skip


def load_settings(root: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked settings tree.

    Parameters
    ----------
    root
        The folder of the Snakefile.
    given
        ``config/config.yaml`` with the user's overrides laid over it (Snakemake's ``config``).

    Returns
    -------
    dict
        The keys of ``config.yaml``; one subtree a stage; ``survey_files``, ``study_files``,
        ``claim_files`` and ``reference_files``: {name: document} of ``surveys/``, ``studies/``,
        ``claims/`` and ``references/``; ``real_samples``: what real samples are like;
        ``archives``: {name: entry}, queries with their text; ``fetching``: how they are asked.

    Raises
    ------
    BadInput
        With file, path, nearest valid name for anything that the schemas refuse.
    """
    schemas = root / "workflow" / "schemas"
    given = {
        key: _typed(text_keys(value)) if key in (*STAGES, "fetching") else text_keys(value)
        for key, value in given.items()
        if key != "pathvars"
    }
    check(given, schemas / "config.schema.yaml", lambda _path: "config/config.yaml (or --config)")
    scales = read_yaml(root / "config" / "scales.yaml")
    check(scales, schemas / "scales.schema.yaml", lambda _path: "config/scales.yaml")
    scale = scales[given["scale"]]
    settings = {key: value for key, value in given.items() if key not in STAGES}
    for stage in STAGES:
        settings[stage] = _stage(root, stage, scale.get(stage, {}), given.get(stage, {}))
    settings["survey_files"] = _collection(root, "surveys", given.get("surveys", {}))
    settings["study_files"] = _collection(root, "studies", {})
    settings["claim_files"] = _collection(root, "claims", {})
    settings["reference_files"] = _collection(root, "references", {})
    settings["real_samples"] = _document(root, "real_samples", {})
    settings["fetching"] = _document(root, "fetching", given.get("fetching", {}))
    settings["archives"] = read_archives(root, given.get("archives", {}))
    require_references(settings)
    return settings


def _typed(value: Any) -> Any:
    """Return a value of ``--config`` with its numbers as numbers.

    Snakemake reads ``--config 'train={n_seeds: 3}'`` as text throughout.
    """
    if isinstance(value, dict):
        return {key: _typed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_typed(entry) for entry in value]
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return {"true": True, "false": False}.get(value.lower(), value)


def _stage(
    root: Path, stage: str, scale: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one stage's settings with scale and user laid over them, checked."""
    defaults = read_yaml(root / "config" / "stages" / f"{stage}.yaml")

    def origin(path: Sequence[Any]) -> str:
        if path and holds(given, path):
            return "--config or --configfile"
        in_scale = path and holds(scale, path)
        return "config/scales.yaml" if in_scale else f"config/stages/{stage}.yaml"

    merged = overlay(overlay(defaults, scale), given)
    check(merged, root / "workflow" / "schemas" / f"{stage}.schema.yaml", origin)
    return merged


def _document(root: Path, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document that stands alone, with the user's values laid over it, checked."""
    file = f"config/{name}.yaml"

    def origin(path: Sequence[Any]) -> str:
        return "--config or --configfile" if path and holds(given, path) else file

    document = overlay(read_yaml(root / file), given)
    check(document, root / "workflow" / "schemas" / f"{name}.schema.yaml", origin)
    return document


def _collection(root: Path, collection: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return {name: checked document} of a folder of YAML files, `like:` resolved."""
    folder = root / "config" / collection
    documents = {path.stem: read_yaml(path) for path in sorted(folder.glob("*.yaml"))}
    documents = overlay(documents, given)
    schema = root / "workflow" / "schemas" / f"{collection}.schema.yaml"
    resolved = {}
    for name, document in documents.items():
        _require_plain(name, folder)
        file = folder / f"{name}.yaml"
        resolved[name] = with_model(document, documents, file, "like")
        check(resolved[name], schema, partial(_file_of, collection, name))
    return resolved


def _require_plain(name: str, folder: Path) -> None:
    if not re.fullmatch(_PLAIN_NAME, name):
        hint = "rename the file: its name becomes part of runs and results"
        raise BadInput(folder / f"{name}.yaml", "its name", _PLAIN_NAME, f"'{name}'", hint)


def _file_of(collection: str, name: str, _path: Sequence[Any]) -> str:
    return f"config/{collection}/{name}.yaml"
