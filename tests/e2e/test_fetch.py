"""Fetching through Snakemake, from a server on this machine that has its bad days."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.archive_server.server import ArchiveServer
from tests.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

CONTENT = b"#zs u g r i z\n0.1 19 18 17 16 15\n"
QUICK = {
    "requests_per_second": 1000,
    "first_wait_seconds": 0.05,
    "n_tries": 3,
    "timeout_seconds": 10,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ArchiveServer]:
    with ArchiveServer(tmp_path / "served") as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "ladder")


def overlay(tmp_path: Path, **document: Any) -> str:
    """Return a --configfile in which what is published lies on this machine."""
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump({"fetching": QUICK, **document}), encoding="utf-8")
    return str(path)


def mirrored(server: ArchiveServer, sha256: str) -> dict[str, Any]:
    """Return the archives of sdss_mgs at this server."""
    entry = {"url": f"{server.url}/table.txt", "sha256": sha256}
    return {"sdss_mgs_train": entry, "sdss_mgs_test": entry}


def test_published_files_are_fetched_and_checked_and_only_once(
    tmp_path: Path, server: ArchiveServer, checkout: Checkout
) -> None:
    sha256 = server.put("table.txt", CONTENT)
    server.misbehave("/table.txt", cut_after=20, times=1)
    server.misbehave("/table.txt", status=503, times=1)
    config = overlay(tmp_path, archives=mirrored(server, sha256))
    arguments = ("--cores", "2", "--configfile", config)
    done = checkout.snakemake(*arguments, "--", "fetch_sdss_mgs")
    assert done.returncode == 0, done.stderr[-2000:]
    for part in ("train", "test"):
        assert (checkout.folder / f"data/fetched/sdss_mgs/{part}").read_bytes() == CONTENT
    assert server.sent_bytes("/table.txt") == 2 * len(CONTENT)
    assert server.open_most == 1  # two jobs, one connection
    sidecar = checkout.folder / "data/fetched/sdss_mgs/train.json"
    assert json.loads(sidecar.read_text())["sha256"] == sha256
    # Another pace fetches nothing; other code of ours makes the rule run, but asks no server.
    asked = len(server.seen["/table.txt"])
    config = overlay(tmp_path, archives=mirrored(server, sha256), fetching={**QUICK, "n_tries": 5})
    done = checkout.snakemake(*arguments, "--", "fetch_sdss_mgs")
    assert "Nothing to be done" in done.stderr
    checkout.edit("src/zladder/survey/archives/progress.py", "MB = 1e6", "MB = 1_000_000.0 + 0")
    done = checkout.snakemake(*arguments, "--", "fetch_sdss_mgs")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 of 3 steps" in done.stderr
    assert len(server.seen["/table.txt"]) == asked


def test_file_with_another_digest_is_refused(
    tmp_path: Path, server: ArchiveServer, checkout: Checkout
) -> None:
    server.put("table.txt", CONTENT)
    config = overlay(tmp_path, archives=mirrored(server, "0" * 64))
    done = checkout.snakemake("--cores", "1", "--configfile", config, "--", "fetch_sdss_mgs")
    assert done.returncode != 0
    assert "SHA-256" in done.stderr
    folder = checkout.folder / "data/fetched/sdss_mgs"
    assert not (folder / "train").exists()
    assert not (folder / "train.json").exists()
    assert any((folder / f"{part}.refused").is_file() for part in ("train", "test"))
