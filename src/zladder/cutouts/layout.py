"""The file of a shard: laid out by HDF5, filled row by row in place.

Writing to the places of the rows is as fast as the disk, and a full disk is an error like any
other: in the HDF5 library it ends the process.

No dataset can shrink, and how many galaxies get a stamp is known at the end. So pixels lie behind
all else, from a byte that does not depend on their number: where stamps are lost, the file gets the
head of one with fewer, and is cut off.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from zladder.provenance.errors import PassingBadInput
from zladder.provenance.outputs import temporary_name
from zladder.tables.stamp_files import STAMP_SCHEMA, STAMP_UNIT, stamp_datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_LAYOUT_BYTES = 1 << 16  # what HDF5 itself writes, and more
_PAGE_BYTES = 1 << 12
_PIXELS = "flux"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def stamp_scale_arcsec(settings: Mapping[str, Any]) -> float:
    """Return the width of a stamp's pixels: `grid_scale_arcsec`, else the frames' own."""
    scale: float = settings.get("grid_scale_arcsec", settings["pixel_scale_arcsec"])
    return scale


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Turn the error of a full disk, while a file is written, into one that names it.

    Raises
    ------
    BadInput
        If there is no room for the file.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        found, hint = str(error.strerror), "make room there, and run it again"
        expected = "room for the stamps of a shard"
        raise PassingBadInput(path.parent, "disk", expected, found, hint) from error


def write_rows(
    path: Path,
    blocks: Iterable[Mapping[str, np.ndarray]],
    n_most: int,
    settings: Mapping[str, Any],
    encoding: Mapping[str, Any],
) -> int:
    """Write a file with room for `n_most` stamps and the blocks as they come.

    Parameters
    ----------
    path
        The HDF5 file.
    blocks
        Datasets of some stamps each, encoded, all of the same length.
    n_most
        Stamps that room is made for, without chunks; the file ends with the last one written.
    settings
        `bands`, `stamp_pixels`, and what `stamp_scale_arcsec` reads.
    encoding
        Attributes that pixels are encoded by.

    Returns
    -------
    int
        How many stamps there were.
    """
    head_bytes = _head_bytes(n_most, settings)
    places, end = _lay_out(path, n_most, head_bytes, settings, encoding), 0
    with path.open("r+b") as file:
        for block in blocks:
            start, end = end, end + len(block["object_id"])
            for name, values in block.items() if end > start else ():
                place, dtype, row_bytes = places[name]
                file.seek(place + start * row_bytes)
                file.write(np.ascontiguousarray(values, dtype).data)
    if end < n_most:
        _shorten(path, end, head_bytes, places, settings, encoding)
    return end


def _head_bytes(n_stamps: int, settings: Mapping[str, Any]) -> int:
    """Return where the pixels begin: behind all that stands beside so many stamps, and HDF5's own.

    A whole number of memory pages.
    """
    datasets = stamp_datasets(len(settings["bands"]), settings["stamp_pixels"])
    rows = sum(_row_bytes(*of) for name, of in datasets.items() if name != _PIXELS)
    return -(-(n_stamps * rows + _LAYOUT_BYTES) // _PAGE_BYTES) * _PAGE_BYTES


def _row_bytes(dtype: str, entry: tuple[int, ...]) -> int:
    return int(np.prod(entry, dtype=np.int64)) * np.dtype(dtype).itemsize


def _shorten(
    path: Path, n_stamps: int, head_bytes: int, places: Mapping[str, tuple[int, str, int]],
    settings: Mapping[str, Any], encoding: Mapping[str, Any],
) -> None:  # fmt: skip
    """Give a file the head of one that has so many stamps, fewer than it.

    Pixels stay in place, but for the few of a file that is smaller than its head.
    """
    short = temporary_name(path)
    try:
        its_places = _lay_out(short, n_stamps, head_bytes, settings, encoding)
        kept, n_kept = its_places.get(_PIXELS, (0, 0, 0))[0], n_stamps * places[_PIXELS][2]
        if kept != places[_PIXELS][0]:
            kept = n_kept = 0
        with path.open("r+b") as file, short.open("rb") as other:
            head = bytearray(other.read(kept))  # what lies before the pixels, and behind them
            other.seek(kept + n_kept)
            tail = bytearray(other.read())
            for name, (place, _, row_bytes) in its_places.items():
                part, at = (head, place) if place < kept else (tail, place - kept - n_kept)
                if name != _PIXELS or not kept:
                    file.seek(places[name][0])
                    rows = file.read(n_stamps * row_bytes)
                    part[at : at + len(rows)] = rows
            file.seek(0)
            file.write(head)
            file.seek(kept + n_kept)
            file.write(tail)
            file.truncate()
    finally:
        short.unlink(missing_ok=True)


def _lay_out(
    path: Path, n_stamps: int, head_bytes: int, settings: Mapping[str, Any],
    encoding: Mapping[str, Any],
) -> dict[str, tuple[int, str, int]]:  # fmt: skip
    """Write the attributes and make room for the datasets, for pixels behind `head_bytes`.

    Return {dataset: (its first byte in the file, dtype, bytes of a row)}; none without stamps.
    """
    places = {}
    bands, side = len(settings["bands"]), settings["stamp_pixels"]
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    # Every row is written or cut off: filling the room with zeros first would cost as much.
    early.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    early.set_obj_track_times(False)  # the same stamps are the same bytes at any time
    datasets = stamp_datasets(bands, side, encoding["encoding"])
    pixels = datasets.pop(_PIXELS)
    pixel_bytes = n_stamps * _row_bytes(*pixels)
    with path.open("wb") as room:  # HDF5 must not be the first to find the disk full
        room.write(bytes(_LAYOUT_BYTES))
        room.truncate(head_bytes + pixel_bytes)
    # Pixels alone are as large as this, for a stamp has four a side at least; few lie anywhere.
    large = max(pixel_bytes, _LAYOUT_BYTES)
    aligned = {"alignment_threshold": large, "alignment_interval": head_bytes}
    with h5py.File(path, "w", **aligned) as file:
        file.attrs["schema"] = STAMP_SCHEMA
        file.attrs["unit"] = STAMP_UNIT
        file.attrs["bands"] = list(settings["bands"])
        file.attrs["pixel_scale_arcsec"] = float(stamp_scale_arcsec(settings))
        for name, value in encoding.items():
            file.attrs[name] = value
        for name, (dtype, entry) in {**datasets, _PIXELS: pixels}.items():
            space = h5py.h5s.create_simple((n_stamps, *entry))
            kind = h5py.h5t.py_create(np.dtype(dtype))
            made = h5py.h5d.create(file.id, name.encode(), kind, space, early)
            if n_stamps:
                places[name] = (int(made.get_offset()), dtype, _row_bytes(dtype, entry))
    return places
