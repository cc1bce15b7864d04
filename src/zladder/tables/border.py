"""FITS and VOTable, the formats in which a table leaves zladder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits, votable
from astropy.table import Column, MaskedColumn, Table

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

# What RAIL and most catalogues write for a magnitude that has no number.
NOT_DETECTED, NOT_OBSERVED = 99.0, -99.0
SENTINELS = {"99.0": "not_detected", "-99.0": "not_observed"}


def write_fits(
    frame: pd.DataFrame, path: Path, units: Mapping[str, str], ucds: Mapping[str, str], note: str
) -> None:
    """Write one binary table, OBJECTS, with TUNITn, TUCDn, the note under ZLADDER, checksums."""
    table = _astropy_table(frame, path, units, ucds)
    hdu = fits.table_to_hdu(table)
    hdu.name = "OBJECTS"
    for number, name in enumerate(frame.columns, start=1):
        if name in ucds:
            hdu.header[f"TUCD{number}"] = ucds[name]
    hdu.header["CREATOR"] = "zladder"
    hdu.header["ZLADDER"] = _with_sentinels(note)
    hdu.header["COMMENT"] = "magnitudes: 99.0 observed but not detected, -99.0 not observed"
    # The comment of a checksum is a time by default; the same table must give the same bytes.
    hdu.add_checksum(when="of the data and header")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)


def write_votable(
    frame: pd.DataFrame, path: Path, units: Mapping[str, str], ucds: Mapping[str, str], note: str
) -> None:
    """Write one table with unit and ucd of each field, the note as INFO, values in BINARY2."""
    table = _astropy_table(_signed(frame, path), path, units, ucds)
    document = votable.from_table(table)
    first = document.get_first_table()
    first.infos.append(votable.tree.Info(name="zladder", value=_with_sentinels(note)))
    document.to_xml(str(path), tabledata_format="binary2")


def _with_sentinels(note: str) -> str:
    return json.dumps({**json.loads(note), "sentinels": SENTINELS}, sort_keys=True)


def _astropy_table(
    frame: pd.DataFrame, path: Path, units: Mapping[str, str], ucds: Mapping[str, str]
) -> Table:
    columns = [_column(frame[name], name, path) for name in frame.columns]
    for column in columns:
        column.unit = units.get(column.name) or None
        if column.name in ucds:
            column.meta["ucd"] = ucds[column.name]
    return Table(columns, copy=False)


def _column(series: pd.Series, name: str, path: Path) -> Column:
    values, gaps = series.to_numpy(), series.isna().to_numpy()
    if isinstance(series.dtype, np.dtype) and values.dtype.kind in "iufb":
        return Column(_at_border(values) if name.startswith("mag_") else values, name=name)
    if series.dtype.kind in "iub":  # the nullable types of pandas
        filled = series.fillna(0).to_numpy(dtype=series.dtype.numpy_dtype)
        return MaskedColumn(filled, mask=gaps, name=name)
    words = series.astype("object").where(~gaps, "").map(str)
    if not words.map(str.isascii).all():
        row = int(np.flatnonzero(~words.map(str.isascii).to_numpy())[0])
        raise BadInput(path, f"column '{name}', row {row + 1}", "ASCII text",
                       f"'{words.iloc[row]}'", "write Parquet, which holds any text")  # fmt: skip
    return Column(words.to_numpy(dtype="U"), name=name)


def _at_border(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return values
    values = np.where(np.isposinf(values), NOT_DETECTED, values)
    return np.where(np.isnan(values), NOT_OBSERVED, values)


def _signed(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the frame with wider signed integers: VOTable knows no unsigned ones above 8 bits."""
    changed: dict[str, Any] = {}
    for name in frame.columns:
        kind = frame[name].dtype
        if kind.kind == "u" and kind.itemsize > 1:
            if frame[name].max() > np.iinfo(np.int64).max:
                raise BadInput(path, f"column '{name}'", "integers below 2^63 in a VOTable",
                               str(frame[name].max()), "write FITS or Parquet")  # fmt: skip
            changed[name] = frame[name].astype("int64" if isinstance(kind, np.dtype) else "Int64")
    return frame.assign(**changed)
