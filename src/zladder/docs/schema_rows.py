"""A JSON schema as rows of a table: key, type and range, unit, meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.config.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME = "NAME"  # stands for any name where the keys of a mapping are names
ITEM = "[]"

# Endings of keys, the longest first; units stand in names.
UNITS = {
    "_mag_per_z": "mag / unit z",
    "_sigmas_max": "sigma",
    "_per_count": "electrons / count",
    "_electrons": "electrons",
    "_per_mpc3": "Mpc⁻³",
    "_counts2": "counts²",
    "_mag_max": "mag",
    "_pixels": "pixels",
    "_sigmas": "sigma",
    "_per_deg2": "deg⁻²",
    "_per_ebv": "mag / mag",
    "_arcsec": "arcsec",
    "_nmgy": "nmgy",
    "_softenings": "softenings",
    "_deg2": "deg²",
    "_deg": "deg",
    "_mag": "mag",
    "_dpi": "dots / inch",
}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {} entries",
}
_WORDS = {"string": "text", "boolean": "true or false", "object": "mapping"}


@dataclass(frozen=True)
class Row:
    """One key; `path` holds NAME and ITEM where the document has names and list entries.

    `is_leaf`: the key has a value of its own; the keys below it have no rows.
    """

    path: tuple[str, ...]
    kind: str
    meaning: str
    is_leaf: bool

    @property
    def key(self) -> str:
        """The path with dots, as messages write it."""
        return ".".join(self.path).replace(f".{ITEM}", ITEM)

    @property
    def unit(self) -> str:
        """The unit that the last named key carries."""
        last = [step for step in self.path if step not in (NAME, ITEM)][-1]
        return next((unit for ending, unit in UNITS.items() if last.endswith(ending)), "")


def schema_rows(file: Path) -> list[Row]:
    """Return one row a key of a schema file, parents before children."""
    return list(_walk(read_schema(file), (), file))


def _walk(node: Mapping[str, Any], path: tuple[str, ...], file: Path) -> Iterator[Row]:
    if "$ref" in node:
        target, target_file = _target(node["$ref"], file)
        rest = {key: value for key, value in node.items() if key not in ("$ref", "required")}
        yield from _walk({**target, **rest}, path, target_file)
        return
    if path and not (path[-1] in (NAME, ITEM) and "properties" in node):
        yield Row(path, _kind(node), node.get("description", ""), "properties" not in node)
    for key, child in node.get("properties", {}).items():
        yield from _walk(child, (*path, key), file)
    names = node.get("additionalProperties")
    if isinstance(names, dict) and _is_deep(names):
        yield from _walk(names, (*path, NAME), file)
    items = node.get("items", {})
    if "properties" in items:
        yield from _walk(items, (*path, ITEM), file)


def _target(reference: str, file: Path) -> tuple[Mapping[str, Any], Path]:
    """Return what a reference (``#/a/b``, or ``other.yaml#/a/b``) means, and its file."""
    name, _, place = reference.partition("#/")
    target_file = file.with_name(name) if name else file
    node: Any = read_schema(target_file)
    for step in place.split("/"):
        node = node[step]
    return node, target_file


def _is_deep(node: Mapping[str, Any]) -> bool:
    """Return whether the values of a mapping have keys of their own, worth rows of their own."""
    return "properties" in node or "$ref" in node


def _kind(node: Mapping[str, Any]) -> str:
    """Return type and range in words."""
    if "enum" in node:
        return "one of " + ", ".join(f"`{value}`" for value in node["enum"])
    if "anyOf" in node:
        return " or ".join(_kind(branch) for branch in node["anyOf"])
    names = node.get("additionalProperties")
    if isinstance(names, dict) and not _is_deep(names):
        return f"mapping to {_kind(names)}"
    if "properties" in node and "description" not in node:
        return "mapping with " + ", ".join(f"`{key}`" for key in node["properties"])
    given = node.get("type", "any")
    if isinstance(given, list):
        return " or ".join(_kind({**node, "type": one}) if one != "null" else one for one in given)
    kind = _WORDS.get(given, given)
    if kind == "array":
        return _list_kind(node)
    bounds = [words.format(f"{node[key]:g}") for key, words in _BOUNDS.items() if key in node]
    pattern = [f"of the form `{node['pattern']}`"] if "pattern" in node else []
    return ", ".join([kind, *bounds, *pattern])


def _list_kind(node: Mapping[str, Any]) -> str:
    least, most = node.get("minItems"), node.get("maxItems")
    entries = _kind(node.get("items", {}))
    if least and least == most:
        return f"list of {least}: {entries}"
    return f"list, at least {least}: {entries}" if least else f"list: {entries}"
