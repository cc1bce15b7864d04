"""Reading rows of shards block by block through mapped files, each row straight to its place.

What lies side by side in a file is copied as one piece, in any order and only once. The system is
asked for all pieces before the first is copied: a disk is then never idle in between.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import h5py
import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zladder.learning.stamps import StampRows
    from zladder.tables.stamp_files import StampFile

GAP_ROWS = 3  # unwanted rows that the disk reads with the others sooner than to move on


@dataclass(frozen=True)
class _Opened:
    """An open file, its mapping, and in it the stored pixels, (rows, pixels of a row)."""

    descriptor: int
    mapping: mmap.mmap
    rows: np.ndarray


class Pieces:
    """The pixels of the shards of some galaxies. Threads may read at the same time.

    Files are opened at the first row that is read from them, in the process that reads it.

    Parameters
    ----------
    rows
        Where the galaxies lie.
    paths
        Files with the same content elsewhere (`learning.staging`), None for the shards themselves.
    """

    def __init__(self, rows: StampRows, paths: tuple[Path, ...] | None = None) -> None:
        self.rows = rows
        self.paths = paths or tuple(stamps.path for stamps in rows.shards)
        found = [_pixels_of(stamps) for stamps in rows.shards]
        self.offsets = [offset for offset, _, _ in found]
        _, self.dtype, self.shape = found[0]
        self.row_bytes = self.dtype.itemsize * int(np.prod(self.shape))
        self._opened: dict[tuple[int, int], _Opened] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that this process opened."""
        for (process, _), file in self._opened.items():
            if process == os.getpid():
                os.close(file.descriptor)
        self._opened.clear()

    def empty(self, n: int) -> np.ndarray:
        """Return room for n stamps as they are stored, (n, B, S, S)."""
        return np.empty((n, *self.shape), dtype=self.dtype)

    def read(self, places: np.ndarray) -> np.ndarray:
        """Return the stored pixels of galaxies, (n, B, S, S), in the order asked."""
        out = self.empty(len(places))
        self.read_into(places, out, np.arange(len(places)))
        return out

    def read_into(self, places: np.ndarray, out: np.ndarray, slots: np.ndarray) -> None:
        """Put the stored pixels of galaxies (n,) into the rows `slots` (n,) of `out`.

        Raises
        ------
        BadInput
            If a file ends before its last row.
        """
        shard, row = self.rows.shard[places], self.rows.row[places]
        order = np.lexsort((row, shard))
        shard, row, slots = shard[order], row[order], slots[order]
        pieces = [*_pieces(shard, row)]
        for piece in pieces:
            self._announce(int(shard[piece.start]), int(row[piece.start]), int(row[piece.stop - 1]))
        flat = out.reshape(len(out), -1)
        for piece in pieces:
            stored, wanted, to = self._file(int(shard[piece.start])).rows, row[piece], slots[piece]
            if len(wanted) == wanted[-1] - wanted[0] + 1:
                flat[to] = stored[wanted[0] : wanted[-1] + 1]
            else:
                for at, slot in zip(wanted.tolist(), to.tolist(), strict=True):
                    flat[slot] = stored[at]
        for number in np.unique(shard).tolist():
            # Pages that were looked at would count as memory of the process until the end.
            self._file(number).mapping.madvise(mmap.MADV_DONTNEED)

    def _announce(self, number: int, first: int, last: int) -> None:
        """Have the system read rows of a file in the background."""
        descriptor = self._file(number).descriptor
        self._require_rows(number, descriptor, last)
        start, length = first * self.row_bytes, (last - first + 1) * self.row_bytes
        start += self.offsets[number]
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_WILLNEED)

    def _require_rows(self, number: int, descriptor: int, last: int) -> None:
        """Refuse a file that ends before the end of a row: mapped, it would kill the process."""
        needed = self.offsets[number] + (last + 1) * self.row_bytes
        found = os.fstat(descriptor).st_size
        if found < needed:
            raise BadInput(self.paths[number], "dataset 'flux'",
                           f"at least {needed} bytes, for row {last} (from 0)", f"{found} bytes",
                           "the file was cut off: cut the stamps again")  # fmt: skip

    def _file(self, number: int) -> _Opened:
        """Return a file, open and mapped in this process."""
        key = (os.getpid(), number)
        if key not in self._opened:
            fresh = self._mapped(number)
            if self._opened.setdefault(key, fresh) is not fresh:
                os.close(fresh.descriptor)  # another thread was faster
        return self._opened[key]

    def _mapped(self, number: int) -> _Opened:
        descriptor = os.open(self.paths[number], os.O_RDONLY)
        n_rows = self.rows.shards[number].n_stamps
        self._require_rows(number, descriptor, n_rows - 1)
        mapping = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        n_pixels = self.row_bytes // self.dtype.itemsize
        pixels = np.frombuffer(mapping, self.dtype, n_rows * n_pixels, self.offsets[number])
        return _Opened(descriptor, mapping, pixels.reshape(n_rows, n_pixels))


def _pieces(shard: np.ndarray, row: np.ndarray) -> Iterator[slice]:
    """Yield the parts of rows sorted by file that lie side by side; their rows only increase."""
    step = np.diff(row)
    apart = (np.diff(shard) != 0) | (step < 1) | (step > 1 + GAP_ROWS)
    for start, stop in pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(row)]):
        yield slice(start, stop)


def _pixels_of(stamps: StampFile) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Return (byte at which the pixels begin, their type, shape of one galaxy's)."""
    with h5py.File(stamps.path, "r") as file:
        flux = file["flux"]
        offset, dtype, shape = flux.id.get_offset(), flux.dtype, flux.shape[1:]
    if offset is None:
        raise BadInput(stamps.path, "dataset 'flux'", "pixels in one piece of the file",
                       "none that were ever written", "cut the stamps again")  # fmt: skip
    return offset, dtype, shape
