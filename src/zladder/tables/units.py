"""The units and notes that a table's file carries."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import h5py
import pyarrow.parquet as pq
from astropy.io import fits, votable

from zladder.tables.formats import format_of
from zladder.tables.write import METADATA_KEY

if TYPE_CHECKING:
    from pathlib import Path


def read_units(path: Path, file_format: str | None = None) -> dict[str, str]:
    """Return column -> unit as written in the file; columns without a unit are left out.

    Text tables have none. In HDF5 the attribute ``unit`` or ``units`` of a dataset counts.
    """
    kind = file_format or format_of(path)
    if kind == "parquet":
        schema = pq.read_schema(path)
        found = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in schema}
    elif kind == "fits":
        found = _fits_units(path)
    elif kind == "votable":
        found = _votable_units(path)
    elif kind == "hdf5":
        found = _hdf5_units(path)
    else:
        found = {}
    return {name: unit for name, unit in found.items() if unit}


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what ``write_table`` was told of a Parquet table ({} if it was not written so)."""
    note = (pq.read_schema(path).metadata or {}).get(METADATA_KEY, b"{}")
    return dict(json.loads(note))


def _fits_units(path: Path) -> dict[str, str]:
    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("ignore")  # units outside the standard are common
        hdu = next(hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU))
        return {column.name: column.unit or "" for column in hdu.columns}


def _votable_units(path: Path) -> dict[str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fields = votable.parse(path, verify="ignore").get_first_table().fields
        return {field.name: str(field.unit or "") for field in fields}


def _hdf5_units(path: Path) -> dict[str, str]:
    units: dict[str, str] = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        unit = item.attrs.get("unit", item.attrs.get("units", ""))
        units[name.rsplit("/", 1)[-1]] = unit.decode() if isinstance(unit, bytes) else str(unit)

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    return units
