"""The pixels of an image dataset in numbers: as cut, as a network sees them, and their flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd

from zladder.metrics.normal import NMAD_FACTOR
from zladder.provenance.errors import BadInput
from zladder.report.pixel_shares import ShownPixels
from zladder.report.shown_stamps import AGAIN
from zladder.tables.stamp_files import STAMP_FLAGS, describe_stamps, stamp_column
from zladder.tables.stamp_pixels import code_scale, decode_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from zladder.tables.stamp_files import StampFile

N_BLOCKS, BLOCK_ROWS = 16, 25  # of each dataset: 400 stamps, read in pieces of the files
WIDEST_BLOCK = 400  # rows of a file: of a dataset that leaves most of them out, fewer are shown
PERCENTS = (0.0, 0.1, 1.0, 16.0, 50.0, 84.0, 99.0, 99.9, 100.0)
PIXELS = ("band", "what", "n_stamps", *[f"p{percent:g}" for percent in PERCENTS])
FLAGGED = ("band", "flag", "n", "n_flagged")
ANY_BAND = "any"
AS_CUT, SEEN = "as cut (nmgy)", "as seen"
SOFTENING_SIGMAS = 2.0  # of the sky: as learning.pixels, which needs torch; a test holds both alike


@dataclass(frozen=True)
class Pixels:
    """The stamps of some galaxies, all in the same bands.

    Attributes
    ----------
    flux_nmgy
        As they were cut and stored, decoded, float32 (N, B, S, S).
    extinction_mag
        Of the Milky Way, float32 (N, B).
    bands
        Their names, B of them.
    code_scale
        Softening (nmgy) and step of the codes that they are stored as, float64 (2, N, B).
    """

    flux_nmgy: np.ndarray
    extinction_mag: np.ndarray
    bands: tuple[str, ...]
    code_scale: np.ndarray


def sample_pixels(shards: Sequence[Path], dataset: pd.DataFrame) -> Pixels:
    """Return the stamps of a dataset in some blocks of rows, spread evenly over its shards.

    Every block is one piece of a file, so that memory and time do not grow with the dataset; which
    rows are read depends on nothing but which there are.

    Parameters
    ----------
    shards
        Stamp files; SAMPLE/SHARD.h5 is the shard ``SAMPLE/SHARD``.
    dataset
        ``shard row`` of an image dataset; N >= 1 rows.

    Raises
    ------
    BadInput
        If a shard that the dataset names is missing, is no stamp file, or has other bands or
        another size than the first; if a pixel or an extinction is not finite.
    """
    found = shards_of(shards, dataset)
    if not found:
        raise BadInput("the dataset", "column shard", "galaxies with stamps", "none", AGAIN)
    bands, side = found[0][0].bands, found[0][0].stamp_pixels
    flux, extinction, scales = [], [], []
    for (about, rows), blocks in zip(found, _blocks([len(rows) for _, rows in found]), strict=True):
        if (about.bands, about.stamp_pixels) != (bands, side):
            expected, there = f"{bands}, {side}", f"{about.bands}, {about.stamp_pixels}"
            raise BadInput(about.path, "bands and size of the stamps", expected, there, AGAIN)
        with h5py.File(about.path) as file:
            for start, stop in blocks:
                first = rows[start]
                here = rows[start:stop] - first
                here = here[here < WIDEST_BLOCK]
                piece = slice(first, first + here[-1] + 1)
                flux.append(decode_pixels(file["flux"][piece][here], file.attrs))
                extinction.append(file["extinction_mag"][piece][here])
                scale = code_scale(file.attrs, len(bands))[:, None]
                scales.append(np.repeat(scale, len(here), axis=1))
                _require_finite(about.path, first + here, flux[-1], extinction[-1])
    scale = np.concatenate(scales, axis=1)
    return Pixels(np.concatenate(flux), np.concatenate(extinction), bands, scale)


def _require_finite(path: Path, rows: np.ndarray, flux: np.ndarray, extinction: np.ndarray) -> None:
    """Refuse stamps (n, B, S, S) and extinctions (n, B) that hold something else than numbers."""
    good = np.isfinite(flux).all(axis=(1, 2, 3)) & np.isfinite(extinction).all(axis=1)
    if not good.all():
        row = int(rows[int(np.argmin(good))])
        raise BadInput(path, f"row {row} (from 0)", "finite pixels and extinctions",
                       f"NaN or infinity ({int((~good).sum())} such stamps)", AGAIN)  # fmt: skip


def _blocks(n_rows: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Return, for each shard, which of its rows in the dataset make a block: (first, end).

    They are spread evenly over the shards laid end to end, and no two share a row; a shard may
    have none. Of few rows none is left out.
    """
    ends = np.cumsum(n_rows)
    if ends[-1] <= N_BLOCKS * BLOCK_ROWS:
        return [
            [(start, min(start + BLOCK_ROWS, n)) for start in range(0, n, BLOCK_ROWS)]
            for n in n_rows
        ]
    blocks: list[list[tuple[int, int]]] = [[] for _ in n_rows]
    for place in np.linspace(0, ends[-1] - BLOCK_ROWS, N_BLOCKS).astype(np.int64):
        shard = int(np.searchsorted(ends, place, side="right"))
        start = int(place - ends[shard] + n_rows[shard])
        blocks[shard].append((start, min(start + BLOCK_ROWS, n_rows[shard])))
    return blocks


