"""SDSS: answers of SkyServer, frames of the Science Archive Server, the self-supervised release."""

from __future__ import annotations

import bz2
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from tests.archive_content.small_sky import RELEASE_PIXELS, in_threads
from zladder.config.documents import read_yaml
from zladder.config.imaging import RERUN, rendering_settings
from zladder.cutouts.field import cut_field
from zladder.survey.catalogues import write_csv
from zladder.survey.frame_files import frame_index
from zladder.survey.imaging import PIXEL_ARCSEC
from zladder.survey.measured_shards import measure_shard, merge_measured
from zladder.survey.shards import render_shard
from zladder.tables.read import read_table

ROOT = Path(__file__).resolve().parents[2]
FRAMES = f"sas/dr12/boss/photoObj/frames/{RERUN}"
MAIN_TARGET = 64  # galSpecInfo.primtarget of the main sample: bit TARGET_GALAXY
BANDS = ["u", "g", "r", "i", "z"]
N_RELEASED = 20  # 229 kB each


def write_shallow(work: Path, settings: Mapping[str, Any], served: Path) -> dict[str, Path]:
    """Write what SDSS serves of the sky in `work` below `served`; return {what: path}."""
    painting = {**rendering_settings(settings), "seed": settings["seed"]}
    plain = work / "frames"
    rows, _ = render_shard(painting, work / "scene.parquet", (0, 1), plain)
    frame_index(rows).to_parquet(plain / "index.parquet", index=False)
    lists = [work / "sdss.csv", work / "sdss_deep.csv"]
    survey = read_yaml(ROOT / "config" / "surveys" / "mock_sdss_measured.yaml")
    measuring = {**painting, "measured": survey["measured"]}
    measured, _ = measure_shard(measuring, plain / "index.parquet", lists)
    measured.to_parquet(work / "measured.parquet", index=False)
    main, deep = (_listed(path, work / "measured.parquet") for path in lists)
    files = {
        "main": _answer(served / "sdss" / "main_sample.csv", main.assign(primtarget=MAIN_TARGET)),
        "deep": _answer(served / "sdss" / "deep_sample.csv", deep),
        "frames": served / FRAMES,
    }
    names = [str(row["path"]) for row in rows]
    in_threads(lambda name: _pack(plain / name, served / FRAMES / f"{name}.bz2"), names)
    files["release"] = _release(served / "sdss" / "sdss_w_specz_valid.h5", main, plain)
    return files


def _listed(catalogue: Path, measured: Path) -> pd.DataFrame:
    """Return a catalogue with model magnitudes and the Petrosian ones measured on the frames."""
    table = merge_measured(catalogue, [measured])
    model = read_table(catalogue, "csv").set_index("objID").filter(like="modelMag")
    petro = (table["petroMag_r"] - table["extinction_r"]).rename("dered_petro_r")
    return pd.concat([table, petro], axis=1).join(model, on="objID")


def _answer(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as SkyServer answers a query with it.

    It holds also what the conditions of the query would leave out: the sample's own cuts then have
    something to do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(table, path)
    path.write_text("#Table1\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def _pack(plain: Path, packed: Path) -> None:
    packed.parent.mkdir(parents=True, exist_ok=True)
    packed.write_bytes(bz2.compress(plain.read_bytes()))


def _release(path: Path, main: pd.DataFrame, frames: Path) -> Path:
    """Write the layout of the self-supervised release (Hayat et al. 2021) for some galaxies."""
    good = main[(main["class"] == "GALAXY") & (main["clean"] == 1) & (main["mode"] == 1)]
    some = good.head(N_RELEASED).rename(columns={"objID": "object_id"})
    key = tuple(int(some[name].iloc[0]) for name in ("run", "camcol", "field"))
    cutting = {"bands": BANDS, "stamp_pixels": RELEASE_PIXELS, "pixel_scale_arcsec": PIXEL_ARCSEC}
    stamps, losses = cut_field(some, key, frames, cutting)
    assert not losses
    kept = some.set_index("object_id").loc[stamps["object_id"]]
    extinctions = kept[[f"extinction_{band}" for band in BANDS]].to_numpy(np.float32)
    datasets = {
        "images": stamps["flux"], "e_bv": extinctions, "ObjID": stamps["object_id"],
        "specObjID": kept["specObjID"].to_numpy(np.uint64),
        "ra": kept["ra"].to_numpy(), "dec": kept["dec"].to_numpy(),
        "specz_redshift": kept["z"].to_numpy(), "specz_redshift_err": kept["zErr"].to_numpy(),
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path
