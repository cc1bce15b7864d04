"""Frames from the Science Archive Server: whole ones, each once, and what became of the others."""

from __future__ import annotations

import bz2
import hashlib
import io
import logging

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from tests.archive_server.server import ArchiveServer
from zladder.provenance.errors import BadInput, PassingBadInput, Unfinished
from zladder.survey.archives.field_plan import plan_fields
from zladder.survey.archives.frames import fetch_frames
from zladder.survey.archives.manners import Manners

QUICK = {
    "requests_per_second": 1000.0, "timeout_seconds": 5.0, "n_tries": 3, "first_wait_seconds": 0.01,
    "query_seconds": 5.0, "longest_wait_seconds": 2.0, "slowest_bytes_per_second": 1.0,
    "progress_seconds": 60.0,
    "poll_seconds": 0.01, "max_missing_frames_fraction": 0.0,
}  # fmt: skip
TEMPLATE = "/frames/{rerun}/{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits.bz2"
FIELDS = [(94, 1, 11), (94, 1, 12), (752, 3, 207)]
BANDS = ["g", "r"]


def frame(number: int) -> bytes:
    stream = io.BytesIO()
    image = np.full((40, 60), number, np.float32)
    fits.HDUList([fits.PrimaryHDU(image), fits.ImageHDU(image[0])]).writeto(stream)
    return bz2.compress(stream.getvalue())


def address(field, band) -> str:
    run, camcol, number = field
    return TEMPLATE.format(rerun=301, run=run, camcol=camcol, field=number, band=band)


CONTENT = {(field, band): frame(10 * i + j) for i, field in enumerate(FIELDS)
           for j, band in enumerate(BANDS)}  # fmt: skip


@pytest.fixture
def server(tmp_path):
    with ArchiveServer(tmp_path / "served") as running:
        for (field, band), content in CONTENT.items():
            running.put(address(field, band).lstrip("/"), content)
        yield running


@pytest.fixture
def catalog(tmp_path):
    """Several galaxies a field, and one that lies on no frame."""
    rows = [*FIELDS, *FIELDS[:2], FIELDS[0]]
    table = pd.DataFrame(rows, columns=["run", "camcol", "field"]).astype("Int64")
    table.loc[len(table)] = [pd.NA, pd.NA, pd.NA]
    path = tmp_path / "catalog.parquet"
    table.assign(object_id=np.arange(len(table))).to_parquet(path)
    return path


@pytest.fixture
def fetch(tmp_path, server, catalog):
    def run(shard=(0, 1), manners=None, **entry):
        archive = {
            "name": "toy",
            "kind": "frames",
            "url": server.url + TEMPLATE,
            "rerun": 301,
            **entry,
        }
        hosts = tmp_path / "hosts"
        made = Manners(**{**QUICK, **(manners or {})}, hosts=hosts)
        return fetch_frames(archive, catalog, BANDS, shard, tmp_path / "frames", made)

    return run


def test_every_band_of_every_field_comes_once(fetch, tmp_path, server):
    index, counts = fetch()
    assert counts == {"galaxies": 7, "galaxies_without_field": 1, "fields": 3, "fields_beside": 0,
                      "fetched": 6, "here_before": 0, "missing": 0, "damaged": 0,
                      "missing_beside": 0}  # fmt: skip
    for row in index.itertuples():
        content = CONTENT[(row.run, row.camcol, row.field), row.band]
        assert (tmp_path / "frames" / row.path).read_bytes() == content
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert (row.state, row.bytes) == ("here", len(content))
    assert index["path"][0] == "94/1/frame-g-000094-1-0011.fits.bz2"
    assert len(index) == 6
    files = [path.name for path in (tmp_path / "frames").rglob("*") if path.is_file()]
    assert sorted(files) == sorted(path.rsplit("/", 1)[1] for path in index["path"])
    again, counts = fetch()
    assert (counts["fetched"], counts["here_before"]) == (0, 6)
    pd.testing.assert_frame_equal(index, again)
    assert {len(seen) for seen in server.seen.values()} == {1}


