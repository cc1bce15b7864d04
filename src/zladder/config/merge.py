"""Laying one configuration over another, and naming the file a value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.names import FRAME_PLACES
from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


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


def with_model(
    document: Mapping[str, Any], documents: Mapping[str, Any], file: Path | str, place: str
) -> dict[str, Any]:
    """Lay a document over the one it names with `like:` (which must not name another).

    The model's `source` is not taken over, nor the place of its `frames` by one that has its own.

    Raises
    ------
    BadInput
        With `file` and `place`, if there is no such document.
    """
    model = document.get("like")
    if model is None:
        return dict(document)
    if model not in documents or "like" in documents[model]:
        names = [other for other, text in documents.items() if "like" not in text]
        hint = nearest_hint(str(model), names, "name one that has no `like:` of its own")
        raise BadInput(file, place, f"one of {names}", repr(model), hint)
    rest = {key: value for key, value in document.items() if key != "like"}
    base = {key: value for key, value in documents[model].items() if key != "source"}
    if "frames" in base and any(place in rest.get("frames", {}) for place in FRAME_PLACES):
        base["frames"] = {k: v for k, v in base["frames"].items() if k not in FRAME_PLACES}
    return overlay(base, rest)
