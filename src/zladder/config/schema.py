"""Checking a document against its strict schema, with a message a person can act on."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from zladder.config.documents import SafeLoader
from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

    Origin = Callable[[Sequence[Any]], str]


@lru_cache(maxsize=64)
def read_schema(path: Path) -> dict[str, Any]:
    """Return a schema, itself checked to be one."""
    schema = yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)
    Draft202012Validator.check_schema(schema)
    return schema


def check(document: Any, schema_path: Path, origin: Origin) -> None:
    """Refuse a document that does not follow its schema.

    Parameters
    ----------
    document
        The parsed YAML.
    schema_path
        Its schema; unknown keys must be refused there (``additionalProperties: false``).
    origin
        Gives the file that a path inside the document came from.

    Raises
    ------
    BadInput
        For the deepest error: unknown key (with the nearest valid one), wrong type or range.
    """

    def neighbour(name: str) -> Resource[Any]:  # what `$ref: other.schema.yaml#/…` means
        return Resource.from_contents(read_schema(schema_path.with_name(name)))

    registry: Registry[Any] = Registry(retrieve=neighbour)  # type: ignore[call-arg]
    validator = Draft202012Validator(read_schema(schema_path), registry=registry)
    errors = sorted(validator.iter_errors(document), key=lambda error: -len(error.path))
    if errors:
        raise _explained(_deepest(errors[0]), schema_path, origin)


def _deepest(error: ValidationError) -> ValidationError:
    """Return the branch of an anyOf/oneOf that came nearest to fitting."""
    while error.context:
        error = max(error.context, key=lambda branch: len(branch.absolute_path))
    return error


def _explained(error: ValidationError, schema_path: Path, origin: Origin) -> BadInput:
    path = list(error.absolute_path)
    place = ".".join(map(str, path)) or "top level"
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in allowed)
        found = f"the unknown key '{unknown}'"
        hint = nearest_hint(str(unknown), allowed, f"see {schema_path.name}")
        where = ".".join([*map(str, path), str(unknown)])
        expected = f"one of {', '.join(allowed)}"
        return BadInput(origin([*path, unknown]), where, expected, found, hint)
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        hint = f"add '{missing}:' (see {schema_path.name})"
        return BadInput(origin(path), place, f"the key '{missing}'", "no such key", hint)
    meaning = error.schema.get("description", f"see {schema_path.name}")
    return BadInput(origin(path), place, _expectation(error), repr(error.instance), meaning)


def _expectation(error: ValidationError) -> str:
    wanted = error.validator_value
    words = {
        "type": f"a value of type {wanted}",
        "enum": f"one of {wanted}",
        "minimum": f"at least {wanted}",
        "maximum": f"at most {wanted}",
        "exclusiveMinimum": f"more than {wanted}",
        "exclusiveMaximum": f"less than {wanted}",
        "pattern": f"text of the form {wanted}",
        "minItems": f"at least {wanted} entries",
    }
    return words.get(str(error.validator), error.message)
