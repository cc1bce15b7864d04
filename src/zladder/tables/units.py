"""What a table's file says of itself: units, frame of the positions, and zladder's own note."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from zladder.tables.formats import format_of
from zladder.tables.write import METADATA_KEY

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

# Where formats say in which frame positions are, by what is said; RADECSYS is the old word of FITS
# for RADESYS.
_FRAME_KEYS = {"equinox": ("EQUINOX",), "system": ("RADESYS", "RADECSYS"), "epoch": ("EPOCH",)}
_OF_EQUINOXES = ("", "FK4", "FK4-NO-E", "FK5")  # systems that an equinox belongs to


@dataclass(frozen=True)
class Description:
    """Units by column (those without a unit left out), and what is said of the positions' frame.

    `frame` has `equinox`, `system` and `epoch`, as text, where they are said.
    """

    units: dict[str, str] = field(default_factory=dict)
    frame: dict[str, str] = field(default_factory=dict)


def describe(path: Path, file_format: str | None = None) -> Description:
    """Return what a whole file says of its table; text tables say nothing.

    Units: FITS TUNITn, the attribute `unit` of a VOTable's field, the metadata `unit` of a Parquet
    field, the attribute `unit` or `units` of an HDF5 dataset. Frame: EQUINOX and RADESYS in the
    header of the FITS table, else of the primary one; COOSYS of a VOTable; the same words (in
    small letters) in the metadata of a Parquet schema, or as attributes of the HDF5 group or file.
    """
    kind = file_format or format_of(path)
    if kind == "parquet":
        return _of_parquet(path)
    if kind == "fits":
        return _of_fits(path)
    if kind == "votable":
        return _of_votable(path)
    return _of_hdf5(path) if kind == "hdf5" else Description()


def read_units(path: Path, file_format: str | None = None) -> dict[str, str]:
    """Return column -> unit as written in the file; columns without a unit are left out."""
    return describe(path, file_format).units


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what ``write_table`` was told of a Parquet table ({} if it was not written so)."""
    note = (pq.read_schema(path).metadata or {}).get(METADATA_KEY, b"{}")
    return dict(json.loads(note))


def _of_parquet(path: Path) -> Description:
    schema = pq.read_schema(path)
    units = {each.name: (each.metadata or {}).get(b"unit", b"").decode() for each in schema}
    notes = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    return Description(_said(units), _frame(notes))


# The libraries of each format are imported when they are needed, as in `zladder.tables.read`.
def _of_fits(path: Path) -> Description:
    from astropy.io import fits

    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("ignore")  # units outside the standard are common
        hdu = next(hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU))
        units = {column.name: column.unit or "" for column in hdu.columns}
        return Description(_said(units), _fits_frame(_frame(hdus[0].header) | _frame(hdu.header)))


def _of_votable(path: Path) -> Description:
    from astropy.io import votable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = votable.parse(path, verify="ignore")
    units = {each.name: str(each.unit or "") for each in document.get_first_table().fields}
    frame: dict[str, str] = {}
    for system in document.iter_coosys():
        words = {"equinox": system.equinox, "system": system.system, "epoch": system.epoch}
        frame |= {key: str(word) for key, word in words.items() if word}
    return Description(_said(units), frame)


def _of_hdf5(path: Path) -> Description:
    import h5py

    units: dict[str, str] = {}
    notes: dict[str, Any] = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group):
            notes.update(item.attrs)
        units[name.rsplit("/", 1)[-1]] = _text(item.attrs.get("unit", item.attrs.get("units", "")))

    with h5py.File(path, "r") as file:
        notes.update(file.attrs)
        file.visititems(collect)
    return Description(_said(units), _frame(notes))


def _frame(notes: Any) -> dict[str, str]:
    """Return what a header or other mapping of keys says of the frame, in any case of letters."""
    found = {}
    for what, keys in _FRAME_KEYS.items():
        for key in keys:
            value = notes.get(key, notes.get(key.lower()))
            if value is not None and what not in found and _text(value).strip():
                found[what] = _text(value).strip()
    if found.get("epoch", "").upper().startswith("B"):  # Besselian years are of equinoxes
        found.setdefault("equinox", found.pop("epoch"))
    return found


def _fits_frame(frame: dict[str, str]) -> dict[str, str]:
    """Return the frame of a FITS header, where EPOCH is the old word for EQUINOX."""
    if "epoch" in frame and frame.get("system", "").upper() in _OF_EQUINOXES:
        return {"equinox": frame["epoch"], **{k: v for k, v in frame.items() if k != "epoch"}}
    return frame


def _said(units: dict[str, str]) -> dict[str, str]:
    return {name: unit for name, unit in units.items() if unit}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
