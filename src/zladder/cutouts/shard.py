"""Writing a shard: field after field into contiguous datasets, never all pixels in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.stamp_files import STAMP_SCHEMA, STAMP_UNIT, stamp_datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np

_BLOCK_ROWS = 1024


def write_stamps(
    path: Path,
    fields: Iterable[Mapping[str, np.ndarray]],
    n_most: int,
    settings: Mapping[str, Any],
) -> int:
    """Write the stamps of each field as it comes; return how many there are.

    Parameters
    ----------
    path
        The HDF5 file.
    fields
        Datasets of a field's stamps (`stamp_datasets`), all of the same length.
    n_most
        Stamps that room is made for; the file ends with the last one written.
    settings
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`.
    """
    end = 0
    with h5py.File(path, "w") as file:
        _prepare(file, n_most, settings)
        for stamps in fields:
            start, end = end, end + len(stamps["object_id"])
            for name, values in stamps.items():
                file[name][start:end] = values
    if end < n_most:
        _shorten(path, end, settings)
    return end


def _prepare(file: h5py.File, n_stamps: int, settings: Mapping[str, Any]) -> None:
    """Write the attributes and make room for the datasets, without chunks."""
    file.attrs["schema"] = STAMP_SCHEMA
    file.attrs["unit"] = STAMP_UNIT
    file.attrs["bands"] = list(settings["bands"])
    file.attrs["pixel_scale_arcsec"] = float(settings["pixel_scale_arcsec"])
    described = stamp_datasets(len(settings["bands"]), settings["stamp_pixels"])
    for name, (dtype, entry) in described.items():
        # Every row is written or cut off: filling the room with zeros first would cost as much.
        file.create_dataset(name, (n_stamps, *entry), dtype, fill_time="never")


def _shorten(path: Path, n_stamps: int, settings: Mapping[str, Any]) -> None:
    """Copy the first stamps into a file of their number: contiguous datasets cannot shrink."""
    with (
        whole_or_nothing([path]) as [short],
        h5py.File(path, "r") as long,
        h5py.File(short, "w") as file,
    ):
        _prepare(file, n_stamps, settings)
        for name in file:
            for start in range(0, n_stamps, _BLOCK_ROWS):
                rows = slice(start, min(start + _BLOCK_ROWS, n_stamps))
                file[name][rows] = long[name][rows]
