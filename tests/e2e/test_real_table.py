"""The real SDSS main-sample table, by configuration alone: the network against ordinary tools."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.checkout import Checkout

# Read when the tests are collected: each test runs without the variable.
DATA = os.environ.get("ZLADDER_DATA", "")
STUDY = "sdss_main_sample"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.slow,
    pytest.mark.skipif(
        not (Path(DATA) / "sdss_mgs" / "SDSS_MGS.train").is_file(),
        reason="the real table is not below ZLADDER_DATA (docs/real-data.md)",
    ),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the study on the real table at scale `demo`."""
    checkout = Checkout(tmp_path_factory.mktemp("real") / "ladder")
    done = checkout.snakemake(
        "--cores", "2", "--config", "scale=demo", f"studies=[{STUDY}]", "studies_if_data=[]",
        "--", f"results/mock-demo/metrics/{STUDY}/scores.parquet",
        ZLADDER_DATA=str(Path(DATA).resolve()),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return checkout.folder / "results" / "mock-demo"


def test_every_row_of_both_files_is_used(results: Path) -> None:
    dataset = json.loads((results / "datasets/sdss_main.json").read_text(encoding="utf-8"))
    counts = dataset["counts"]
    assert counts["n_out"] == 10_000
    assert counts["n_copies_dropped"] == 0
    assert counts["n_by_split"]["test"] == 5_000
    frame = pd.read_parquet(results / "datasets/sdss_main.parquet")
    assert (frame["part"][frame["split"] == "test"] == "test").all()
    assert (frame["part"][frame["split"] != "test"] == "train").all()


def test_network_chosen_on_validation_holds_its_own_against_the_best_tool(results: Path) -> None:
    """The bar: 95 % bound of the paired sigma_nmad difference at most +2 %, |bias| within 3 SE."""
    differences = pd.read_parquet(results / f"metrics/{STUDY}/differences.parquet")
    chosen = differences[differences["chosen"] & (differences["metric"] == "sigma_nmad")]
    [row] = chosen.to_dict("records")
    assert row["n_used"] == 5_000
    assert row["peer"] in {"forest", "boosting", "knn"}
    assert row["relative_hi95"] <= 0.02
    scores = pd.read_parquet(results / f"metrics/{STUDY}/scores.parquet")
    tested = scores[(scores["split"] == "test") & (scores["method"] == row["method"])]
    bias = tested[tested["metric"] == "bias_mean"].iloc[0]
    assert abs(bias["value"]) <= 3 * bias["se"]
    peer = scores[(scores["split"] == "test") & (scores["method"] == row["peer"])]
    scatter = peer[peer["metric"] == "sigma_nmad"].iloc[0]["value"]
    assert np.isclose(scatter, 0.0130, atol=0.0008)  # what ordinary tools reach on this file
