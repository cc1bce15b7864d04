"""Laying one configuration over another, and naming the file a value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def overlay(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `top` laid over it: mappings merge key by key, all else is replaced.

    A mapping with another ``name`` is another thing (huber, not tanaka): it is replaced too.
    """
    merged = dict(base)
    for key, value in top.items():
        mergeable = isinstance(value, dict) and isinstance(merged.get(key), dict)
        if mergeable and value.get("name") in (None, merged[key].get("name")):
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def holds(document: Any, path: Sequence[Any]) -> bool:
    """Return whether a path of keys and list positions exists in a document."""
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return False
    return True
