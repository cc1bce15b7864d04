"""Writing a shard: field after field into contiguous datasets, never all pixels in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from zladder.cutouts.layout import room_for, write_rows
from zladder.provenance.errors import BadInput
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.cutouts import block_rows
from zladder.tables.stamp_pixels import UnfitPixelsError, encode_pixels, pixel_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


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
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`, `encoding` (float32 if left out).

    Raises
    ------
    BadInput
        Pixels that the encoding does not hold (nothing is cut off), and no room on the disk.
    """
    with room_for(path):
        end = write_rows(path, fields, n_most, settings, {"encoding": "float32"})
        if end < n_most or settings.get("encoding", "float32") != "float32":
            _rewrite(path, end, settings)
    return end


def _rewrite(path: Path, n_stamps: int, settings: Mapping[str, Any]) -> None:
    """Copy the first stamps into a file of their number, encoded: no dataset can shrink.

    The range of an encoding is that of the pixels of the shard, which are known only at its end.
    """
    step = block_rows(len(settings["bands"]), settings["stamp_pixels"])
    blocks = [slice(k, min(k + step, n_stamps)) for k in range(0, n_stamps, step)]
    with whole_or_nothing([path]) as [short], h5py.File(path, "r") as long:
        encoding = _encoding(long, n_stamps, blocks, settings.get("encoding", "float32"))
        encoded = (
            {name: encode_pixels(item[rows], encoding) if name == "flux" else item[rows]
             for name, item in long.items()}
            for rows in blocks
        )  # fmt: skip
        write_rows(short, encoded, n_stamps, settings, encoding)


def _encoding(
    file: h5py.File, n_stamps: int, blocks: Sequence[slice], encoding: str
) -> dict[str, Any]:
    """Return the attributes that the pixels of a shard are encoded by."""
    n_bands = file["flux"].shape[1]
    if encoding == "float32":
        return {"encoding": encoding}
    low, high = np.full(n_bands, np.inf), np.full(n_bands, -np.inf)
    for rows in blocks:
        flux = file["flux"][rows]
        low, high = np.minimum(low, flux.min((0, 2, 3))), np.maximum(high, flux.max((0, 2, 3)))
    sigma = file["sky_sigma_nmgy"][:n_stamps].astype(np.float64)
    median = [np.median(known) if len(known) else np.nan for known in _known(sigma)]
    try:
        return pixel_attributes(encoding, low, high, np.array(median))
    except UnfitPixelsError as error:
        hint = "set cutouts.encoding to float32, which holds everything"
        raise BadInput("the stamps of this shard", "dataset 'flux'", f"pixels for {encoding}",
                       str(error), hint) from error  # fmt: skip


def _known(sigma: np.ndarray) -> list[np.ndarray]:
    """Return the noise of each band, (N, B), where it is known."""
    return [band[np.isfinite(band) & (band > 0)] for band in sigma.T]
