"""Files whose digest nobody declared: whole by their format and size, and the same next time."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np
import pytest
from archive_table import CONTENT, fetching
from astropy.io import fits

from tests.archive_server.server import ArchiveServer
from zladder.provenance.errors import BadInput


@pytest.fixture
def server(tmp_path):
    with ArchiveServer(tmp_path / "served") as running:
        running.put("table", CONTENT)
        yield running


@pytest.fixture
def fetch(tmp_path, server):
    return fetching(tmp_path, server)


@pytest.fixture
def part(tmp_path):
    return tmp_path / "data" / "part"


def fits_bytes() -> bytes:
    stream = io.BytesIO()
    columns = [fits.Column("ID", "K", array=np.arange(2000) + 2**60)]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(stream)
    return stream.getvalue()


def hdf5_bytes() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["image"] = np.arange(10_000)
    return stream.getvalue()


FORMATS = {"fits": fits_bytes(), "hdf5": hdf5_bytes(), "csv": b"a,b\n1,2\n" * 500,
           "text": b"1 2 3\n" * 500}  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_without_a_digest_must_be_whole(fetch, part, server, kind):
    whole = FORMATS[kind]
    server.put("file", whole[: len(whole) // 2 - 1])  # cut off at the archive: its size is right
    with pytest.raises(BadInput) as caught:
        fetch("file", sha256=None, format=kind)
    assert caught.value.expected == f"a whole {kind} file"
    assert part.with_name("part.refused").is_file()
    assert not part.with_name("part.digest.json").exists()
    server.put("file", whole)
    assert fetch("file", sha256=None, format=kind)["digest_from"] == "this download"
    assert part.read_bytes() == whole


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_is_noticed_where_no_size_is_told(fetch, part, server, kind):
    whole = FORMATS[kind]
    server.put("file", whole)
    server.misbehave("/file", no_length=True, cut_after=len(whole) // 2 - 1, times=1)
    server.misbehave("/file", no_length=True)
    fetch("file", sha256=None, format=kind)
    assert part.read_bytes() == whole
    assert server.sent_bytes("/file") == len(whole)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_web_page_in_place_of_a_file_is_refused(fetch, server, kind):
    server.put("file", b"<!DOCTYPE html>\n<html>down for maintenance</html>\n")
    with pytest.raises(BadInput, match="a web page"):
        fetch("file", sha256=None, format=kind)


def test_an_empty_file_is_refused(fetch, server):
    server.put("file", b"")
    with pytest.raises(BadInput, match="it is empty"):
        fetch("file", sha256=None)


def test_the_declared_size_is_asked_for(fetch, server):
    server.put("file", b"1 2\n")
    with pytest.raises(BadInput, match="5 bytes"):
        fetch("file", sha256=None, bytes=5)
    assert fetch("file", sha256=None, bytes=4)["bytes"] == 4


def test_the_digest_of_the_first_download_is_asked_for_afterwards(fetch, part, server):
    first = server.put("file", b"1 2\n")
    fetch("file", sha256=None)
    record = json.loads(part.with_name("part.digest.json").read_text())
    assert (record["sha256"], record["bytes"]) == (first, 4)
    server.put("file", b"3 4\n")
    (part.parent / ".part" / "whole").unlink()
    with pytest.raises(BadInput) as caught:
        fetch("file", sha256=None)
    assert caught.value.expected == f"SHA-256 {first}"
    assert "part.digest.json to accept another" in caught.value.hint
    part.with_name("part.digest.json").unlink()
    fetch("file", sha256=None)
    server.put("elsewhere", b"5 6\n")  # another address is another file
    fetch("elsewhere", sha256=None, output=part.with_name("new"))
    assert part.with_name("new").read_bytes() == b"5 6\n"


def test_a_file_that_was_fetched_is_not_fetched_again(fetch, part, server):
    fetch()
    part.unlink()  # as Snakemake does before a rule runs
    fetch()
    assert part.read_bytes() == CONTENT
    assert len(server.seen["/table"]) == 1
    part.unlink()
    (part.parent / ".part" / "whole").write_bytes(b"damaged")
    fetch()
    assert part.read_bytes() == CONTENT
    assert len(server.seen["/table"]) == 2
