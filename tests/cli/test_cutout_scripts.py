"""From frames to image datasets by the commands that the rules run."""

from __future__ import annotations

import json
from hashlib import blake2b

import build_image_dataset
import cut_stamps
import numpy as np
import pandas as pd
import pytest

from tests.unit import stamp_sky
from zladder.tables.read import read_table

FIELDS = [(756, camcol, field) for camcol in (1, 2) for field in range(11, 17)]
SPLITS = {"train": 0.45, "validation": 0.10, "calibration": 0.05, "test": 0.40}


@pytest.fixture
def sky(tmp_path):
    """Fields with the galaxies of a sample in all of them, scattered over many cells."""
    tables = []
    for number, key in enumerate(FIELDS):
        stamp_sky.write_field(tmp_path / "frames", key, seed=10 * number)
        tables.append(stamp_sky.galaxies(stamp_sky.INSIDE, key, first_id=100 * number))
    sample = pd.concat(tables, ignore_index=True).assign(part="all", z_true=0.1)
    (tmp_path / "samples").mkdir()
    sample.to_parquet(tmp_path / "samples" / "main.parquet")
    return tmp_path


def cut(folder, shard: int, **settings) -> int:
    out = folder / "cutouts" / "main"
    return cut_stamps.main([
        "--sample", str(folder / "samples/main.parquet"), "--frames", str(folder / "frames"),
        "--shard", str(shard), "--settings", json.dumps(stamp_sky.SETTINGS | settings),
        "--stamps", str(out / f"{shard}.h5"), "--losses", str(out / f"{shard}.losses.csv"),
        "--sidecar", str(out / f"{shard}.json"), "--log", str(folder / f"{shard}.log"),
    ])  # fmt: skip


def build(folder, name: str, **splits) -> int:
    settings = {"splits": SPLITS | splits, "sky_cell_order": 10, "master_seed": 1,
                "photometry": {"main": "sdss"}, "duplicate_radius_arcsec": 1.0,
                "pair_radius_arcsec": 3.0, "label_draws": 1, "conventions": [],
                "kernel_pixels": 0, "leave_out_flags": ["missing"]}  # fmt: skip
    stamps = sorted((folder / "cutouts/main").glob("*.h5"))
    return build_image_dataset.main([
        "--samples", str(folder / "samples/main.parquet"), "--stamps", *map(str, stamps),
        "--settings", json.dumps(settings), "--dataset", str(folder / f"{name}.parquet"),
        "--sidecar", str(folder / f"{name}.json"), "--log", str(folder / f"{name}.log"),
    ])  # fmt: skip


def spread(folder):
    """Move the sample's galaxies apart after cutting, so that all splits get some."""
    path = folder / "samples/main.parquet"
    table = pd.read_parquet(path)
    table["ra"] = np.linspace(10, 60, len(table))
    table.to_parquet(path)


def test_frames_become_shards_and_shards_a_dataset(sky):
    assert [cut(sky, shard) for shard in (0, 1)] == [0, 0]
    sidecar = json.loads((sky / "cutouts/main/0.json").read_text())
    assert sidecar["counts"]["n_in"] == sidecar["counts"]["n_out"] == 30
    assert list(sidecar["inputs"]) == [str(sky / "samples/main.parquet")]
    assert "field 6 of 6: 30 galaxies, 0 lost" in (sky / "0.log").read_text()
    assert pd.read_csv(sky / "cutouts/main/0.losses.csv").empty
    spread(sky)
    assert build(sky, "images") == 0
    dataset = read_table(sky / "images.parquet")
    counts = json.loads((sky / "images.json").read_text())["counts"]
    assert counts["n_out"] == len(dataset) > 30
    assert set(dataset["shard"]) == {"main/0", "main/1"}
    assert {"z_true", "split", "fraction_rank", "row", "stamp_flags"} <= set(dataset)


def test_a_dataset_names_its_shards_by_the_digests_told_where_they_were_cut(sky):
    """No program that takes stamps reads them all for its sidecar; one edited by hand it does."""
    assert [cut(sky, shard) for shard in (0, 1)] == [0, 0]
    spread(sky)
    shards = [sky / f"cutouts/main/{shard}.h5" for shard in (0, 1)]
    read = [blake2b(path.read_bytes(), digest_size=16).hexdigest() for path in shards]
    for path, digest in zip(shards, read, strict=True):
        sidecar = json.loads(path.with_suffix(".json").read_text())
        assert sidecar["written"]["digest"] == digest
        sidecar["written"]["digest"] = f"told of {path.name}"
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    assert build(sky, "images") == 0
    inputs = json.loads((sky / "images.json").read_text())["inputs"]
    assert [inputs[str(path)] for path in shards] == ["told of 0.h5", "told of 1.h5"]
    shards[1].write_bytes(shards[1].read_bytes())
    assert build(sky, "images") == 0
    inputs = json.loads((sky / "images.json").read_text())["inputs"]
    assert [inputs[str(path)] for path in shards] == ["told of 0.h5", read[1]]


def test_a_truncated_frame_ends_with_2_and_leaves_nothing(sky, capfd):
    path = stamp_sky.path_of(sky / "frames", "i", FIELDS[1])
    path.write_bytes(path.read_bytes()[:50000])
    assert cut(sky, 0) == 2
    told = capfd.readouterr().err
    for word in (str(path), "a whole FITS file", "50000 of", "5 of 30 galaxies lost: frame 5",
                 "max_lost_fraction"):  # fmt: skip
        assert word in told
    assert not list((sky / "cutouts/main").iterdir())
    assert cut(sky, 0, max_lost_fraction=0.2) == 0
    losses = pd.read_csv(sky / "cutouts/main/0.losses.csv")
    assert losses["field"].tolist() == [12] * 5
    counts = json.loads((sky / "cutouts/main/0.json").read_text())["counts"]
    assert counts["n_lost"]["frame"] == counts["n_in"] - counts["n_out"] == 5


def test_shares_that_do_not_add_up_end_with_2(sky):
    assert [cut(sky, shard) for shard in (0, 1)] == [0, 0]
    assert build(sky, "images", test=0.5) == 2
    assert not (sky / "images.parquet").exists()
