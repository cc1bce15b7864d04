"""Whether a file is a whole one of its format, where no digest can tell."""

from __future__ import annotations

import bz2
import csv
import io
import warnings
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_PAGES = (b"<!doctype html", b"<html")  # what some servers send in place of an error
_HEAD_BYTES = 4096
_TAIL_BYTES = 65536


def fault_of(path: Path, file_format: str) -> str:
    """Return what is wrong with a file; nothing if it is a whole one.

    Formats are `fits` (also packed by bzip2), `hdf5`, `csv` and `text`.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip():
        return "it is empty"
    if head.lstrip().lower().startswith(_PAGES):
        return "it is a web page"
    return {"fits": _fits_fault, "hdf5": _hdf5_fault, "csv": _csv_fault, "text": _text_fault}[
        file_format
    ](path)


def _fits_fault(path: Path) -> str:
    """Return what is wrong with the blocks of a FITS file; pixels and rows are not read."""
    try:
        with path.open("rb") as stream:
            if stream.read(3) == b"BZh":
                return _blocks_fault(io.BytesIO(bz2.decompress(path.read_bytes())))
            return _blocks_fault(stream)
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        return f"not a whole FITS file ({str(error) or type(error).__name__})".splitlines()[0]


def _blocks_fault(stream: BinaryIO) -> str:
    from astropy.io import fits

    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damage is found by size
        with fits.open(stream, memmap=False) as hdus:
            places = [hdu.fileinfo() for hdu in hdus]
    end = max(place["datLoc"] + place["datSpan"] for place in places)
    return "" if size >= end else f"a FITS file of which {size} of {end} bytes are there"


def _hdf5_fault(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r"):
            return ""
    except OSError as error:
        return f"not a whole HDF5 file ({str(error).splitlines()[0]})"


def _csv_fault(path: Path) -> str:
    """Return what is wrong with the last line of a CSV file, held against the first one."""
    wrong = _text_fault(path)
    if wrong:
        return wrong
    with path.open("rb") as stream:
        head = stream.readline().decode("utf-8", errors="replace")
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        last = stream.read().decode("utf-8", errors="replace").splitlines()[-1]
    fields = [len(next(csv.reader([line]), [])) for line in (head, last)]
    return "" if fields[0] == fields[1] else f"its last line has {fields[1]} of {fields[0]} fields"


def _text_fault(path: Path) -> str:
    with path.open("rb") as stream:
        stream.seek(-1, io.SEEK_END)
        return "" if stream.read(1) == b"\n" else "its last line has no end"
