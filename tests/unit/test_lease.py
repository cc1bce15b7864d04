"""One writer in a resume folder: rivals are refused, the dead and the silent are replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from zladder.learning import lease as module
from zladder.learning.lease import STALE_SECONDS, is_held, lease
from zladder.provenance.errors import Unfinished

HOLDER = """
import sys, time
from pathlib import Path
from zladder.learning.lease import lease
with lease(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """Another process of this host that holds the folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def write_lease(folder, host, pid, age_seconds):
    path = folder / "lease.json"
    path.write_text(json.dumps({"host": host, "pid": pid, "token": "theirs"}))
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    return path


def refused(folder) -> str:
    with pytest.raises(Unfinished) as caught, lease(folder):
        pytest.fail("two writers")
    return str(caught.value)


def test_it_is_held_inside_the_block_only(tmp_path):
    folder = tmp_path / "new"
    with lease(folder):
        assert is_held(folder)
        refused(folder)
        assert is_held(folder)
    assert not is_held(folder)
    assert list(folder.iterdir()) == []


def test_it_is_given_back_after_a_crash(tmp_path):
    with pytest.raises(KeyboardInterrupt), lease(tmp_path):
        raise KeyboardInterrupt
    with lease(tmp_path):
        pass


def test_a_second_process_is_refused_while_the_first_lives(tmp_path, other_process):
    message = refused(tmp_path)
    assert str(tmp_path) in message
    assert f'"pid": {other_process.pid}' in message


def test_the_lease_of_a_killed_process_is_taken_over(tmp_path, other_process):
    other_process.kill()
    other_process.wait()
    assert (tmp_path / "lease.json").exists()
    assert not is_held(tmp_path)
    with lease(tmp_path):
        assert json.loads((tmp_path / "lease.json").read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("here", [True, False])
def test_another_host_is_believed_until_it_is_silent_for_long(tmp_path, here):
    pid = os.getpid() if here else 2**22 + 1  # whether this host has such a process or not
    write_lease(tmp_path, "elsewhere", pid, STALE_SECONDS - 60)
    assert "elsewhere" in refused(tmp_path)
    write_lease(tmp_path, "elsewhere", pid, STALE_SECONDS + 60)
    with lease(tmp_path):
        pass


def test_an_old_lease_of_this_host_may_be_of_another_process_with_that_number(tmp_path):
    write_lease(tmp_path, os.uname().nodename, os.getpid(), STALE_SECONDS + 60)
    with lease(tmp_path):
        pass


def test_a_lease_that_is_being_written_counts(tmp_path):
    (tmp_path / "lease.json").touch()
    refused(tmp_path)


def test_renewing_is_a_heartbeat(tmp_path, monkeypatch):
    with lease(tmp_path) as renew:
        path = tmp_path / "lease.json"
        os.utime(path, (1, 1))
        renew()
        assert path.stat().st_mtime == 1  # not every step touches the disk
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)
        renew()
        assert time.time() - path.stat().st_mtime < 60


@pytest.mark.parametrize("taken", [True, False])
def test_who_lost_the_lease_leaves_without_touching_the_new_one(tmp_path, monkeypatch, taken):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.0)
    path = tmp_path / "lease.json"
    with lease(tmp_path) as renew:
        path.unlink()
        if taken:
            write_lease(tmp_path, "elsewhere", 1, 0)
        with pytest.raises(Unfinished, match="another process took over"):
            renew()
    assert path.exists() is taken


def test_of_two_that_replace_a_stale_lease_the_first_keeps_it(tmp_path, monkeypatch):
    path = write_lease(tmp_path, "elsewhere", 1, STALE_SECONDS + 60)
    is_fresh = module._is_fresh

    def rival_is_faster(*arguments):
        answer = is_fresh(*arguments)
        path.unlink()
        write_lease(tmp_path, "rival", 2, 0)
        return answer

    monkeypatch.setattr(module, "_is_fresh", rival_is_faster)
    assert '"host": "rival"' in refused(tmp_path)
    assert json.loads(path.read_text())["host"] == "rival"
    assert [file.name for file in tmp_path.iterdir()] == ["lease.json"]


def test_of_many_rivals_for_a_stale_lease_one_wins(tmp_path):
    write_lease(tmp_path, "elsewhere", 1, STALE_SECONDS + 60)
    program = HOLDER.replace("time.sleep(60)", "time.sleep(1.5)")
    command = [sys.executable, "-c", program, str(tmp_path)]
    rivals = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(4)
    ]
    told = [rival.communicate(timeout=30)[0] for rival in rivals]
    assert told.count("held\n") == 1
