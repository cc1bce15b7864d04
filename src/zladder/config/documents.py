"""Reading YAML documents: mappings with text keys, each key once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


# libyaml's, where PyYAML was built with it (as its wheels are): ten times faster, and every Slurm
# job reads the configuration again.
SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(SafeLoader):
    """YAML's safe loader, which would otherwise let the last of two equal keys win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                problem = f"the key '{key}' stands here twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML mapping; a file that is not one is `BadInput` with line and column."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(path, "the file", "a YAML file", str(error), "check the path") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
        hint = "check indentation, colons and quotes there"
        raise BadInput(path, place, "valid YAML", str(error.problem), hint) from error
    if not isinstance(document, dict):
        raise BadInput(path, "top level", "keys and values", repr(document), "see docs/config.md")
    return text_keys(document)


def text_keys(document: Any) -> Any:
    """Return a document whose keys are text, as JSON has them: -9999 becomes "-9999"."""
    if isinstance(document, dict):
        return {str(key): text_keys(value) for key, value in document.items()}
    return document
