"""The stamps of the galaxies of an index, looked up in their shards by place.

Shards are contiguous: galaxies that lie side by side are read as one piece of the file, without
HDF5 (`learning.pieces`). Indexing an HDF5 dataset by a list of rows is many times slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd
import torch

from zladder.learning.decoding import decoding_of
from zladder.learning.pieces import Pieces
from zladder.learning.pixels import dereddening
from zladder.provenance.errors import BadInput, nearest_hint
from zladder.tables.stamp_files import WHITE_NOISE, describe_stamps, stamp_noise
from zladder.tables.stamp_pixels import ENCODINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from zladder.learning.decoding import Decoding
    from zladder.tables.stamp_files import StampFile

CPU = torch.device("cpu")
_BLOCK_ROWS = 512  # of what is only looked through: bounds its memory


@dataclass(frozen=True)
class Stamps:
    """Stamps as they were cut: nothing de-reddened, nothing scaled.

    Attributes
    ----------
    flux
        nanomaggies, float32, shape (N, B, S, S); y before x.
    dereddening
        What takes the catalogue's Galactic extinction out of the flux, float32, shape (N, B).
    stored
        The pixels as the file has them, shape (N, B, S, S); None where nobody asks.
    """

    flux: torch.Tensor
    dereddening: torch.Tensor
    stored: torch.Tensor | None = None


@dataclass(frozen=True)
class StampRows:
    """Where the stamps of N galaxies lie, and what is known of them without their pixels.

    Attributes
    ----------
    shards
        The files, in the order of their names.
    shard, row
        Of each galaxy: number of its file and row there, int64 (N,).
    dereddening
        As of `Stamps`, of the bands wanted. Of all galaxies at once: the last bits of a power
        depend on how many are taken together.
    bands
        Those wanted, in the order wanted.
    columns
        Their places among the bands of the files.
    decoding
        What their stored pixels stand for.
    noise_correlation
        Of their sky, averaged over the galaxies, float64 (4, 4): `stamp_noise`.
    """

    shards: tuple[StampFile, ...]
    shard: np.ndarray
    row: np.ndarray
    dereddening: torch.Tensor
    bands: tuple[str, ...]
    columns: tuple[int, ...]
    decoding: Decoding
    noise_correlation: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    @property
    def stamp_pixels(self) -> int:
        """Side S of every stamp."""
        return self.shards[0].stamp_pixels

    @property
    def pixel_bytes(self) -> int:
        """What a stored pixel of one band takes."""
        return np.dtype(ENCODINGS[self.shards[0].encoding]).itemsize

    @property
    def row_bytes(self) -> int:
        """What the pixels of one galaxy take as they are stored, in all bands of the file."""
        return len(self.shards[0].bands) * self.stamp_pixels**2 * self.pixel_bytes

    def in_files(self) -> np.ndarray:
        """Return the galaxies in the order in which they lie in the files, int64 (N,)."""
        return np.lexsort((self.row, self.shard))


def find_stamps(files: Mapping[str, Path], index: pd.DataFrame, bands: Sequence[str]) -> StampRows:
    """Return where the stamps of the galaxies of an index lie; no pixel is read.

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
        at a row, and extinctions that are not finite.
    """
    described = _describe(files, index)
    first = next(iter(described.values()))
    codes, names = pd.factorize(index["shard"].astype(str), sort=True)
    row = index["row"].to_numpy(dtype=np.int64)
    ids = index["object_id"].to_numpy(dtype=np.int64) if "object_id" in index.columns else None
    extinction = np.empty((len(index), len(bands)), dtype=np.float32)
    columns = _band_places(first, bands)
    noise = np.zeros_like(WHITE_NOISE)
    for name, stamps in described.items():
        _require_alike(first, stamps)
        places = np.flatnonzero(codes == names.get_loc(name))
        _require_rows(stamps, row[places])
        with h5py.File(stamps.path, "r") as file:
            _require_galaxies(stamps, file, row[places], None if ids is None else ids[places])
            stored = file["extinction_mag"][()]
        extinction[places] = stored[row[places]][:, columns]
        require_finite(stamps, row[places], extinction[places], "an extinction", bands)
        noise += len(places) * stamp_noise(stamps.path)
    shards = tuple(described[name] for name in names)
    return StampRows(
        shards, np.asarray(codes, dtype=np.int64), row, dereddening(torch.from_numpy(extinction)),
        tuple(bands), tuple(columns), decoding_of(shards, columns),
        noise / len(index),
    )  # fmt: skip


def stamp_blocks(
    rows: StampRows, paths: tuple[Path, ...] | None = None
) -> Iterator[tuple[np.ndarray, Stamps]]:
    """Yield (galaxies, their stamps) in blocks, every galaxy once, from front to back of the files.

    `paths` are copies of the shards to read instead of them.

    Raises
    ------
    BadInput
        For pixels that are not finite, and a file that has become shorter.
    """
    order = rows.in_files()
    with Pieces(rows, paths) as pieces:
        for start in range(0, len(order), _BLOCK_ROWS):
            places = order[start : start + _BLOCK_ROWS]
            stamps = stamps_at(rows, pieces.read(places), places)
            _require_finite_pixels(rows, places, stamps.flux)
            yield places, stamps


def stamps_at(
    rows: StampRows, stored: np.ndarray, places: np.ndarray, device: torch.device = CPU
) -> Stamps:
    """Return the stamps of galaxies (n,) on a device.

    `stored` are their pixels as the files have them, (n, all bands of the file, S, S).
    """
    pixels = torch.from_numpy(stored).to(device)
    if rows.columns != tuple(range(pixels.shape[1])):
        pixels = pixels[:, list(rows.columns)]
    flux = rows.decoding.decoded(pixels, torch.from_numpy(rows.shard[places]))
    return Stamps(flux, rows.dereddening[torch.from_numpy(places)].to(device), pixels)


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


def _require_alike(first: StampFile, other: StampFile) -> None:
    for name in ("stamp_pixels", "pixel_scale_arcsec", "bands", "encoding"):
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


def _require_finite_pixels(rows: StampRows, places: np.ndarray, flux: torch.Tensor) -> None:
    sums = flux.sum(dim=(2, 3)).numpy()  # finite where all pixels are
    if np.isfinite(sums).all():
        return
    for number, stamps in enumerate(rows.shards):
        mine = rows.shard[places] == number
        require_finite(stamps, rows.row[places[mine]], sums[mine], "finite pixels", rows.bands)


def require_finite(
    stamps: StampFile, rows: np.ndarray, values: np.ndarray, expected: str, bands: Sequence[str]
) -> None:
    """Refuse values (n, B) of which one is not finite, with its row and band."""
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, band = (int(part) for part in np.argwhere(wrong)[0])
        raise BadInput(stamps.path, f"row {rows[row]} (from 0), band {bands[band]}", expected,
                       f"NaN or infinity ({int(wrong.any(axis=1).sum())} such stamps)",
                       "cut the stamps again: the stage cutouts writes none like this")  # fmt: skip
