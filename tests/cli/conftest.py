"""Fixtures of ``zladder predict``: the command, and a run on dereddened magnitudes."""

from __future__ import annotations

import pytest

from tests.predicting import trained
from zladder.cli.main import main


@pytest.fixture
def predict(toy_results, tmp_path, capsys):
    """Run the command; return its exit code, its message and the path of its table."""

    def run(table, *options, run_name="toy.net-s0", output="out.parquet"):
        out = tmp_path / output
        code = main(["predict", run_name, str(table), "-o", str(out), "--results",
                     str(toy_results), *options])  # fmt: skip
        return code, capsys.readouterr().err, out

    return run


@pytest.fixture
def dereddened(toy_results, tmp_path):
    """A run that was trained on magnitudes corrected for Galactic dust, named by its folder."""
    return trained(toy_results, tmp_path / "dereddened", dereddened=True)