def shards_of(shards: Sequence[Path], dataset: pd.DataFrame) -> list[tuple[StampFile, np.ndarray]]:
    """Return (what it is, its sorted rows, int64) of each shard that a dataset names.

    Raises
    ------
    BadInput
        If a shard is missing or no stamp file, or ends before a row of the dataset.
    """
    files = {f"{path.parent.name}/{path.stem}": path for path in shards}
    found = []
    for shard, rows in dataset.groupby("shard", sort=True)["row"]:
        if shard not in files:
            raise BadInput("the dataset", "column shard", f"one of {', '.join(files)}",
                           str(shard), AGAIN)  # fmt: skip
        about = describe_stamps(files[str(shard)])
        wanted = np.sort(rows.to_numpy(dtype=np.int64))
        if wanted[0] < 0 or wanted[-1] >= about.n_stamps:
            odd = wanted[0] if wanted[0] < 0 else wanted[-1]
            raise BadInput(about.path, f"row {odd} (from 0)", f"one of {about.n_stamps} rows",
                           "a row beyond the end", AGAIN)  # fmt: skip
        found.append((about, wanted))
    return found


def count_flags(shards: Sequence[Path], dataset: pd.DataFrame) -> pd.DataFrame:
    """Return how many stamps of a dataset carry each flag, in each band and in any (`FLAGGED`).

    Parameters
    ----------
    shards, dataset
        As of `sample_pixels`.

    Raises
    ------
    BadInput
        If a shard is missing or no stamp file, or ends before a row of the dataset.
    """
    bands: list[str] = []
    totals: dict[tuple[str, str], int] = {}
    for about, rows in shards_of(shards, dataset):
        flags = stamp_column(about.path, "flags")[rows]  # (n, B)
        columns = dict(zip(about.bands, flags.T, strict=True))
        columns[ANY_BAND] = np.bitwise_or.reduce(flags, axis=1)
        bands += [band for band in about.bands if band not in bands]
        for band, values in columns.items():
            for flag, bit in STAMP_FLAGS.items():
                found = int(np.count_nonzero(values & np.uint32(1 << bit)))
                totals[band, flag] = totals.get((band, flag), 0) + found
    return pd.DataFrame(
        [(band, flag, len(dataset), totals.get((band, flag), 0))
         for band in (*bands, ANY_BAND) for flag in STAMP_FLAGS],
        columns=list(FLAGGED),
    )  # fmt: skip


def as_seen(pixels: Pixels, crop_pixels: int, stretch: str) -> ShownPixels:
    """Return the centre crops, (N, B, C, C), as a network sees them.

    stretch(flux 10^(0.4 A) / softening): dust taken out, in units of twice the noise of the sky
    (the median over these stamps of the scatter at their borders), without augmentation. A
    training takes the softening of its own galaxies instead of these.
    """
    clear = 10 ** (0.4 * pixels.extinction_mag.astype(np.float64))  # (N, B)
    softening = SOFTENING_SIGMAS * _lower_median((border_sigma(pixels.flux_nmgy) * clear).T)
    softening = np.where(softening > 0, softening, 1.0)  # an empty border: no training takes these
    start = pixels.flux_nmgy.shape[-1] // 2 - crop_pixels // 2
    window = slice(start, start + crop_pixels)
    factor = (clear / softening).astype(np.float32)
    crops = pixels.flux_nmgy[:, :, window, window]
    return ShownPixels(crops, pixels.code_scale, factor, STRETCHES[stretch])


def border_sigma(flux: np.ndarray) -> np.ndarray:
    """Return the scatter of the two outermost rings of pixels, (N, B): 1.4826 times their MAD."""
    rows, columns = flux[..., [0, 1, -2, -1], :], flux[..., 2:-2, [0, 1, -2, -1]]
    ring = np.concatenate([part.reshape(*flux.shape[:2], -1) for part in (rows, columns)], axis=2)
    ring = np.abs(ring - _lower_median(ring)[..., None])
    return NMAD_FACTOR * _lower_median(ring)


def _lower_median(values: np.ndarray) -> np.ndarray:
    """Return the middle of the last axis, of two the lower one: as PyTorch does."""
    place = (values.shape[-1] - 1) // 2
    return np.partition(values, place, axis=-1)[..., place]


def _sqrt(x: np.ndarray) -> np.ndarray:
    return np.copysign(np.sqrt(np.abs(x) + 1) - 1, x)


STRETCHES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"sqrt": _sqrt, "asinh": np.arcsinh}


def pixel_quantiles(pixels: Pixels, seen: Mapping[str, ShownPixels]) -> pd.DataFrame:
    """Return the quantiles of the pixels' values in each band, a row each (`PIXELS`).

    Parameters
    ----------
    pixels
        As cut: N stamps.
    seen
        {what it is called: pixels as they are shown}.
    """
    rows: list[tuple[Any, ...]] = []
    values_of = {what: shown.values for what, shown in seen.items()}
    for what, values in {AS_CUT: pixels.flux_nmgy, **values_of}.items():
        for place, band in enumerate(pixels.bands):
            found = np.percentile(values[:, place], PERCENTS)
            rows.append((band, what, len(values), *map(float, found)))
    return pd.DataFrame(rows, columns=list(PIXELS))