def test_the_shards_share_the_fields_out(fetch, catalog):
    parts = [plan_fields(catalog, BANDS, (number, 2)) for number in range(2)]
    assert sorted(field for part in parts for field in part.fields) == FIELDS
    assert [part.fields for part in parts] == [[FIELDS[1]], [FIELDS[0], FIELDS[2]]]
    assert sum(part.n_galaxies for part in parts) == 7
    index, counts = fetch((1, 2))
    assert counts["fields"] == 2
    assert set(index["field"]) == {11, 207}
    empty, counts = fetch((5, 50))
    assert (len(empty), counts["fields"]) == (0, 0)


def test_an_unpacked_frame_of_ones_own_is_taken(fetch, tmp_path, server):
    path = tmp_path / "frames/94/1/frame-g-000094-1-0011.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(bz2.decompress(CONTENT[FIELDS[0], "g"]))
    index, counts = fetch()
    assert (counts["fetched"], counts["here_before"]) == (5, 1)
    assert index["path"][0].endswith(".fits")


def test_a_frame_the_archive_lacks_is_bad_input_unless_it_may_be(fetch, server):
    gone = address(FIELDS[1], "r")
    server.misbehave(gone, status=404)
    with pytest.raises(PassingBadInput) as caught:
        fetch()
    assert "frame-r-000094-1-0012.fits.bz2" in caught.value.place
    assert "max_missing_frames_fraction" in caught.value.hint
    index, counts = fetch(manners={"max_missing_frames_fraction": 0.2})
    assert (counts["missing"], counts["fetched"], counts["here_before"]) == (1, 2, 3)
    lost = index[index["state"] == "missing"]
    assert lost[["field", "band"]].to_numpy().tolist() == [[12, "r"]]


@pytest.mark.parametrize("damage", ["packed", "cut inside"])
def test_a_damaged_frame_is_kept_aside(fetch, server, tmp_path, damage):
    whole = CONTENT[FIELDS[0], "g"]
    cut = bz2.compress(bz2.decompress(whole)[:4000])
    server.misbehave(address(FIELDS[0], "g"), content=whole[:-30] if damage == "packed" else cut)
    with pytest.raises(PassingBadInput, match="1 damaged"):
        fetch()
    folder = tmp_path / "frames/94/1"
    assert not (folder / "frame-g-000094-1-0011.fits.bz2").exists()
    assert (folder / "frame-g-000094-1-0011.fits.bz2.refused").is_file()
    server.faults.clear()
    fetch()
    assert (folder / "frame-g-000094-1-0011.fits.bz2").read_bytes() == whole


@pytest.mark.parametrize("no_length", [False, True])
def test_a_cut_frame_goes_on(fetch, server, no_length):
    path = address(FIELDS[2], "r")
    server.misbehave(path, cut_after=100, no_length=no_length, times=1)
    fetch()
    assert server.sent_bytes(path) == len(CONTENT[FIELDS[2], "r"])


def test_a_server_that_is_down_ends_unfinished_and_what_came_stays(fetch, server):
    server.misbehave(address(FIELDS[2], "g"), status=503)
    with pytest.raises(Unfinished, match="503"):
        fetch()
    server.faults.clear()
    assert fetch()[1]["here_before"] == 4


def test_a_refusal_is_not_taken_for_a_missing_frame(fetch, server):
    server.misbehave(address(FIELDS[0], "g"), status=403)
    with pytest.raises(PassingBadInput, match="HTTP 403"):
        fetch(manners={"max_missing_frames_fraction": 1.0})


@pytest.mark.parametrize("value", [1.5, -1.0])
def test_numbers_that_are_none_are_refused_by_row(fetch, catalog, value):
    table = pd.read_parquet(catalog).astype({"field": "float64"})
    table.loc[3, "field"] = value
    table.to_parquet(catalog)
    with pytest.raises(BadInput, match="row 4"):
        fetch()


def test_a_catalogue_without_fields_is_refused(fetch, catalog):
    pd.read_parquet(catalog).drop(columns="field").to_parquet(catalog)
    with pytest.raises(BadInput, match="field"):
        fetch()


def test_many_frames_make_few_lines(fetch, caplog):
    caplog.set_level(logging.INFO, logger="zladder")
    fetch()
    assert len(caplog.records) == 1
    assert "6 of 6 frames (100 %)" in caplog.text
