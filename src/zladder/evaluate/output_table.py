"""The columns of a prediction, in the order of docs/formats.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MAGNITUDE = re.compile(r"mag_(?!err_|limit_)(\w+)")


def known_bands(frame: pd.DataFrame) -> list[str]:
    """Return the bands that a table has magnitudes of, in its order."""
    found = (_MAGNITUDE.fullmatch(name) for name in frame.columns)
    return [match[1] for match in found if match]


def in_schema(
    frame: pd.DataFrame, bands: Sequence[str], found: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Return the columns of the schema that the table or the model gives, in its order.

    Parameters
    ----------
    frame
        Standard columns, N rows; `object_id` and whatever else of the schema is known.
    bands
        Bands whose magnitudes are repeated where the table has them.
    found
        What the model says: `z_phot`, `flags` and more, each of shape (N,).
    """
    columns: dict[str, Any] = {"object_id": frame["object_id"].to_numpy()}
    if {"ra", "dec"} <= set(frame.columns):
        columns |= {"ra": frame["ra"].to_numpy(), "dec": frame["dec"].to_numpy()}
        columns["_healpix_29"] = _cells(frame)
    for name in ("z_true", "z_true_err"):
        if name in frame.columns:
            columns[name] = frame[name].to_numpy(dtype=np.float32)
    if "z_true_kind" in frame.columns:
        columns["z_true_kind"] = frame["z_true_kind"].to_numpy()
    columns |= found
    photometry = [f"{kind}_{band}" for kind in ("mag", "mag_err") for band in bands]
    for name in [*photometry, "ebv_mag"]:
        if name in frame.columns:
            columns[name] = frame[name].to_numpy(dtype=np.float32)
    return pd.DataFrame(columns)


def _cells(frame: pd.DataFrame) -> np.ndarray:
    """Return the HEALPix cells of order 29: the table's own, else from the positions."""
    if "_healpix_29" in frame.columns:
        return frame["_healpix_29"].to_numpy()
    from zladder.tables.sky_cells import healpix_index

    return healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), order=29)
