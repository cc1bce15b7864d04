"""Fetching through Snakemake, from a server on this machine that has its bad days."""

from __future__ import annotations

import bz2
import io
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits

from tests.archive_server.server import ArchiveServer
from tests.archive_server.sql import HSC, SKYSERVER, HscCatalogue, skyserver
from tests.checkout import ROOT, Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_a_killed_download_goes_on_with_the_rest(
    tmp_path: Path, server: ArchiveServer, checkout: Checkout
) -> None:
    content = CONTENT * 3000
    sha256 = server.put("table.txt", content)
    server.misbehave("/table.txt", trickle_seconds=0.01, times=1)
    config = overlay(tmp_path, archives=mirrored(server, sha256))
    target = "data/fetched/sdss_mgs/train"
    arguments = ("--cores", "1", "--configfile", config, "--", target)
    partial = checkout.folder / "data/fetched/sdss_mgs/.train/partial"
    running = checkout.start(*arguments)
    deadline = time.monotonic() + 120
    while not (partial.is_file() and partial.stat().st_size > 5000):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)  # Snakemake and its job, as when the machine dies
    running.communicate()
    assert not (checkout.folder / target).exists()
    checkout.snakemake("--unlock", "--configfile", config)
    done = checkout.snakemake("--rerun-incomplete", *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (checkout.folder / target).read_bytes() == content
    first, second = server.seen["/table.txt"]
    start = int(second.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert start > 5000
    assert second.sent_bytes == len(content) - start
    assert first.sent_bytes >= start


FRAMES = "/frames/{rerun}/{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits.bz2"
FIELDS = [(94, 1, 11), (94, 1, 12), (94, 2, 13)]


def sdss_rows() -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of a catalogue as the survey mock_sdss reads it."""
    survey = yaml.safe_load((ROOT / "config/surveys/mock_sdss.yaml").read_text(encoding="utf-8"))
    names = [*survey["columns"].values(), *survey["extra_columns"]]
    rows = []
    for number in range(9):
        values = dict.fromkeys(names, "0.1")
        values |= {name: "17.5" for name in names if name.startswith("modelMag_")}
        values["objID"] = str(1237645876861272065 + number)
        values |= {"ra": f"{150 + number}", "dec": "2.5", "class": "GALAXY"}
        field = dict(zip(("run", "camcol", "field"), map(str, FIELDS[number % 3]), strict=True))
        rows.append(list({**values, **field}.values()))
    return names, rows


def lay_frames(server: ArchiveServer, bands: str) -> None:
    """Lay the frames of FIELDS into the archive."""
    for run, camcol, field in FIELDS:
        for band in bands:
            stream = io.BytesIO()
            fits.PrimaryHDU(np.zeros((20, 30), np.float32)).writeto(stream)
            place = {"rerun": 301, "run": run, "camcol": camcol, "field": field, "band": band}
            server.put(FRAMES.format(**place).lstrip("/"), bz2.compress(stream.getvalue()))


def test_a_query_and_the_frames_of_its_rows_are_fetched(
    tmp_path: Path, server: ArchiveServer, checkout: Checkout
) -> None:
    columns, rows = sdss_rows()
    server.handlers[SKYSERVER] = skyserver(columns, rows)
    lay_frames(server, "ugriz")
    server.misbehave(SKYSERVER, status=503, times=1)
    survey = yaml.safe_load((ROOT / "config/surveys/mock_sdss.yaml").read_text(encoding="utf-8"))
    del survey["flux_kind"]
    survey["source"] = {"fetch": {"all": "sdss_dr12_main"}}
    survey["frames"] = {"layout": "sdss_frames", "archive": "sdss_dr12_frames",
                        "pixel_scale_arcsec": 0.396}  # fmt: skip
    sample = {"labels": "sdss", "photometry": "sdss", "cuts": [{"use": "sdss.main"}]}
    config = overlay(
        tmp_path, surveys={"sdss": survey}, scale="test", studies=["class_residuals"],
        studies_if_data=[], catalogs={"samples": {"mock_main": sample}},
        archives={"sdss_dr12_main": {"url": server.url, "pages": 2},
                  "sdss_dr12_frames": {"url": server.url + FRAMES, "requests_per_second": 1000}},
    )  # fmt: skip
    arguments = ("--cores", "2", "--configfile", config, "--", "fetch_sdss")
    done = checkout.snakemake(*arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_csv(checkout.folder / "data/fetched/sdss/all", dtype={"objID": "int64"})
    assert sorted(table["objID"]) == [int(row[0]) for row in rows]
    shards = sorted((checkout.folder / "results/mock-test/survey/fetched/sdss").glob("*.parquet"))
    index = pd.concat([pd.read_parquet(shard) for shard in shards])
    assert len(shards) == 2
    assert len(index) == 15
    folder = checkout.folder / "data/fetched/sdss/frames"
    assert all((folder / path).is_file() for path in index["path"])
    sidecar = json.loads((checkout.folder / "data/fetched/sdss/all.json").read_text())
    assert "FROM SpecObjAll" in sidecar["query"]
    assert sidecar["counts"] == {"pages": 2, "rows": 9}
    asked = sum(map(len, server.seen.values()))
    assert "Nothing to be done" in checkout.snakemake(*arguments).stderr
    assert sum(map(len, server.seen.values())) == asked


def test_a_query_with_an_account_leaves_no_trace_of_it(
    tmp_path: Path, server: ArchiveServer, checkout: Checkout
) -> None:
    columns, rows = ["object_id", "ra"], [[str(2**60 + n), "150.0"] for n in range(5)]
    server.handlers[HSC] = HscCatalogue(columns, rows, "somebody-unseen", "do-not-print-me")
    config = overlay(tmp_path, archives={"hsc_pdr2_cosmos": {"url": server.url + HSC}},
                     fetching={**QUICK, "poll_seconds": 0.1})  # fmt: skip
    arguments = ("--cores", "1", "--configfile", config, "--", "fetch_hsc_pdr2")
    done = checkout.snakemake(*arguments)
    assert done.returncode != 0
    assert "ZLADDER_HSC_USER" in done.stderr
    account = {"ZLADDER_HSC_USER": "somebody-unseen", "ZLADDER_HSC_PASSWORD": "do-not-print-me"}
    done = checkout.snakemake(*arguments, **account)
    assert done.returncode == 0, done.stderr[-2000:]
    table = pd.read_csv(checkout.folder / "data/fetched/hsc_pdr2/all", dtype={"object_id": "int64"})
    assert table["object_id"].tolist() == [2**60 + n for n in range(5)]
    written = [path for path in checkout.folder.rglob("*") if path.is_file()]
    for path in written:
        content = path.read_bytes()
        assert b"do-not-print-me" not in content, path
        assert b"somebody-unseen" not in content, path
    assert "do-not-print-me" not in done.stderr + done.stdout
