"""A file is known by the digest that its sidecar tells, until anything speaks against it."""

from __future__ import annotations

import json
import os
import shutil
import time

import pytest

from zladder.provenance.digests import file_digest, told_digest, written
from zladder.provenance.sidecar import write_sidecar

TOLD = "0123456789abcdef0123456789abcdef"  # which no file has: to be seen is who was asked
DAY_NS = 86_400 * 10**9


@pytest.fixture
def shard(tmp_path):
    """Return a shard with its sidecar, which tells a digest that reading would not give."""
    path = tmp_path / "0.h5"
    path.write_bytes(b"pixels of galaxies")
    told = {"suffix": ".h5", "bytes": 18, "time_ns": path.stat().st_mtime_ns, "digest": TOLD}
    write_sidecar(tmp_path / "0.json", {"written": told})
    return path


def edit(shard):
    """Change one byte in place, and set the old times."""
    stat = shard.stat()
    with shard.open("r+b") as file:
        file.write(b"P")
    os.utime(shard, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace(shard):
    """Put another file of this size and these times in its place."""
    other = shard.with_name("other")
    other.write_bytes(b"pixels of others..")
    shutil.copystat(shard, other)
    other.rename(shard)


def lengthen(shard):
    with shard.open("ab") as file:
        file.write(b"!")
    touch(shard)


def touch(shard, later_ns: int = 0):
    """Touch shard and sidecar, one after the other, as Snakemake does at the end of a job."""
    for path in (shard, shard.with_suffix(".json")):
        now = path.stat().st_mtime_ns + later_ns
        os.utime(path, ns=(now, now))


def touch_later(shard):
    touch(shard, 3 * DAY_NS)


def older_than_told(shard):
    touch(shard, -DAY_NS)


def without_sidecar(shard):
    shard.with_suffix(".json").unlink()


def damaged(shard):
    shard.with_suffix(".json").write_text('{"written": {"dig')


def not_ours(shard):
    shard.with_suffix(".json").write_text("[1, 2]")


def of_another_file(shard):
    content = json.loads(shard.with_suffix(".json").read_text())
    content["written"]["suffix"] = ".csv"
    write_sidecar(shard.with_suffix(".json"), content)


def wait_a_tick(path):
    """Wait until the clock of the file system has moved on from this file's last change."""
    probe = path.with_name("probe")
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > path.stat().st_ctime_ns:
            return
        time.sleep(0.001)


@pytest.mark.parametrize("what", [None, touch])
def test_what_the_sidecar_tells_is_believed_without_reading(shard, what):
    if what:
        wait_a_tick(shard.with_suffix(".json"))
        what(shard)
    assert told_digest(shard) == file_digest(shard) == TOLD


@pytest.mark.parametrize("what", [
    edit, replace, lengthen, touch_later, older_than_told, without_sidecar, damaged, not_ours,
    of_another_file,
])  # fmt: skip
def test_a_file_that_may_have_changed_is_read(shard, tmp_path, what):
    wait_a_tick(shard.with_suffix(".json"))
    what(shard)
    assert told_digest(shard) is None
    alone = tmp_path / "alone" / "copy"  # without a sidecar
    alone.parent.mkdir()
    shutil.copy(shard, alone)
    assert file_digest(shard) == file_digest(alone) != TOLD


def test_what_is_written_is_what_reading_gives(tmp_path):
    path = tmp_path / "0.h5"
    path.write_bytes(b"abc")
    os.utime(path, ns=(7, 7))
    digest = "cf4ab791c62b8d2b2109c90275287816"  # b2sum -l 128
    assert written(path) == {"suffix": ".h5", "bytes": 3, "time_ns": 7, "digest": digest}
