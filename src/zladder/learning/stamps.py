"""Stamps in memory: the pixels of the galaxies of an index, in its order.

Shards are contiguous: they are read from front to back in blocks of rows. Indexing an HDF5 dataset
by a list of rows would be some fifty times slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from zladder.provenance.errors import BadInput, nearest_hint
from zladder.tables.stamp_files import describe_stamps
from zladder.tables.stamp_pixels import decode_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.tables.stamp_files import StampFile

_BLOCK_ROWS = 512


@dataclass(frozen=True)
class Stamps:
    """Stamps as they were cut: nothing de-reddened, nothing scaled.

    Attributes
    ----------
    flux
        nanomaggies, float32, shape (N, B, S, S); y before x.
    extinction_mag
        The catalogue's Galactic extinction, float32, shape (N, B).
    """

    flux: torch.Tensor
    extinction_mag: torch.Tensor


def load_stamps(files: Mapping[str, Path], index: pd.DataFrame, bands: Sequence[str]) -> Stamps:
    """Return the stamps of the galaxies of an index.

    Parameters
    ----------
    files
        {shard: file} for every shard that the index names.
    index
        `shard`, `row`; where it has `object_id`, that must be the one stored at the row.
    bands
        The bands wanted, in the order wanted.

    Raises
    ------
    BadInput
        An index without rows, a shard that is not among the files, a file that is no stamp shard
        or lacks a band, shards of different sizes or scales, a row beyond the end, another galaxy
        at a row, and pixels or extinctions that are not finite.
    """
    described = _describe(files, index)
    first = described[next(iter(described))]
    shape = (len(index), len(bands), first.stamp_pixels, first.stamp_pixels)
    flux = np.empty(shape, dtype=np.float32)
    extinction = np.empty(shape[:2], dtype=np.float32)
    shards, rows = index["shard"].to_numpy(), index["row"].to_numpy(dtype=np.int64)
    ids = index["object_id"].to_numpy(dtype=np.int64) if "object_id" in index.columns else None
    for shard, stamps in described.items():
        _require_alike(first, stamps)
        columns = _band_places(stamps, bands)
        places = np.flatnonzero(shards == shard)
        _require_rows(stamps, rows[places])
        with h5py.File(stamps.path, "r") as file:
            _require_galaxies(stamps, file, rows[places], None if ids is None else ids[places])
            extinction[places] = file["extinction_mag"][()][rows[places]][:, columns]
            for chosen, block in _blocks(file["flux"], rows[places]):
                flux[places[chosen]] = decode_pixels(block[:, columns], file.attrs, columns)
        _require_finite(stamps, rows[places], extinction[places], "an extinction", bands)
        _require_finite(stamps, rows[places], _sums(flux, places), "finite pixels", bands)
    return Stamps(torch.from_numpy(flux), torch.from_numpy(extinction))


def _describe(files: Mapping[str, Path], index: pd.DataFrame) -> dict[str, StampFile]:
    """Return {shard: what its file holds} for the shards of an index."""
    if len(index) == 0:
        raise BadInput("the image dataset", "rows", "at least one galaxy", "none",
                       "use a larger sample, or a larger label fraction")  # fmt: skip
    names = [str(name) for name in index["shard"].unique()]
    for name in names:
        if name not in files:
            found = ", ".join(map(str, files)) or "none"
            hint = nearest_hint(name, files, "build the image dataset again")
            raise BadInput("the image dataset", f"shard '{name}'", "a file of this shard",
                           f"files of {found}", hint)  # fmt: skip
    return {name: describe_stamps(files[name]) for name in names}


def _band_places(stamps: StampFile, bands: Sequence[str]) -> list[int]:
    missing = [band for band in bands if band not in stamps.bands]
    if missing:
        raise BadInput(stamps.path, "attribute 'bands'", f"bands {', '.join(bands)}",
                       f"{', '.join(stamps.bands)} (no {', '.join(missing)})",
                       "take stamps of the bands that the network was made for")  # fmt: skip
    return [stamps.bands.index(band) for band in bands]


def _blocks(flux: h5py.Dataset, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (places in `rows`, their stamps (n, B, S, S)), front to back.

    Every block is read as one piece of the file, from its first to its last row that is wanted.
    """
    order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    start = 0
    while start < len(order):
        first = sorted_rows[start]
        end = int(np.searchsorted(sorted_rows, first + _BLOCK_ROWS))
        whole = flux[first : sorted_rows[end - 1] + 1]
        yield order[start:end], whole[sorted_rows[start:end] - first]
        start = end


def _sums(flux: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return sums over pixels, (n, B): finite where all pixels are. Block by block."""
    parts = [
        flux[places[start : start + _BLOCK_ROWS]].sum(axis=(2, 3))
        for start in range(0, len(places), _BLOCK_ROWS)
    ]
    return np.concatenate(parts)


def _require_alike(first: StampFile, other: StampFile) -> None:
    for name in ("stamp_pixels", "pixel_scale_arcsec"):
        wanted, found = getattr(first, name), getattr(other, name)
        if wanted != found:
            raise BadInput(other.path, name, f"{wanted}, as in {first.path}", f"{found}",
                           "cut all stamps of a dataset alike")  # fmt: skip


def _require_rows(stamps: StampFile, rows: np.ndarray) -> None:
    beyond = (rows < 0) | (rows >= stamps.n_stamps)
    if beyond.any():
        raise BadInput(stamps.path, f"row {rows[int(np.argmax(beyond))]} (from 0)",
                       f"one of {stamps.n_stamps} rows", f"{int(beyond.sum())} rows beyond the end",
                       "build the image dataset of these very shards again")  # fmt: skip


def _require_galaxies(
    stamps: StampFile, file: h5py.File, rows: np.ndarray, ids: np.ndarray | None
) -> None:
    if ids is None:
        return
    stored = file["object_id"][()][rows]
    if not np.array_equal(stored, ids):
        wrong = int(np.argmax(stored != ids))
        raise BadInput(stamps.path, f"object_id, row {rows[wrong]} (from 0)", f"{ids[wrong]}",
                       f"{stored[wrong]} ({int((stored != ids).sum())} such rows)",
                       "build the image dataset of these very shards again")  # fmt: skip


def _require_finite(
    stamps: StampFile, rows: np.ndarray, values: np.ndarray, expected: str, bands: Sequence[str]
) -> None:
    """Refuse values (n, B) of which one is not finite, with its row and band."""
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, band = (int(part) for part in np.argwhere(wrong)[0])
        raise BadInput(stamps.path, f"row {rows[row]} (from 0), band {bands[band]}", expected,
                       f"NaN or infinity ({int(wrong.any(axis=1).sum())} such stamps)",
                       "cut the stamps again: the stage cutouts writes none like this")  # fmt: skip
