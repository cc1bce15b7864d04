"""Published images of a sample's galaxies: which rows of which file a shard takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.galaxies import require_one_row
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_numbers, require_positions
from zladder.tables.cutouts import Told, centre
from zladder.tables.hdf5_cutouts import LAYOUTS, open_hdf5
from zladder.tables.names import column_names
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.tables.cutouts import Cutouts

NO_GALAXY = -1


@dataclass(frozen=True)
class Published:
    """One file of published images, and what its rows are.

    Attributes
    ----------
    images
        The file, opened.
    galaxy
        Row of the sample's table of each of its N images, int64 (N,); `NO_GALAXY` if not in it.
    rows
        Those that a shard takes: a contiguous stretch.
    """

    images: Cutouts
    galaxy: np.ndarray
    rows: slice


def told_of(settings: Mapping[str, Any]) -> Told:
    """Return what the survey says of its published images."""
    scale, zero_point = settings["pixel_scale_arcsec"], settings["zero_point_mag"]
    return Told(tuple(settings["bands"]), scale, zero_point)


def read_imaged(sample: Path, bands: Sequence[str]) -> pd.DataFrame:
    """Return the galaxies of a sample, sorted by identifier.

    Returns
    -------
    pandas.DataFrame
        `object_id, ra, dec` (deg); where the sample has them `ebv_mag`, `extinction_{band}` and
        `psf_fwhm_arcsec_{band}`.

    Raises
    ------
    BadInput
        A missing column or position, or a galaxy twice.
    """
    families = ("extinction", "psf_fwhm_arcsec")
    beside = ["ebv_mag", *(f"{family}_{band}" for family in families for band in bands)]
    there = column_names(sample, "parquet")
    numbers = ["ra", "dec", *(name for name in beside if name in there)]
    frame = read_table(sample, "parquet", ["object_id", *numbers])
    frame = require_numbers(frame, numbers, sample)
    require_one_row(frame, sample)
    require_positions(frame, sample)
    return frame.sort_values("object_id").reset_index(drop=True)


def middle_offsets(sides: tuple[int, int], stamp_pixels: int) -> tuple[float, float]:
    """Return the middle of an image minus that of its central pixels, (x, y) in pixels.

    Half a pixel where one of both sides (rows, columns) is odd and the other even, else 0.
    """
    y, x = ((side - stamp_pixels) / 2 - centre(side, stamp_pixels).start for side in sides)
    return x, y


def open_published(
    files: Sequence[Path], galaxies: pd.DataFrame, shard: int, settings: Mapping[str, Any]
) -> list[Published]:
    """Return the files with the rows that a shard takes: of each its stretch of N / n_shards.

    Stretches begin where chunks of the file do, and no chunk is unpacked twice (`central_blocks`).
    Of a file with fewer rows of chunks than there are shards some shards take nothing.

    Raises
    ------
    BadInput
        As `open_hdf5`; images smaller than a stamp; a galaxy with two images.
    """
    told, layout = told_of(settings), settings["layout"]
    opened = [open_hdf5(path, told, layout) for path in files]
    for images in opened:
        _require_room(images, layout, settings["stamp_pixels"])
    _require_one_image(opened, LAYOUTS[layout].object_id)
    known = galaxies["object_id"].to_numpy(np.int64)
    found = []
    for images in opened:
        ids = images.objects["object_id"].to_numpy(np.int64)
        first, end = (_bound(images, shard + k, settings["n_shards"]) for k in (0, 1))
        found.append(Published(images, _places(known, ids), slice(first, end)))
    return found


def _bound(images: Cutouts, number: int, n_shards: int) -> int:
    """Return the row at which a shard begins, the beginning of a chunk; at last the end."""
    n = len(images.objects)
    if number == n_shards:
        return n
    return n * number // n_shards // images.chunk_rows * images.chunk_rows


def _places(known: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return where each identifier stands among the known ones, which are sorted."""
    if len(known) == 0:
        return np.full(len(ids), NO_GALAXY)
    places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[places] == ids, places, NO_GALAXY)


def _require_room(images: Cutouts, layout: str, stamp_pixels: int) -> None:
    if min(images.sides) < stamp_pixels:
        found = f"{images.sides[0]} x {images.sides[1]}"
        raise BadInput(images.path, f"dataset '{LAYOUTS[layout].images}'",
                       f"images of at least {stamp_pixels} x {stamp_pixels} pixels", found,
                       "lower cutouts.stamp_pixels")  # fmt: skip


def _require_one_image(opened: Sequence[Cutouts], name: str) -> None:
    """Refuse a second image of a galaxy, in one file or in two."""
    ids = np.concatenate([images.objects["object_id"].to_numpy(np.int64) for images in opened])
    order = np.argsort(ids, kind="stable")
    again = order[1:][ids[order[1:]] == ids[order[:-1]]]
    if again.size == 0:
        return
    row = first = int(again.min())
    for images in opened:
        if row < len(images.objects):
            break
        row -= len(images.objects)
    raise BadInput(images.path, f"dataset '{name}', row {row} (from 0)", "one image a galaxy",
                   f"{ids[first]} a second time ({again.size} such rows)",
                   "take the doubled rows out of the file")  # fmt: skip
