"""The few stamps that a figure shows, read from the shards of the stage `cutouts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import describe_stamps
from zladder.tables.stamp_pixels import decode_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

AGAIN = "make the cutouts and the dataset again"


@dataclass(frozen=True)
class ShownStamps:
    """Stamps in the order that was asked for.

    Attributes
    ----------
    flux
        Nanomaggies, corrected for the dust of the Milky Way, float32 (N, B, S, S).
    sky_sigma_nmgy
        Median noise of a pixel over the stamps, corrected alike, float64 (B,).
    bands
        Their names, B of them.
    pixel_scale_arcsec
        Width of a pixel.
    """

    flux: np.ndarray
    sky_sigma_nmgy: np.ndarray
    bands: tuple[str, ...]
    pixel_scale_arcsec: float


def read_shown(shards: Sequence[Path], galaxies: pd.DataFrame) -> ShownStamps:
    """Return the stamps of a few dozen galaxies, one read each.

    Parameters
    ----------
    shards
        Stamp files; SAMPLE/SHARD.h5 is the shard ``SAMPLE/SHARD``.
    galaxies
        ``object_id shard row`` of an image dataset; N >= 1 rows.

    Raises
    ------
    BadInput
        If a shard is missing or no stamp file, if bands or sizes differ between shards, or if the
        stamp at a row is that of another galaxy.
    """
    files = {f"{path.parent.name}/{path.stem}": path for path in shards}
    flux: dict[int, np.ndarray] = {}
    sigma: dict[int, np.ndarray] = {}
    layouts: dict[tuple[tuple[str, ...], float, int], Path] = {}
    for shard, wanted in galaxies.reset_index(drop=True).groupby("shard", sort=False):
        about = describe_stamps(_known(files, str(shard)))
        layout = about.bands, about.pixel_scale_arcsec, about.stamp_pixels
        layouts.setdefault(layout, about.path)
        with h5py.File(about.path) as file:
            for place, (row, galaxy) in zip(
                wanted.index, wanted[["row", "object_id"]].to_numpy(), strict=True
            ):
                _require_same(file, about.path, int(row), int(galaxy))
                clear = 10 ** (0.4 * file["extinction_mag"][row].astype(np.float64))  # (B,)
                stored = file["flux"][row : row + 1]
                flux[place] = decode_pixels(stored, file.attrs)[0] * clear[:, None, None]
                sigma[place] = file["sky_sigma_nmgy"][row] * clear
    (bands, scale, _), *others = layouts
    if others:
        place_words = "bands, pixel scale and size of the stamps"
        raise BadInput(layouts[others[0]], place_words, str(next(iter(layouts))), str(others[0]),
                       AGAIN)  # fmt: skip
    order = range(len(galaxies))
    whole = np.stack([flux[place] for place in order]).astype(np.float32)
    return ShownStamps(whole, np.median([sigma[place] for place in order], axis=0), bands, scale)


def _known(files: dict[str, Path], shard: str) -> Path:
    if shard not in files:
        raise BadInput("the dataset", "column shard", f"one of {', '.join(files)}", shard, AGAIN)
    return files[shard]


def _require_same(file: h5py.File, path: Path, row: int, object_id: int) -> None:
    """Refuse a stamp that is not that of the galaxy."""
    stored = file["object_id"]
    there = str(stored[row]) if row < len(stored) else "the end of the file"
    if there != str(object_id):
        raise BadInput(path, f"object_id at row {row}", str(object_id), there, AGAIN)
