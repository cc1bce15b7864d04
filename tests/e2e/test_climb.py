"""One command climbs the whole ladder, and what stands at the top makes sense."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from zladder.provenance.digests import told_digest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.checkout import Checkout

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


def results(checkout: Checkout) -> Path:
    return checkout.folder / "results" / "mock-test"


def test_again_there_is_nothing_to_do(climbed: Checkout) -> None:
    done = climbed.snakemake("-n", "--config", "scale=test")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_networks_and_tools_beat_the_constant_answer(climbed: Checkout) -> None:
    for study in ("transfer", "main_sample"):
        scores = pd.read_parquet(results(climbed) / "metrics" / study / "scores.parquet")
        tested = scores[(scores["split"] == "test") & (scores["metric"] == "sigma_nmad")]
        table = tested.pivot_table(index="dataset", columns="method", values="value")
        for dataset, row in table.iterrows():
            ends = ("mean_z", "trainz")
            best = row.drop(index=[*ends]).min()
            assert best < 0.5 * row["mean_z"], (study, dataset)


def test_every_galaxy_is_counted(climbed: Checkout) -> None:
    folder = results(climbed)
    for dataset in ("specz", "photoz", "combined", "main"):
        sidecar = json.loads((folder / "datasets" / f"{dataset}.json").read_text(encoding="utf-8"))
        counts = sidecar["counts"]
        dropped = counts["n_copies_dropped"] + sum(counts["n_paired_dropped"].values())
        assert sum(counts["n_in"].values()) == counts["n_out"] + dropped
        assert sum(counts["n_by_split"].values()) == counts["n_out"]
    scores = pd.read_parquet(folder / "metrics" / "transfer" / "scores.parquet")
    assert (scores["n_total"] == scores["n_used"] + scores["n_nonfinite"]).all()
    tested = scores[(scores["split"] == "test") & (scores["dataset"] == "combined")]
    combined = json.loads((folder / "datasets" / "combined.json").read_text(encoding="utf-8"))
    assert (tested["n_total"] == combined["counts"]["n_by_split"]["test"]).all()


def test_match_is_right_by_the_truth(climbed: Checkout) -> None:
    folder = results(climbed)
    truth = pd.read_parquet(folder / "survey" / "truth.parquet")
    pairs = pd.read_parquet(folder / "catalogs" / "match" / "mock_photoz.parquet")
    labels = pd.read_parquet(folder / "catalogs" / "mock_cosmos.parquet")
    photometry = pd.read_parquet(folder / "catalogs" / "mock_hsc.parquet")
    matched = pd.DataFrame(
        {
            "cosmos_id": labels["object_id"].to_numpy()[pairs["left_index"]],
            "object_id": photometry["object_id"].to_numpy()[pairs["right_index"]],
        }
    )
    known = truth[truth["cosmos_id"] >= 0][["cosmos_id", "object_id"]]
    both = matched.merge(known, on="cosmos_id", suffixes=("", "_true"))
    listed = both[both["object_id_true"] >= 0]
    assert (listed["object_id"] == listed["object_id_true"]).mean() > 0.98


def test_no_galaxy_and_no_sky_cell_straddles_splits(climbed: Checkout) -> None:
    frames = [
        pd.read_parquet(results(climbed) / "datasets" / f"{name}.parquet")
        for name in ("specz", "photoz", "combined")
    ]
    together = pd.concat(frames)
    together["sky_cell"] = together["_healpix_29"] // 4 ** (29 - 13)  # of sky_cell_order
    for key in ("object_id", "sky_cell"):
        pairs = together[[key, "split"]].drop_duplicates()
        assert not pairs[key].duplicated().any(), key


def test_every_result_says_how_it_was_made(climbed: Checkout) -> None:
    sidecars = list(results(climbed).glob("**/sidecar.json"))
    assert len(sidecars) == 51
    for path in sidecars:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert {"arguments", "code_digest", "inputs", "versions", "seconds", "card"} <= set(content)
        assert content["card"]["run"] == path.parent.name
        assert isinstance(content["card"]["seed"], int)
        assert all(content["inputs"].values())


def test_shards_are_named_by_the_digests_told_where_they_were_cut(climbed: Checkout) -> None:
    """Though Snakemake touched them since."""
    shards = list(results(climbed).glob("cutouts/*/*.h5"))
    assert shards
    for path in shards:
        read = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        assert told_digest(path) == read, path


def test_report_renders_with_every_page(climbed: Checkout) -> None:
    target = results(climbed) / "report" / "report.html"
    done = climbed.snakemake("--config", "scale=test", "--report", str(target))
    assert done.returncode == 0, done.stderr[-2000:]
    text = target.read_text(encoding="utf-8")
    for page in results(climbed).glob("report/*.html"):
        if page.name != "report.html":
            assert page.name in text, f"{page.name} is not in the report"
    for word in ("Two kinds of ground truth", "A main sample, five bands"):
        assert word in text
    assert target.stat().st_size < 30e6
