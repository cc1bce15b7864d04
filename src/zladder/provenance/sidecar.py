"""The JSON file beside every result: how it was made, from what, and what it cost."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from zladder import __version__
from zladder.provenance.outputs import write_text_whole

if TYPE_CHECKING:
    from pathlib import Path

# The packages whose version can change a number; only those that the program loaded are listed.
_WATCHED = ("numpy", "pandas", "scipy", "astropy", "torch", "sklearn", "pyarrow", "speclite")
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def versions() -> dict[str, str]:
    """Return the versions of Python, zladder and the watched packages that are loaded."""
    loaded = [name for name in _WATCHED if name in sys.modules]
    found = {name: metadata.version(_DISTRIBUTIONS.get(name, name)) for name in loaded}
    return {"python": platform.python_version(), "zladder": __version__, **found}


def write_sidecar(path: Path, content: dict[str, Any]) -> None:
    """Write a sidecar, adding versions and host; the keys stand in alphabetical order."""
    whole = {**content, "versions": versions(), "host": platform.node()}
    write_text_whole(path, json.dumps(whole, indent=2, sort_keys=True) + "\n")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return the content of a sidecar."""
    return json.loads(path.read_text(encoding="utf-8"))
