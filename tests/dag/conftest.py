"""A checkout in which everything is up to date, made once; each test edits a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkout import Checkout


@pytest.fixture(scope="session")
def up_to_date(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose outputs all stand, with Snakemake's record of how they were made."""
    folder = tmp_path_factory.mktemp("dag") / "ladder"
    Checkout(folder).pretend()
    return folder


@pytest.fixture
def checkout(up_to_date: Path, tmp_path: Path) -> Checkout:
    """A copy of the up-to-date checkout, modification times kept, for one test to edit."""
    folder = tmp_path / "ladder"
    shutil.copytree(up_to_date, folder, symlinks=True)
    return Checkout.of(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout in which nothing was built."""
    return Checkout(tmp_path / "ladder")
