"""The file of a shard: laid out by HDF5, filled row by row in place.

Writing to the places of the rows is as fast as the disk, and a full disk is an error like any
other: in the HDF5 library it ends the process.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from zladder.provenance.errors import PassingBadInput
from zladder.tables.stamp_files import STAMP_SCHEMA, STAMP_UNIT, stamp_datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_LAYOUT_BYTES = 1 << 16  # what HDF5 itself writes, and more
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
        Stamps that room is made for, without chunks.
    settings
        `bands`, `stamp_pixels`, and what `stamp_scale_arcsec` reads.
    encoding
        Attributes that pixels are encoded by.

    Returns
    -------
    int
        How many stamps there were.
    """
    path.write_bytes(bytes(_LAYOUT_BYTES))  # HDF5 must not be the first to find the disk full
    places, end = _lay_out(path, n_most, settings, encoding), 0
    with path.open("r+b") as file:
        for block in blocks:
            start, end = end, end + len(block["object_id"])
            for name, values in block.items() if end > start else ():
                place, dtype, row_bytes = places[name]
                file.seek(place + start * row_bytes)
                file.write(np.ascontiguousarray(values, dtype).data)
    return end


def _lay_out(
    path: Path, n_stamps: int, settings: Mapping[str, Any], encoding: Mapping[str, Any]
) -> dict[str, tuple[int, str, int]]:
    """Write the attributes and make room for the datasets.

    Return {dataset: (its first byte in the file, dtype, bytes of a row)}; none without stamps.
    """
    places = {}
    bands, side = len(settings["bands"]), settings["stamp_pixels"]
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    # Every row is written or cut off: filling the room with zeros first would cost as much.
    early.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    early.set_obj_track_times(False)  # the same stamps are the same bytes at any time
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = STAMP_SCHEMA
        file.attrs["unit"] = STAMP_UNIT
        file.attrs["bands"] = list(settings["bands"])
        file.attrs["pixel_scale_arcsec"] = float(stamp_scale_arcsec(settings))
        for name, value in encoding.items():
            file.attrs[name] = value
        for name, (dtype, entry) in stamp_datasets(bands, side, encoding["encoding"]).items():
            space = h5py.h5s.create_simple((n_stamps, *entry))
            kind = h5py.h5t.py_create(np.dtype(dtype))
            made = h5py.h5d.create(file.id, name.encode(), kind, space, early)
            if n_stamps:
                row_bytes = int(np.prod(entry, dtype=np.int64)) * np.dtype(dtype).itemsize
                places[name] = (int(made.get_offset()), dtype, row_bytes)
    return places
