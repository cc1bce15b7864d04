"""Accounts and manners towards archives, and the program that fetches one file."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from archive_table import CONTENT, QUICK, ROOT, SHA256, fetching

from tests.archive_server.server import ArchiveServer
from zladder.provenance.errors import PassingBadInput, Unfinished
from zladder.survey.archives.manners import Manners, Trouble, turn_at, with_patience


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
