"""Datasets that the default studies do not ask for, built from where the ladder stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yaml

from zladder.tables.split_notes import read_note
from zladder.tables.units import read_metadata

if TYPE_CHECKING:
    from tests.checkout import Checkout

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

STUDY = {
    "title": "Splits as published, and an encoder of another survey",
    "question": "Do they run?",
    "bin_width_z": 0.02,
    "convention": "sdss_cnn",
    "test_on": ["main_images_as_published"],
    "embed_on": "main_images_as_published",
    "encoders": {"tiles": {"recipe": "untrained", "dataset": "cfhtls_images"}},  # the same bands
    "networks": {"catalogue": {"recipe": "mlp_soriano", "dataset": "main_images_as_published"}},
    "controls": {"dataset": "main_images_as_published", "methods": ["mean_z"]},
}
# Away from the edges of both tiles of 512 pixels, or whole stamps would be lost.
INSIDE = "abs(ra - 150.1) < 0.0117 and (abs(dec - 2.2) < 0.0117 or abs(dec - 2.7856) < 0.0117)"
GIVEN = {
    "cutouts": {"grid": "sky", "grid_scale_arcsec": 0.24},  # and pixels of the same width
    "catalogs": {"samples": {"mock_cfhtls": {"cuts": [
        {"use": "mock_cfhtls.clean"}, {"name": "inside the tiles", "keep": INSIDE}]}}},
    "datasets": {"datasets": {"cfhtls_images": {"away_from": ["main_images"]}}},
}  # fmt: skip
RESULTS = "results/mock-test"


def test_tiles_and_splits_as_published_become_datasets(copy: Checkout) -> None:
    (copy.folder / "config" / "studies" / "further.yaml").write_text(yaml.safe_dump(STUDY))
    (copy.folder / "given.yaml").write_text(yaml.safe_dump(GIVEN))
    targets = (f"{RESULTS}/datasets/cfhtls_images.parquet",
               f"{RESULTS}/predictions/further.mean_z-s0.parquet")  # fmt: skip
    done = copy.snakemake(
        "--cores", "1", *targets, "--configfile", "given.yaml",
        "--config", "scale=test", "studies=[further]", "studies_if_data=[]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    folder = copy.folder / RESULTS
    tiles = pd.read_parquet(folder / "datasets" / "cfhtls_images.parquet")
    assert set(tiles["split"]) == {"train"}
    counts = json.loads((folder / "datasets" / "cfhtls_images.json").read_text())["counts"]
    assert counts["n_in"]["mock_cfhtls"] == len(tiles) > 50
    assert counts["n_without_stamp"] == sum(counts["n_dropped"].values()) == 0
    paths = {
        name: folder / "datasets" / f"{name}.parquet"
        for name in ("main_images", "main_images_as_published")
    }
    ours, theirs = (pd.read_parquet(path) for path in paths.values())
    trained = [set(frame.loc[frame["split"] == "train", "object_id"]) for frame in (ours, theirs)]
    assert trained[1] <= trained[0]
    predicted = folder / "predictions" / "further.mean_z-s0.parquet"
    said = read_metadata(predicted)["splits"]["main_images_as_published"]
    assert said["convention"] == "validation_as_test"
    assert said["digest"] == read_note(paths["main_images_as_published"]).digest
    rows = pd.read_parquet(predicted).groupby("split")["object_id"].agg(set)
    assert rows["test"] == rows["validation"] == {*theirs.query("split == 'validation'").object_id}
