"""The generated pages, and how far the files on disk have drifted from them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.docs.archives_page import archives_page
from zladder.docs.config_page import config_page
from zladder.docs.formats_page import formats_page
from zladder.docs.rules_page import rules_page

if TYPE_CHECKING:
    from pathlib import Path


def generated_pages(root: Path) -> dict[str, str]:
    """Return {file below the root: text} of every generated page; the same on every machine."""
    return {
        "docs/rules.md": rules_page(root, mock_wiring(root)),
        "docs/config.md": config_page(root),
        "docs/formats.md": formats_page(root),
        "docs/archives.md": archives_page(root),
    }


def mock_wiring(root: Path) -> Wiring:
    """Return the wiring of the default configuration, whatever data this machine holds."""
    given = {**read_yaml(root / "config" / "config.yaml"), "studies_if_data": []}
    settings = load_settings(root, given)
    return Wiring(settings, make_plan(settings))


def drift(root: Path) -> str:
    """Return a unified diff from the files on disk to what they should be; empty if none."""
    lines: list[str] = []
    for file, wanted in generated_pages(root).items():
        path = root / file
        there = path.read_text(encoding="utf-8") if path.is_file() else ""
        lines += difflib.unified_diff(
            there.splitlines(), wanted.splitlines(), file, f"{file} (generated)", lineterm=""
        )
    return "\n".join(lines)
