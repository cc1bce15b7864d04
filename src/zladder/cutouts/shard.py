"""Writing a shard: field after field into contiguous datasets, never all pixels in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

from zladder.cutouts.layout import room_for, write_rows
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.cutouts import block_rows
from zladder.tables.stamp_pixels import encode_pixels, pixel_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np


def write_stamps(
    path: Path,
    fields: Iterable[Mapping[str, np.ndarray]],
    n_most: int,
    settings: Mapping[str, Any],
) -> int:
    """Write the stamps of each field as it comes, encoded; return how many there are.

    Parameters
    ----------
    path
        The HDF5 file.
    fields
        Datasets of a field's stamps (`stamp_datasets`), all of the same length; their pixels in
        nanomaggies, such as the encoding holds (`holdable`).
    n_most
        Stamps that room is made for; the file ends with the last one written.
    settings
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`, and what `pixel_attributes` reads.

    Raises
    ------
    BadInput
        No room on the disk.
    """
    encoding = pixel_attributes(settings)
    encoded = (
        {name: encode_pixels(values, encoding) if name == "flux" else values
         for name, values in field.items()}
        for field in fields
    )  # fmt: skip
    with room_for(path):
        end = write_rows(path, encoded, n_most, settings, encoding)
        if end < n_most:
            _shorten(path, end, settings, encoding)
    return end


def _shorten(
    path: Path, n_stamps: int, settings: Mapping[str, Any], encoding: Mapping[str, Any]
) -> None:
    """Copy the first stamps into a file of their number: no dataset can shrink."""
    step = block_rows(len(settings["bands"]), settings["stamp_pixels"])
    with whole_or_nothing([path]) as [short], h5py.File(path, "r") as long:
        blocks = (
            {name: item[k : min(k + step, n_stamps)] for name, item in long.items()}
            for k in range(0, n_stamps, step)
        )
        write_rows(short, blocks, n_stamps, settings, encoding)
