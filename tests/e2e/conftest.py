"""The whole ladder, climbed once at scale `test`; tests look at it or go on from a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkout import Checkout

CONFIG = ("--cores", "2", "--config", "scale=test")


@pytest.fixture(scope="session")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout after `snakemake --config scale=test`."""
    checkout = Checkout(tmp_path_factory.mktemp("e2e") / "a ladder")
    done = checkout.snakemake(*CONFIG)
    assert done.returncode == 0, done.stderr[-4000:]
    return checkout


@pytest.fixture
def copy(climbed: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it, modification times and Snakemake's records kept."""
    folder = tmp_path / "ladder"
    shutil.copytree(climbed.folder, folder, symlinks=True)
    return Checkout.of(folder)
