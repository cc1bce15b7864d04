"""Writing a shard: field after field into contiguous datasets, never all pixels in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.cutouts.layout import room_for, stamp_scale_arcsec, write_rows
from zladder.cutouts.resample import noise_correlation
from zladder.tables.stamp_files import NOISE_CORRELATION
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
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`, what `pixel_attributes` reads, and `grid`
        where it is known.

    Raises
    ------
    BadInput
        No room on the disk.
    """
    encoding = pixel_attributes(settings)
    if settings.get("grid") == "sky":
        ratio = stamp_scale_arcsec(settings) / settings["pixel_scale_arcsec"]
        encoding[NOISE_CORRELATION] = noise_correlation(ratio)
    encoded = (
        {name: encode_pixels(values, encoding) if name == "flux" else values
         for name, values in field.items()}
        for field in fields
    )  # fmt: skip
    with room_for(path):
        return write_rows(path, encoded, n_most, settings, encoding)
