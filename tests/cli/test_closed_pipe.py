"""A reader that takes only the first lines of what ``zladder`` says."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_reader_that_has_gone_away_is_no_error(toy_results):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "zladder.cli.main", "runs", "--results", str(toy_results)]
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}  # the pipe is written to at the end
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, env=buffered, check=False
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")
