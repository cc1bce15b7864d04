"""HSC-like cutouts as the published training sets have them: one HDF5 file, all bands of a galaxy.

Keys of GalaxiesML (Do et al. 2024, arXiv:2410.00271) without its measured morphology, and of
TransferZ-Images: `image` (N, 5, S, S) in counts of zero point 27.0, rows sorted by `object_id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

TEXT_BYTES = 64
CHUNK_ROWS = 16
# column of the targets: key of the file, for a label set
LABEL_KEYS = {
    "specz": {
        "specz_redshift": "specz_redshift",
        "specz_redshift_err": "specz_redshift_err",
        "specz_flag_homogeneous": "specz_flag_homogeneous",
        "specz_ra": "specz_ra",
        "specz_dec": "specz_dec",
    },
    "photoz": {"lp_zPDF": "lp_zPDF_CLASSIC"},
}


def set_columns(
    targets: pd.DataFrame, bands: Sequence[str], labels: str
) -> dict[str, NDArray[Any]]:
    """Return the datasets of a set beside its pixels, N rows each.

    Parameters
    ----------
    targets
        N galaxies.
    bands
        Band letters.
    labels
        Which of `LABEL_KEYS`.
    """
    n = len(targets)
    columns: dict[str, NDArray[Any]] = {
        "object_id": targets["object_id"].to_numpy(np.int64),
        "ra": targets["ra"].to_numpy(np.float64),
        "dec": targets["dec"].to_numpy(np.float64),
        "coord": _text([f"({ra:.7f}, {dec:.7f})" for ra, dec in _pairs(targets)]),
        "skymap_id": _skymap(targets),
        "x_coord": targets["x_coord"].to_numpy(np.float64),
        "y_coord": targets["y_coord"].to_numpy(np.float64),
    }
    for band in bands:
        for end in ("mag", "magsigma"):
            name = f"{band}_cmodel_{end}"
            columns[name] = targets[name].to_numpy(np.float64)
    for column, key in LABEL_KEYS[labels].items():
        is_flag = column.endswith("homogeneous")
        columns[key] = targets[column].to_numpy(bool if is_flag else np.float64)
    if labels == "specz":
        columns["specz_name"] = _text(targets["specz_name"]).reshape(n, 1)
        # the list of spectra has no magnitude of its own: the survey's stands in
        columns["specz_mag_i"] = targets["i_cmodel_mag"].to_numpy(np.float64)
    return columns


def create_set(
    path: Path, columns: dict[str, NDArray[Any]], n_bands: int, stamp_pixels: int
) -> None:
    """Write a set without its pixels: `image` is there, to be filled by `fill_images`."""
    n = len(columns["object_id"])
    shape = (n_bands, stamp_pixels, stamp_pixels)
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "image",
            shape=(n, *shape),
            maxshape=(None, *shape),
            chunks=(min(max(n, 1), CHUNK_ROWS), *shape),
            dtype="<f4",
        )
        for name, values in columns.items():
            file.create_dataset(name, data=values)


def fill_images(path: Path, rows: NDArray[np.int64], images: NDArray[np.float32]) -> None:
    """Write the images (n, B, S, S) of some rows, which rise."""
    if len(rows):
        with h5py.File(path, "r+") as file:
            file["image"][rows] = images


def _pairs(targets: pd.DataFrame) -> list[tuple[float, float]]:
    return list(targets[["ra", "dec"]].itertuples(index=False, name=None))


def _text(words: Sequence[str] | pd.Series) -> NDArray[np.bytes_]:
    return np.array([str(word).encode() for word in words], dtype=f"S{TEXT_BYTES}")


def _skymap(targets: pd.DataFrame) -> NDArray[np.int64]:
    """Return tract and patch in one number, as the archive writes them."""
    patch = 100 * targets["patch_x"] + targets["patch_y"]
    return (10_000 * targets["tract"] + patch).to_numpy(np.int64)
