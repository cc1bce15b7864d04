"""The whole ladder, climbed once at scale `test`; tests look at it or go on from a copy.

And the papers' real routes, each built when it is first asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.checkout import Checkout

if TYPE_CHECKING:
    from tests.real_routes import Route, Routes

CONFIG = ("--cores", "2", "--config", "scale=test")
PAPERS = ["hayat2021", "lin2022", "soriano2024"]


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


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routes]:
    """The loopback archive, and what is built from it."""
    # seconds that the other tests need not wait for
    from tests.archive_content.make import make_content, serving
    from tests.real_routes import ACCOUNT, Routes

    folder = tmp_path_factory.mktemp("real")
    account = (ACCOUNT["ZLADDER_HSC_USER"], ACCOUNT["ZLADDER_HSC_PASSWORD"])
    places = make_content(folder / "archive")
    with serving(places, account) as server:
        yield Routes(folder, places, server)


@pytest.fixture(params=PAPERS)
def route(routes: Routes, request: pytest.FixtureRequest) -> Route:
    """Each paper's route."""
    return routes.of(request.param)
