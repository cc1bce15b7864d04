"""TransferZ-Images from its three released files to a dataset with the authors' own parts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.native import read_survey
from zladder.catalogs.select import select_sample
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.cutouts.convert import convert_images
from zladder.datasets.images import build_image_dataset
from zladder.provenance.errors import BadInput
from zladder.survey.cutout_sets import create_set, fill_images, set_columns
from zladder.tables.fluxes import flux_factor
from zladder.tables.stamp_files import describe_stamps

ROOT = Path(__file__).resolve().parents[2]
BANDS, SIDE = "grizy", 64
N = {"TRAINING": 40, "VALIDATION": 24, "TESTING": 16}
SPLITS = {"TRAINING": {"train"}, "VALIDATION": {"validation", "calibration"}, "TESTING": {"test"}}
NAME, SHARDS = "photoz_images_as_published", 2


def targets(n: int, seed: int) -> pd.DataFrame:
    """Return galaxies around COSMOS as the mock sky lists those that get cutouts, by identifier."""
    draw = np.random.default_rng(seed)
    magnitudes = {f"{band}_cmodel_mag": draw.uniform(20, 25, n) for band in BANDS}
    return pd.DataFrame(
        {
            "object_id": 40_000_000_000_000_000 + 10**9 * seed + np.arange(n),
            "ra": 150.0 + draw.uniform(0, 0.2, n), "dec": 2.0 + draw.uniform(0, 0.2, n),
            "tract": 9813, "patch_x": 4, "patch_y": 5,
            "x_coord": draw.uniform(0, 4000, n), "y_coord": draw.uniform(0, 4000, n),
            "lp_zPDF": draw.uniform(0.1, 3.9, n),
            **magnitudes, **{f"{name}sigma": np.full(n, 0.05) for name in magnitudes},
        }
    )  # fmt: skip


def write_part(path: Path, table: pd.DataFrame, layout: str) -> np.ndarray:
    """Write one file as it was published; return its images in counts."""
    draw = np.random.default_rng(len(table))
    images = draw.normal(0, 0.03, (len(table), 5, SIDE, SIDE)).astype(np.float32)
    columns = set_columns(table, BANDS, "photoz")
    create_set(path, columns, len(BANDS), SIDE)
    fill_images(path, np.arange(len(table)), images)
    if layout != "chunked":
        kept = {"gzip": {"compression": "gzip", "chunks": (1, 5, SIDE, SIDE)}, "whole": {}}[layout]
        with h5py.File(path, "r+") as file:
            del file["image"]
            file.create_dataset("image", data=images, **kept)
    return images


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that goes from the three files to the dataset, as the rules do."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path / "data"))

    def make(layout: str = "chunked", change=lambda _: None) -> SimpleNamespace:
        tables = {part: targets(n, seed) for seed, (part, n) in enumerate(N.items(), start=1)}
        change(tables)
        folder = tmp_path / "data" / "transferz_images"
        folder.mkdir(parents=True, exist_ok=True)
        images = {part: write_part(folder / f"transferz_5x64x64_{part}.h5", table, layout)
                  for part, table in tables.items()}  # fmt: skip
        paper = read_yaml(ROOT / "config" / "papers" / "soriano2024.yaml")
        given = overlay(read_yaml(ROOT / "config" / "config.yaml"), paper)
        given |= {"scale": "test", "studies": ["transferz_images"]}
        settings = load_settings(ROOT, given)
        ladder = Wiring(settings, make_plan(settings))
        sample, cutflow = selected(ladder)
        place = tmp_path / "transferz_images"
        place.mkdir(exist_ok=True)
        sample.to_parquet(tmp_path / "transferz_images.parquet", index=False)
        files = [place / f"{shard}.h5" for shard in range(SHARDS)]
        counts = [
            convert_images(
                tmp_path / "transferz_images.parquet",
                [Path(file) for file in ladder.published_images("transferz_images")],
                shard, json.loads(ladder.converting("transferz_images")),
                file, place / f"{shard}.losses.csv",
            )
            for shard, file in enumerate(files)
        ]  # fmt: skip
        told = json.loads(ladder.building_images(NAME))
        dataset, split = build_image_dataset(
            {"transferz_images": sample}, files, told, (), Path("a")
        )
        return SimpleNamespace(
            tables=tables, images=images, ladder=ladder, cutflow=cutflow, files=files,
            counts=counts, dataset=dataset, split=split,
        )  # fmt: skip

    return make


def selected(ladder: Wiring) -> tuple[pd.DataFrame, pd.DataFrame]:
    files = {part: Path(path) for part, path in ladder.native_files("transferz_images").items()}
    table, counts = read_survey(files, json.loads(ladder.reading("transferz_images")))
    assert counts["rows_in"] == counts["rows_out"] == len(table)
    settings = json.loads(ladder.selection("transferz_images"))
    return select_sample(table, table, None, settings, "transferz_images.parquet")


@pytest.mark.parametrize("layout", ["chunked", "gzip", "whole"])
def test_the_authors_parts_are_the_splits_and_pixels_are_theirs(made, layout):
    whole = made(layout)
    assert sum(one["n_out"] for one in whole.counts) == sum(N.values())
    assert not any(sum(one["n_lost"].values()) for one in whole.counts)
    rows = whole.dataset.set_index("object_id")
    for part, table in whole.tables.items():
        assert set(rows.loc[table["object_id"], "split"]) == SPLITS[part]
    labels = pd.concat(whole.tables.values()).set_index("object_id")["lp_zPDF"]
    np.testing.assert_array_equal(rows["z_true"], labels[rows.index].astype("f4"))
    assert set(rows["z_true_kind"]) == {"photo"}
    images = dict(
        zip(labels.index, np.concatenate(list(whole.images.values())), strict=True),
    )
    for path in whole.files:
        assert describe_stamps(path).pixel_scale_arcsec == 0.168
        with h5py.File(path) as file:
            ids, flux = file["object_id"][()].tolist(), file["flux"][()]
        wanted = np.stack([images[one] for one in ids]) * flux_factor(27.0)
        np.testing.assert_array_equal(flux, wanted)
        indexed = rows[rows["shard"] == f"transferz_images/{path.stem}"]
        np.testing.assert_array_equal(np.array(ids)[indexed["row"]], indexed.index)


def test_stamps_that_share_pixels_across_the_authors_parts_are_counted(made):
    def blend(tables):
        for name in ("ra", "dec"):
            tables["TESTING"].loc[:3, name] = tables["TRAINING"].loc[:3, name].to_numpy()
        tables["TESTING"].loc[:3, "ra"] += 2.0 / 3600  # 2 arcsec apart, nearly

    before, after = made().split, made(change=blend).split
    assert after["n_out"] == before["n_out"] == sum(N.values())
    for name in ("n_pairs_across", "n_pairs_sharing_pixels"):
        assert after[name] >= before[name] + 4
    assert after["n_dropped"] == {"flagged": 0, "border": 0}


def test_labels_outside_the_range_and_bands_without_magnitude_are_cut_and_counted(made):
    def spoil(tables):
        tables["TRAINING"].loc[0, "lp_zPDF"] = 7.0
        tables["TRAINING"].loc[1, "lp_zPDF"] = np.nan
        tables["VALIDATION"].loc[2, "y_cmodel_mag"] = np.nan

    whole = made(change=spoil)
    assert whole.cutflow["n_lost"].tolist() == [2, 1]
    assert len(whole.dataset) == sum(N.values()) - 3


def test_a_column_of_another_name_is_named(made, tmp_path):
    path = tmp_path / "data" / "transferz_images" / "transferz_5x64x64_VALIDATION.h5"
    ladder = made().ladder
    with h5py.File(path, "r+") as file:
        file.move("lp_zPDF_CLASSIC", "lp_zBEST")
    with pytest.raises(BadInput) as caught:
        selected(ladder)
    assert (str(caught.value.file), "lp_zPDF_CLASSIC" in str(caught.value)) == (str(path), True)
