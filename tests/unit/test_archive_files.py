"""Files from an archive that has its bad days: nothing half-written, nothing fetched twice."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest
from archive_table import CONTENT, QUICK, SHA256, fetching
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive_server.server import ArchiveServer
from zladder.provenance.errors import BadInput, PassingBadInput, Unfinished
from zladder.survey.archives.files import fetch_file
from zladder.survey.archives.http import retry_after
from zladder.survey.archives.manners import Manners


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


def test_the_file_arrives_whole_and_only_it_is_there(fetch, part, server):
    got = fetch()
    assert part.read_bytes() == CONTENT
    assert datetime.now(UTC) - datetime.fromisoformat(got.pop("date")) < timedelta(minutes=5)
    assert got == {"url": f"{server.url}/table", "sha256": SHA256, "bytes": len(CONTENT),
                   "digest_from": "declared"}  # fmt: skip
    assert [path.name for path in part.parent.iterdir() if path.is_file()] == ["part"]
    assert server.seen["/table"][0].headers["User-Agent"].startswith("zladder/")


@pytest.mark.parametrize("no_mark", [False, True])
def test_a_cut_connection_goes_on_where_it_broke(fetch, part, server, no_mark):
    server.misbehave("/table", cut_after=100_000, no_mark=no_mark, times=2)
    server.misbehave("/table", no_mark=no_mark)
    fetch()
    assert part.read_bytes() == CONTENT
    assert server.sent_bytes("/table") == len(CONTENT)
    ranges = [seen.headers.get("Range") for seen in server.seen["/table"]]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_cuts_that_bring_something_new_may_be_many(fetch, part, server):
    server.misbehave("/table", cut_after=20_000)
    fetch()
    assert part.read_bytes() == CONTENT
    assert len(server.seen["/table"]) == 15 > QUICK["n_tries"]
    assert server.sent_bytes("/table") == len(CONTENT)


@settings(max_examples=25, deadline=None)
@given(
    content=st.binary(min_size=1, max_size=3000),
    cuts=st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=6),
)
def test_wherever_it_breaks_every_byte_comes_once(content, cuts):
    with tempfile.TemporaryDirectory() as folder, ArchiveServer(Path(folder) / "s") as server:
        sha256 = server.put("table", content)
        for after, marked in cuts:
            server.misbehave("/table", cut_after=after, no_mark=not marked, times=1)
        archive = {"name": "toy", "url": f"{server.url}/table", "sha256": sha256, "bytes": None}
        quick = {**QUICK, "n_tries": 10, "first_wait_seconds": 0.0}
        final = Path(folder) / "part"
        fetch_file(archive, final, final, Manners(**quick, hosts=Path(folder) / "hosts"))
        assert final.read_bytes() == content
        assert server.sent_bytes("/table") == len(content)


def test_a_server_that_ignores_ranges_sends_all_again(fetch, part, server):
    server.misbehave("/table", cut_after=100_000, times=1)
    server.misbehave("/table", no_range=True)
    fetch()
    assert part.read_bytes() == CONTENT
    assert server.sent_bytes("/table") == len(CONTENT) + 100_000


def test_a_server_that_ignores_ranges_and_cuts_ends_unfinished(fetch, part, server):
    server.misbehave("/table", cut_after=100_000, no_range=True)
    with pytest.raises(Unfinished, match="100000 of 300000 bytes"):
        fetch()
    assert not part.exists()
    assert (
        len(server.seen["/table"]) == QUICK["n_tries"]
    )  # bytes that were there before are not new


def test_what_came_is_kept_for_the_next_attempt(fetch, part, server):
    server.misbehave("/table", cut_after=100_000, times=1)
    server.misbehave("/table", status=503, times=QUICK["n_tries"])
    with pytest.raises(Unfinished, match="503"):
        fetch()
    assert not part.exists()
    fetch()
    assert part.read_bytes() == CONTENT
    assert server.sent_bytes("/table") == len(CONTENT)


def test_a_file_that_changed_in_between_is_begun_again(fetch, part, server):
    server.misbehave("/table", cut_after=100_000, times=1)
    server.misbehave("/table", status=503, times=QUICK["n_tries"])
    with pytest.raises(Unfinished):
        fetch()
    other = CONTENT[::-1]
    fetch(sha256=server.put("table", other))
    assert part.read_bytes() == other


def test_without_a_mark_another_size_tells_of_another_file(fetch, part, server):
    server.misbehave("/table", cut_after=100_000, no_mark=True, times=1)
    server.misbehave("/table", status=503, times=QUICK["n_tries"])
    server.misbehave("/table", no_mark=True)
    with pytest.raises(Unfinished):
        fetch()
    other = CONTENT[::-1] + b"more"
    fetch(sha256=server.put("table", other))
    assert part.read_bytes() == other


def test_another_address_begins_again(fetch, part, server):
    server.misbehave("/table", cut_after=100_000)
    server.misbehave("/other", no_range=True)
    server.faults["/table"][0].cut_after = 0
    with pytest.raises(Unfinished):
        fetch()
    server.put("other", CONTENT)
    fetch("other")
    assert part.read_bytes() == CONTENT


def test_another_digest_is_refused_and_the_file_kept_aside(fetch, part, server):
    server.misbehave("/table", content=b"<other>" * 10)
    with pytest.raises(BadInput) as caught:
        fetch()
    error = caught.value
    assert not isinstance(error, PassingBadInput)  # a retry need not fetch it again
    assert error.expected == f"SHA-256 {SHA256}"
    assert hashlib.sha256(b"<other>" * 10).hexdigest() in error.found
    assert "part.refused" in error.hint
    assert not part.exists()
    assert part.with_name("part.refused").read_bytes() == b"<other>" * 10
    server.faults.clear()
    fetch()
    assert part.read_bytes() == CONTENT
    assert not part.with_name("part.refused").exists()


@pytest.mark.parametrize("status", [403, 404, 401, 410])
def test_a_refusal_is_bad_input_at_once(fetch, part, server, status):
    server.misbehave("/table", status=status)
    with pytest.raises(PassingBadInput, match=f"HTTP {status}"):
        fetch()
    assert len(server.seen["/table"]) == 1
    assert not part.exists()


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_passing_trouble_is_tried_again_and_ends_unfinished(fetch, part, server, status):
    server.misbehave("/table", status=status, times=2)
    fetch()
    assert part.read_bytes() == CONTENT
    part.unlink()
    (part.parent / ".part" / "whole").unlink()
    server.misbehave("/table", status=status)
    with pytest.raises(Unfinished, match=f"HTTP {status}"):
        fetch()
    assert not part.exists()


def test_the_waits_double_and_a_server_that_names_one_is_obeyed(server, fetch):
    server.misbehave("/table", status=503, times=3)
    fetch(manners={"first_wait_seconds": 0.1})
    times = [seen.time for seen in server.seen["/table"]]
    waits = np.diff(times)
    assert (waits >= [0.1, 0.2, 0.4]).all()
    server.seen.clear()
    server.faults.clear()
    again = server.put("again", b"1 2\n")
    server.misbehave("/again", status=503, retry_after="1", times=1)
    fetch("again", sha256=again)
    first, second = (seen.time for seen in server.seen["/again"])
    assert second - first >= 1.0


def test_a_server_that_asks_for_no_wait_gets_ours(server, fetch):
    server.misbehave("/table", status=503, retry_after="0", times=2)
    fetch(manners={"first_wait_seconds": 0.1})
    times = [seen.time for seen in server.seen["/table"]]
    assert (np.diff(times) >= [0.1, 0.2]).all()


def test_a_file_that_is_not_ready_is_waited_for(server, fetch, part):
    server.misbehave("/table", status=202, content=b"in the making", times=2)
    fetch()
    assert part.read_bytes() == CONTENT


def test_a_server_that_asks_for_a_long_wait_ends_the_job(server, fetch):
    server.misbehave("/table", status=503, retry_after="7200")
    with pytest.raises(Unfinished, match="asks to wait 7200 s"):
        fetch()
    assert len(server.seen["/table"]) == 1


def test_retry_after_is_a_number_or_a_date():
    assert retry_after(None) is None
    assert retry_after("12") == 12.0
    assert retry_after("soon") is None
    then = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < retry_after(format_datetime(then, usegmt=True)) <= 100
    assert 90 < retry_after(format_datetime(then).replace("+0000", "-0000")) <= 100
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_no_server_ends_unfinished(tmp_path, fetch, server):
    with ArchiveServer(tmp_path) as gone:
        url = gone.url
    with pytest.raises(Unfinished, match="no connection"):
        fetch(url=f"{url}/table")


def test_a_redirection_is_followed(fetch, part, server):
    server.misbehave("/old", redirect="/table")
    fetch("old")
    assert part.read_bytes() == CONTENT
    server.misbehave("/round", redirect="/round")
    with pytest.raises(PassingBadInput):
        fetch("round", sha256=None)


def test_a_trickle_is_given_up_and_opened_again(fetch, part, server):
    server.misbehave("/table", trickle_seconds=0.05, times=1)
    fetch(manners={"timeout_seconds": 0.5, "slowest_bytes_per_second": 10_000.0})
    assert part.read_bytes() == CONTENT
    first = server.seen["/table"][0]
    assert 0 < first.sent_bytes < 20_000


def test_silence_is_given_up(fetch, part, server):
    server.misbehave("/table", trickle_seconds=1.0, times=1)
    fetch(manners={"timeout_seconds": 0.3})
    assert part.read_bytes() == CONTENT


def test_a_slow_but_steady_server_is_listened_to(fetch, part, server):
    short = CONTENT[:1000]
    server.put("short", short)
    server.misbehave("/short", trickle_seconds=0.05)
    fetch("short", sha256=hashlib.sha256(short).hexdigest())
    assert len(server.seen["/short"]) == 1


def test_a_disk_without_room_is_noticed_before_anything_comes(fetch, part, server):
    server.misbehave("/table", told_length=10**15)
    with pytest.raises(Unfinished, match="make room"):
        fetch()
    assert (part.parent / ".part" / "partial").exists() is False
    assert len(server.seen["/table"]) == 1


def test_a_length_that_is_not_the_bodys_is_no_file(fetch, part, server):
    server.misbehave("/table", told_length=len(CONTENT) + 5, times=1)
    server.misbehave("/table", no_range=True)
    fetch()
    assert part.read_bytes() == CONTENT
