"""Files from an archive that has its bad days: nothing half-written, nothing fetched twice."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive_server.server import ArchiveServer
from zladder.provenance.errors import BadInput, PassingBadInput, Unfinished
from zladder.survey.archives.files import fetch_file
from zladder.survey.archives.http import retry_after
from zladder.survey.archives.manners import Manners, Trouble, turn_at, with_patience

ROOT = Path(__file__).resolve().parents[2]
CONTENT = np.random.default_rng(1).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = {
    "requests_per_second": 1000.0, "timeout_seconds": 5.0, "n_tries": 4, "first_wait_seconds": 0.01,
    "query_seconds": 5.0, "longest_wait_seconds": 2.0, "slowest_bytes_per_second": 1.0,
    "progress_seconds": 60.0,
    "poll_seconds": 0.01, "max_missing_frames_fraction": 0.0,
}  # fmt: skip


@pytest.fixture
def server(tmp_path):
    with ArchiveServer(tmp_path / "served") as running:
        running.put("table", CONTENT)
        yield running


@pytest.fixture
def fetch(tmp_path, server):
    """Fetch /NAME of the server to data/part; return what fetch_file says."""

    def run(path="table", sha256=SHA256, output=None, manners=None, **entry):
        archive = {"name": "toy", "kind": "file", "url": f"{server.url}/{path}", "sha256": sha256,
                   "bytes": None, "format": "text", **entry}  # fmt: skip
        final = tmp_path / "data" / "part"
        hosts = tmp_path / "hosts"
        made = Manners(**{**QUICK, **(manners or {})}, hosts=hosts)
        return fetch_file(archive, final, output or final, made)

    return run


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


# ------------------------------------------------------------------------- without a digest


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


# ------------------------------------------------------------------------- accounts, manners


def test_a_missing_account_is_told_by_its_variable(fetch, monkeypatch, server):
    monkeypatch.setenv("ZLADDER_TOY_USER", "me")
    monkeypatch.delenv("ZLADDER_TOY_PASSWORD", raising=False)
    with pytest.raises(PassingBadInput) as caught:
        fetch(needs=["ZLADDER_TOY_USER", "ZLADDER_TOY_PASSWORD"])
    assert caught.value.place == "ZLADDER_TOY_PASSWORD"
    assert not server.seen["/table"]


def test_an_unknown_address_is_told(fetch):
    with pytest.raises(PassingBadInput, match=r"toy\.url"):
        fetch(url=None)


def test_requests_keep_their_distance_also_between_jobs(tmp_path):
    manners = Manners(**{**QUICK, "requests_per_second": 5.0}, hosts=tmp_path)
    times = []
    for _ in range(3):
        with turn_at("host:80", manners):
            times.append(time.monotonic())
    assert (np.diff(times) >= 0.19).all()


def test_a_second_job_waits_for_the_connection_of_the_first(tmp_path):
    manners = Manners(**QUICK, hosts=tmp_path)
    code = (
        "import sys, json, pathlib; from zladder.survey.archives.manners import *\n"
        "hosts = pathlib.Path(sys.argv[2])\n"
        "with turn_at('host', Manners(**json.loads(sys.argv[1]), hosts=hosts)):\n"
        "    print('mine', flush=True)"
    )
    command = [sys.executable, "-c", code, json.dumps(QUICK), str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with turn_at("host", manners):
        other = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=1.0)
    assert other.communicate(timeout=30)[0] == b"mine\n"


def test_patience_gives_up_after_the_agreed_tries(tmp_path):
    calls = []

    def attempt():
        calls.append(1)
        raise Trouble("no")

    with pytest.raises(Unfinished, match="try 4"):
        with_patience(attempt, "it", Manners(**QUICK, hosts=tmp_path))
    assert len(calls) == 4


def test_the_log_tells_how_far_it_is_in_few_lines(fetch, server, caplog):
    caplog.set_level(logging.INFO, logger="zladder")
    server.misbehave("/table", cut_after=150_000, times=1)
    fetch()
    lines = [record.getMessage() for record in caplog.records]
    assert any("of 0.30 MB (100 %)" in line and "MB/s" in line for line in lines)
    assert len(lines) < 8


# ------------------------------------------------------------------------- the program


def command(server, part, *, sha256=SHA256, **manners) -> list[str]:
    archive = {"name": "toy", "kind": "file", "url": f"{server.url}/table", "sha256": sha256,
               "bytes": None, "format": "text"}  # fmt: skip
    return [
        sys.executable, str(ROOT / "workflow/scripts/fetch_file.py"),
        "--archive", json.dumps(archive), "--manners", json.dumps({**QUICK, **manners}),
        "--beside", str(part), "--file", str(part), "--sidecar", f"{part}.json",
        "--log", f"{part}.log",
    ]  # fmt: skip


def start(command, cwd):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(command, cwd=cwd, env=env, stderr=subprocess.PIPE, text=True)


def test_a_killed_fetch_goes_on_with_the_rest(tmp_path, server, part):
    server.misbehave("/table", trickle_seconds=0.01, times=1)
    job = start(command(server, part), tmp_path)
    partial = part.parent / ".part" / "partial"
    for _ in range(3000):
        if partial.is_file() and partial.stat().st_size > 2000:
            break
        time.sleep(0.01)
    job.send_signal(signal.SIGKILL)
    job.communicate(timeout=30)
    there = partial.stat().st_size
    assert not part.exists()
    assert there >= 2000
    again = start(command(server, part), tmp_path)
    assert (again.communicate(timeout=60)[1], again.returncode) == ("", 0)
    assert part.read_bytes() == CONTENT
    assert server.seen["/table"][1].headers["Range"] == f"bytes={there}-"
    assert server.seen["/table"][1].sent_bytes == len(CONTENT) - there
    sidecar = json.loads(Path(f"{part}.json").read_text())
    assert sidecar["sha256"] == SHA256
    assert sidecar["archive"] == "toy"


@pytest.mark.parametrize(
    ("fault", "code"), [({"status": 404}, 2), ({"content": b"x\n"}, 2), ({"status": 503}, 3)]
)
def test_the_exit_codes(tmp_path, server, part, fault, code):
    server.misbehave("/table", **fault)
    job = start(command(server, part), tmp_path)
    said = job.communicate(timeout=60)[1]
    assert job.returncode == code, said
    assert not part.exists()
    assert not Path(f"{part}.json").exists()
    assert not list(part.parent.glob(".partial-*"))
    asked = len(server.seen["/table"])
    again = start(command(server, part), tmp_path)
    said = again.communicate(timeout=60)[1]
    assert again.returncode == code
    # Another file is not fetched again by a retry; what may have been passing is.
    assert (len(server.seen["/table"]) == asked) == ("content" in fault)
    assert ("not tried again" in said) == ("content" in fault)


def test_an_interrupted_fetch_is_unfinished_and_keeps_what_came(tmp_path, server, part):
    server.misbehave("/table", trickle_seconds=0.01, times=1)
    job = start(command(server, part), tmp_path)
    partial = part.parent / ".part" / "partial"
    while not (partial.is_file() and partial.stat().st_size > 2000):
        assert job.poll() is None
        time.sleep(0.01)
    job.send_signal(signal.SIGTERM)
    assert "run me again" in job.communicate(timeout=30)[1]
    assert job.returncode == 3
    assert partial.stat().st_size >= 2000
    assert not part.exists()
