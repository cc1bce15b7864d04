"""Fixtures that several unit tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from report_world import World, make_world

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def report_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a synthetic result tree, made once."""
    text = (ROOT / "config" / "claims" / "soriano2024.yaml").read_text(encoding="utf-8")
    return make_world(tmp_path_factory.mktemp("world"), yaml.safe_load(text)["claims"])
