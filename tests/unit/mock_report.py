"""The scripts that show the mock sky, with small inputs written for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from astropy.io import fits

from tests.unit.mock_sky import small_sky
from tests.unit.toy_oracle import write_oracle

if TYPE_CHECKING:
    from pathlib import Path

REAL = {"real": "Real galaxies", "quantiles": {"z_true": {"50": 0.1}, "mag_r": {"50": 17.0}}}
BLANK = (64, 96)  # of a frame without stars


def typed_truth(dataset: Path, path: Path) -> Path:
    """Write a truth that gives every galaxy of a dataset one of the four types."""
    ids = pd.read_parquet(dataset, columns=["object_id"])["object_id"].to_numpy()
    types = (np.arange(len(ids)) % 4).astype(float)
    pd.DataFrame({"objID": ids, "object_id": -1, "sed_type": types}).to_parquet(path)
    return path


def write_index(folder: Path) -> Path:
    """Write one frame of pure noise, and the index of its shard."""
    rng = np.random.default_rng(0)
    header = fits.Header()
    header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 40, "CRPIX2": 30,
                   "CRVAL1": 185, "CRVAL2": 20, "CD1_1": -1.1e-4, "CD1_2": 0.0, "CD2_1": 0.0,
                   "CD2_2": 1.1e-4})  # fmt: skip
    image = rng.normal(0, 0.03, BLANK).astype(np.float32)
    fits.PrimaryHDU(image, header).writeto(folder / "frame.fits")
    row = {"run": 1, "camcol": 1, "field": 1, "band": "r", "path": "frame.fits",
           "sky_sigma_nmgy": 0.03, "psf_fwhm_arcsec": 1.3, "saturation_nmgy": 400.0}  # fmt: skip
    pd.DataFrame([row]).to_parquet(folder / "0.parquet")
    return folder / "0.parquet"


def mock_commands(out: Path, data: Path, stamps: list[str | Path]) -> dict[str, list[str | Path]]:
    """Return {rule: arguments} of the scripts on the mock sky; write their inputs.

    `stamps` are the arguments that name an image dataset, its stamps, settings and resolution.
    """
    sky = small_sky()
    truth, dust, sample = (data / f"{name}.parquet" for name in ("truth", "dust", "mock_main"))
    sky["truth"].to_parquet(truth)
    sky["dust"].to_parquet(dust)
    main = sky["sdss"].rename(columns={"z": "z_true", "modelMag_r": "mag_r"})
    main[["z_true", "mag_r"]].to_parquet(sample)
    predictions, pdfs, known = write_oracle(data, 60)
    depth = {"r": 22.7}
    dpi = ["--dpi", "40"]
    study = json.dumps({"study": "toy", "title": "Toy", "convention": "hsc"})
    page = json.dumps({"numbers": {"galaxies": 300}, "depth_mag": depth, "estimated": {"toy": []}})
    frames = [out / "mock_sky.frames.parquet", out / "mock_sky.quantiles.parquet"]
    return {
        "plot_mock_sky": [
            "--truth", truth, "--dust", dust, "--samples", sample,
            "--quantiles", json.dumps({"mock_main": REAL}), *dpi, "--compared", frames[1],
            "--samples-figure", out / "mock_sky.samples.png",
            "--tracks", out / "mock_sky.tracks.png", "--dust-figure", out / "mock_sky.dust.png",
        ],
        "plot_frames": [
            "--index", write_index(data), "--truth", truth, "--settings",
            json.dumps({"n_fields": 2, "depth_mag": depth}), *dpi, "--measured", frames[0],
            "--figure", out / "mock_sky.frames.png",
        ],
        "plot_types": [
            *stamps, "--truth", typed_truth(stamps[1], data / "types.parquet"),
            "--figure", out / "mock_sky.wall.png",
        ],
        "plot_oracle": [
            "--predictions", predictions, "--pdfs", pdfs, "--truth", known, "--settings", study,
            *dpi, "--figure", out / "toy.oracle.png", "--calibration", out / "toy.pit.parquet",
        ],
        "write_mock_sky": [
            "--figures", *[out / f"mock_sky.{kind}.png" for kind in ("samples", "tracks", "dust")],
            "--tables", truth, *frames, "--settings", page, "--page", out / "mock_sky.html",
        ],
    }  # fmt: skip
