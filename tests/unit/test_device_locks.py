"""Several trainings on a node with several GPUs take one each."""

from __future__ import annotations

import subprocess
import sys

import pytest

from zladder.learning import device_locks
from zladder.learning.device_locks import take_device

HOLD = """\
import sys
from pathlib import Path
from zladder.learning.device_locks import take_device
print(*(take_device(["a", "b"], Path(sys.argv[1])) for _ in range(2)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Return what starts a process that takes a device twice; it lives until it is ended."""
    started = []

    def one():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "locks")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process, process.stdout.readline().split()

    yield one
    for process in started:
        process.communicate()


def test_each_process_takes_another_device_and_keeps_it(start):
    first, indices = start()
    assert indices == ["0", "0"]
    assert start()[1] == ["1", "1"]
    assert start()[1] == ["0", "0"]  # all are taken: the first
    first.kill()  # however a process ends, its device is free
    first.wait()
    assert start()[1] == ["0", "0"]
    assert start()[1] == ["0", "0"]


def test_a_device_freed_in_the_middle_is_found(start, tmp_path, monkeypatch):
    monkeypatch.setattr(device_locks, "_held", {})
    start()
    second, _ = start()
    second.communicate()
    assert take_device(["a", "b"], tmp_path / "locks") == 1
    # A job that sees the devices in another order still holds the same one.
    assert take_device(["b", "a"], tmp_path / "locks") == 0
