"""Cutouts of galaxies in files of one's own: what a reader of them gives, and how they are cut."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

_BLOCK_BYTES = 1 << 27  # of the pixels that are kept of a block
_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Told:
    """What somebody says of cutouts in place of their files; None where the files are to tell.

    Attributes
    ----------
    bands
        Of the planes of an image, in their order.
    pixel_scale_arcsec
        Width of a pixel.
    zero_point_mag
        AB magnitude of a pixel value of 1.
    ebv
        E(B-V) of the SFD map in mag: a number, or the name of the column or keyword that holds it.
    """

    bands: tuple[str, ...] | None = None
    pixel_scale_arcsec: float | None = None
    zero_point_mag: float | None = None
    ebv: str | None = None


@dataclass(frozen=True)
class Cutouts:
    """Cutouts of N galaxies: all that is known of them, and a way to their pixels.

    Attributes
    ----------
    path
        File or folder.
    bands
        All bands that there are; `blocks` refuses galaxies that lack a wanted one.
    sides
        Rows and columns in pixels, the least of all galaxies; a galaxy's pixel is side // 2.
    pixel_scale_arcsec
        None where nothing tells it.
    objects
        N rows: `object_id` (int64) and what is known of `ra`, `dec` (deg), `z_true`, `z_true_err`,
        `z_true_kind`, `file`.
    extinction_mag
        float64 (N, B) in the order of `bands`, or None.
    ebv_mag
        E(B-V) of the SFD map, float64 (N,), or None; not both are known.
    blocks
        ``blocks(bands, side_pixels)`` gives the central pixels of some galaxies after the other, in
        the order of `objects`: nanomaggies, float32 (n, bands, side, side), y before x.
    chunk_rows
        How many galaxies the file packs together: they are best read together.
    """

    path: Path
    bands: tuple[str, ...]
    sides: tuple[int, int]
    pixel_scale_arcsec: float | None
    objects: pd.DataFrame
    extinction_mag: np.ndarray | None
    ebv_mag: np.ndarray | None
    blocks: Callable[[Sequence[str], int], Iterator[np.ndarray]]
    chunk_rows: int = 1


def centre(side: int, wanted: int) -> slice:
    """Return the central pixels of an axis: the galaxy's, side // 2, becomes wanted // 2."""
    start = side // 2 - wanted // 2
    return slice(start, start + wanted)


def block_rows(n_bands: int, side_pixels: int, chunk_rows: int = 1) -> int:
    """Return how many galaxies make a block: whole chunks of the file, where they fit into one."""
    most = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // (4 * n_bands * side_pixels**2)))
    return most // chunk_rows * chunk_rows or most


def name_id(name: str) -> int:
    """Return the identifier of a name: the integer that it is, else its 63-bit BLAKE2b."""
    if name.isascii() and name.isdigit() and int(name) < 1 << 63:
        return int(name)
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") >> 1


def number_of(told: str) -> float | None:
    """Return the E(B-V) that an option gives as a number, or None if it is a name.

    Raises
    ------
    BadInput
        For a number that no E(B-V) can be.
    """
    try:
        ebv_mag = float(told)
    except ValueError:
        return None
    if not 0.0 <= ebv_mag < np.inf:
        hint = "0 where the pixels are corrected already"
        raise BadInput("command line", "--ebv", "mag, 0 or more, or a name", told, hint)
    return ebv_mag


def require_not_negative(values: np.ndarray, file: Path, place: str) -> None:
    """Refuse extinctions (N, ...) below 0, such as -9999; NaN may be (that galaxy is not known).

    Raises
    ------
    BadInput
        With the first such row, counted from 0 as in HDF5.
    """
    wrong = (values < 0).reshape(len(values), -1).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        found = f"{values[row].min():g} ({int(wrong.sum())} such rows)"
        hint = "write NaN where it is not known, or give --ebv"
        raise BadInput(file, f"{place}, row {row} (from 0)", "mag, 0 or more", found, hint)
