"""Files that are read again and again: the right ones, and few of them open."""

from __future__ import annotations

import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from zladder.learning.open_files import MOST_OPEN, OpenFiles, most_open


def n_open() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.fixture
def files(tmp_path):
    """Thirty files, each holding its number."""
    for number in range(30):
        (tmp_path / str(number)).write_text(f"{number:3d}", encoding="ascii")
    return [tmp_path / str(number) for number in range(30)]


def read(opened: OpenFiles, number: int) -> int:
    with opened.held(number) as descriptor:
        return int(os.pread(descriptor, 3, 0))


def test_no_more_files_are_open_than_may_be(files):
    before, opened = n_open(), OpenFiles(files, 4)
    assert [read(opened, number) for number in range(30)] == list(range(30))
    assert n_open() == before + 4
    opened.close()
    assert n_open() == before


def test_the_file_that_was_used_longest_ago_is_closed_first(files):
    opened = OpenFiles(files, 3)
    for number in (0, 1, 2, 0, 3):
        read(opened, number)
    for path in files:
        path.unlink()
    assert [read(opened, number) for number in (0, 2, 3)] == [0, 2, 3]
    with pytest.raises(FileNotFoundError):
        read(opened, 1)
    opened.close()


def test_a_file_in_use_stays_open(files):
    opened = OpenFiles(files, 1)
    with opened.held(7) as descriptor:
        assert [read(opened, number) for number in range(30)] == list(range(30))
        assert int(os.pread(descriptor, 3, 0)) == 7
    opened.close()


def test_threads_each_read_what_they_asked_for(files):
    """A descriptor that is closed too early is soon another file's, or nobody's."""
    before, opened, most = n_open(), OpenFiles(files, 2), []
    start = threading.Barrier(6)

    def reader(seed: int) -> bool:
        numbers = np.random.default_rng(seed).integers(0, 30, 800).tolist()
        start.wait()
        right = [read(opened, number) == number for number in numbers]
        most.append(n_open())
        return all(right)

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(reader, range(6)))
    assert max(most) <= before + 2 + 6 + 6  # each may hold one, and lists the folder
    read(opened, 0)
    assert n_open() <= before + 2 + 6
    opened.close()
    assert n_open() == before


def test_a_quarter_of_the_limit_may_be_open(monkeypatch):
    limits = {1024: MOST_OPEN, 10**6: MOST_OPEN, 256: 64, 3: 1, resource.RLIM_INFINITY: MOST_OPEN}
    for limit, expected in limits.items():
        monkeypatch.setattr(resource, "getrlimit", lambda _, n=limit: (n, n))
        assert most_open() == expected
