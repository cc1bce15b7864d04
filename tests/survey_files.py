"""One native table of a survey in every format, with the units and the frame that it states."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import CooSys
from astropy.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Columns = dict[str, Any]
Words = dict[str, str]
SUFFIXES = {"csv": "csv", "fits": "fits", "votable": "vot", "parquet": "parquet", "hdf5": "h5"}
FORMATS = list(SUFFIXES)
DESCRIBED = [kind for kind in FORMATS if kind != "csv"]  # text says nothing of its columns


def write_native(
    folder: Path,
    kind: str,
    columns: Mapping[str, Any],
    units: Words | None = None,
    frame: Words | None = None,
) -> Path:
    """Write columns (arrays, or lists of text) in a format; return the file.

    `units`: column -> unit; `frame`: EQUINOX, RADESYS, EPOCH.
    """
    path = folder / f"own.{SUFFIXES[kind]}"
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    _WRITERS[kind](path, arrays, units or {}, frame or {})
    return path


def _csv(path: Path, columns: Columns, _units: Words, _frame: Words) -> None:
    pd.DataFrame(columns).to_csv(path, index=False, na_rep="nan")


def _fits(path: Path, columns: Columns, units: Words, frame: Words) -> None:
    codes = {"i8": "K", "i4": "J", "u8": "K", "f8": "D", "f4": "E", "b1": "L"}
    made = []
    for name, column in columns.items():
        code = codes.get(column.dtype.str[1:], f"{column.dtype.itemsize // 4 or 1}A")
        shift = {"bzero": 2**63} if column.dtype.kind == "u" else {}
        made.append(fits.Column(name, code, unit=units.get(name), array=column, **shift))
    hdu = fits.BinTableHDU.from_columns(made)
    for key, word in frame.items():
        hdu.header[key] = float(word) if word.replace(".", "").isdigit() else word
    hdu.writeto(path, overwrite=True)


def _votable(path: Path, columns: Columns, units: Words, frame: Words) -> None:
    table = Table({n: c.astype("U") if c.dtype.kind == "u" else c for n, c in columns.items()})
    document = from_table(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units outside the standard, as real tables have them
        for field in document.get_first_table().fields:
            field.unit = units.get(field.name)
    if frame:
        names = {"EQUINOX": "equinox", "RADESYS": "system", "EPOCH": "epoch"}
        said = {names[key]: word for key, word in frame.items()}
        system = {"ICRS": "ICRS", "FK5": "eq_FK5", "FK4": "eq_FK4"}
        said["system"] = system[said.get("system", "ICRS")]
        document.coordinate_systems.append(CooSys(ID="sky", **said))
    document.to_xml(str(path))


def _parquet(path: Path, columns: Columns, units: Words, frame: Words) -> None:
    arrays = [pa.array(column, from_pandas=False) for column in columns.values()]
    fields = [
        pa.field(name, array.type, metadata={"unit": units[name]} if name in units else None)
        for name, array in zip(columns, arrays, strict=True)
    ]
    schema = pa.schema(fields, metadata={key.lower(): word for key, word in frame.items()})
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)


def _hdf5(path: Path, columns: Columns, units: Words, frame: Words) -> None:
    with h5py.File(path, "w") as file:
        for name, column in columns.items():
            file[name] = np.char.encode(column) if column.dtype.kind == "U" else column
            if name in units:
                file[name].attrs["unit"] = units[name]
        for key, word in frame.items():
            file.attrs[key] = word


_WRITERS: dict[str, Callable[[Path, Columns, Words, Words], None]] = {
    "csv": _csv, "fits": _fits, "votable": _votable, "parquet": _parquet, "hdf5": _hdf5,
}  # fmt: skip
