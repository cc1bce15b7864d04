"""docs/config.md: every key of the configuration, from the schemas and the shipped files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from zladder.config.documents import read_yaml
from zladder.config.load import STAGES
from zladder.config.schema import read_schema
from zladder.docs.markdown import NOTE, code, page, table
from zladder.docs.schema_rows import ITEM, NAME, schema_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.docs.schema_rows import Row

OPENING = """\
Settings are laid over each other; the last one wins:

1. `config/stages/STAGE.yaml`, how each stage works;
2. the block of the chosen scale in `config/scales.yaml`;
3. what you give with `--configfile FILE` or `--config KEY=VALUE`: keys of `config/config.yaml`.

Mappings merge key by key; lists and values are replaced, and so is a mapping whose `name` changes
(a loss). An unknown key is refused with the nearest valid one, before anything runs. `NAME` stands
for a name of your choice, `[]` for each entry of a list. The schemas are in `workflow/schemas`."""

COLLECTIONS = {"surveys": "config/surveys/NAME.yaml", "studies": "config/studies/NAME.yaml",
               "claims": "config/claims/PAPER.yaml",
               "references": "config/references/NAME.yaml",
               "real_samples": "config/real_samples.yaml",
               "archives": "config/archives.yaml"}  # fmt: skip
LONGEST_VALUE = 60
ELSEWHERE = "see the file"
_MISSING = object()


def config_page(root: Path) -> str:
    """Return the page."""
    scales = read_yaml(root / "config" / "scales.yaml")
    schemas = root / "workflow" / "schemas"
    top = read_yaml(root / "config" / "config.yaml")
    sections = [_with_defaults("config", "config/config.yaml", schemas, top, {})]
    for stage in STAGES:
        file = f"config/stages/{stage}.yaml"
        by_scale = {scale: block.get(stage, {}) for scale, block in scales.items()}
        sections.append(_with_defaults(stage, file, schemas, read_yaml(root / file), by_scale))
    fetching = read_yaml(root / "config" / "fetching.yaml")
    sections.append(_with_defaults("fetching", "config/fetching.yaml", schemas, fetching, {}))
    for name, file in COLLECTIONS.items():
        sections.append(_without_defaults(name, file, schemas))
    return page("# Configuration", NOTE, OPENING, *sections)


def _with_defaults(
    schema_name: str, file: str, schemas: Path, document: Mapping[str, Any],
    by_scale: Mapping[str, Any],
) -> str:  # fmt: skip
    schema_file = schemas / f"{schema_name}.schema.yaml"
    rows = [
        (code(row.key), row.kind, row.unit, _default(row, document), _scales(row, by_scale),
         row.meaning)
        for row in schema_rows(schema_file)
    ]  # fmt: skip
    head = ("key", "type and range", "unit", "default", "by scale", "meaning")
    return page(f"## {file}", read_schema(schema_file)["description"], table(head, rows))


def _without_defaults(schema_name: str, file: str, schemas: Path) -> str:
    schema_file = schemas / f"{schema_name}.schema.yaml"
    required = read_schema(schema_file)["required"]
    rows = [
        (code(row.key), row.kind, row.unit, "yes" if row.key in required else "", row.meaning)
        for row in schema_rows(schema_file)
    ]
    head = ("key", "type and range", "unit", "needed", "meaning")
    return page(f"## {file}", read_schema(schema_file)["description"], table(head, rows))


def _default(row: Row, document: Mapping[str, Any]) -> str:
    """Return the shipped value; for a key below NAME the value of each name, if they are short."""
    if ITEM in row.path or not row.is_leaf:
        return ""
    if NAME not in row.path:
        return _shown(_at(document, row.path))
    before = row.path.index(NAME)
    named = _at(document, row.path[:before])
    after = row.path[before + 1 :]
    values = {name: _shown(_at(entry, after)) for name, entry in named.items()}
    text = ", ".join(f"{name} {value}" for name, value in values.items() if value)
    return text if len(text) <= 3 * LONGEST_VALUE and ELSEWHERE not in text else ELSEWHERE


def _scales(row: Row, by_scale: Mapping[str, Any]) -> str:
    if not row.is_leaf:
        return ""
    values = {scale: _at(block, row.path) for scale, block in by_scale.items()}
    return ", ".join(f"{s} {_shown(v)}" for s, v in values.items() if _shown(v))


def _at(document: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(document, dict) or step not in document:
            return _MISSING
        document = document[step]
    return document


def _shown(value: Any) -> str:
    """Return a value as one would write it in YAML; names only for a mapping of mappings."""
    if value is _MISSING:
        return ""
    if isinstance(value, dict) and any(isinstance(entry, dict) for entry in value.values()):
        value = list(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
    text = text.removesuffix("...\n").strip()
    return code(text) if len(text) <= LONGEST_VALUE else ELSEWHERE
