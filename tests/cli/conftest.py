"""Fixtures of ``zladder predict``: the command, a run on dereddened magnitudes, runs on pixels."""

from __future__ import annotations

import pytest

from tests.own_cutouts import write_results
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


@pytest.fixture(scope="session")
def pixel_sky(tmp_path_factory):
    """The sky of results with stamps and runs that see pixels: `toy.scratch-s0` and others."""
    return write_results(tmp_path_factory.mktemp("pixels") / "results")


@pytest.fixture
def look(pixel_sky, predict):
    """Run the command with a run that sees pixels; exit code, message, path of its table."""

    def run(cutouts, *options, run="toy.scratch-s0", output="out.parquet"):
        folder = str(pixel_sky / "runs" / run)
        return predict(cutouts, *map(str, options), run_name=folder, output=output)

    return run
