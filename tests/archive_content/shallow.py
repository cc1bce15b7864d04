"""SDSS: lists behind SkyServer, frames of its archive server, the self-supervised release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from tests.archive_content.hdf5 import split
from tests.archive_content.places import Places
from tests.archive_content.small_sky import RELEASE_PIXELS
from tests.archive_content.strips import (
    BANDS,
    lay_strips,
    measure_strip,
    paint_strip,
    with_frame_rows,
    write_frames,
)
from zladder.config.documents import read_yaml
from zladder.config.imaging import rendering_settings
from zladder.cutouts.field import cut_field
from zladder.survey.catalogues import write_csv
from zladder.survey.imaging import PIXEL_ARCSEC
from zladder.survey.measured_shards import WHERE, merge_measured
from zladder.survey.scene_columns import scene_columns
from zladder.tables.read import read_table

ROOT = Path(__file__).resolve().parents[2]
MAIN_TARGET = 64  # galSpecInfo.primtarget of the main sample: bit TARGET_GALAXY
N_RELEASED = 20  # 229 kB each
PARTS = {"train": slice(16), "valid": slice(16, None)}


def write_shallow(work: Path, settings: Mapping[str, Any], at: Places) -> None:
    """Write what SDSS serves of the sky in `work`."""
    painting = {**rendering_settings(settings), "seed": settings["seed"]}
    scene = read_table(work / "scene.parquet", "parquet", scene_columns(BANDS))
    survey = read_yaml(ROOT / "config" / "surveys" / "mock_sdss_measured.yaml")
    names = {"sdss": "sdss_dr12_main", "sdss_deep": "sdss_dr12_deep"}
    tables = []
    for strip, name in zip(lay_strips(painting), names, strict=True):
        images, conditions = paint_strip(strip, scene, painting)
        write_frames(strip, images, conditions, at)
        catalogue = work / f"{name}.csv"
        listed = read_table(catalogue, "csv", WHERE)
        measured = measure_strip(strip, images, conditions, listed, survey["measured"])
        measured.to_parquet(work / "measured.parquet", index=False)
        table = _listed(catalogue, work / "measured.parquet")
        tables.append(with_frame_rows(table, strip))
    main, deep = tables
    write_csv(main.assign(primtarget=MAIN_TARGET), at.list_of(names["sdss"]))
    write_csv(deep, at.list_of(names["sdss_deep"]))
    release = _write_release(work / "release.h5", main, at.strips)
    split(release, {at.file(f"self_supervised_sdss_{part}"): rows for part, rows in PARTS.items()})


def _listed(catalogue: Path, measured: Path) -> pd.DataFrame:
    """Return a catalogue with model magnitudes and the Petrosian ones measured on the frames."""
    table = merge_measured(catalogue, [measured])
    model = read_table(catalogue, "csv").set_index("objID").filter(like="modelMag")
    petro = (table["petroMag_r"] - table["extinction_r"]).rename("dered_petro_r")
    return pd.concat([table, petro], axis=1).join(model, on="objID")


def _write_release(path: Path, main: pd.DataFrame, frames: Path) -> Path:
    """Write the layout of the self-supervised release (Hayat et al. 2021) for some galaxies."""
    good = main[(main["class"] == "GALAXY") & (main["clean"] == 1) & (main["mode"] == 1)]
    some = good.head(N_RELEASED).rename(columns={"objID": "object_id"})
    key = tuple(int(some[name].iloc[0]) for name in ("run", "camcol", "field"))
    cutting = {"bands": BANDS, "stamp_pixels": RELEASE_PIXELS, "pixel_scale_arcsec": PIXEL_ARCSEC,
               "grid": "frame", "edge": "lose", "layout": "sdss_frames"}  # fmt: skip
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
