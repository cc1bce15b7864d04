"""Reading rows of shards block by block through mapped files, each row straight to its place.

What lies side by side in a file is one piece. `announce` has the system bring pieces into its page
cache, many at a time; `read_into` copies rows from there, in any order and only once.
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
        self.announce(places)
        out = self.empty(len(places))
        self.read_into(places, out, np.arange(len(places)))
        return out

    def announce(self, places: np.ndarray) -> None:
        """Have the system read the pixels of galaxies; return when most of them are there.

        Raises
        ------
        BadInput
            If a file ends before a row.
        """
        shard, row, _ = self._in_files(places)
        ends = []
        for start, stop in _pieces(shard, row):
            number, first, last = int(shard[start]), int(row[start]), int(row[stop - 1])
            descriptor = self._file(number).descriptor
            self._require_rows(number, descriptor, last)
            place = self.offsets[number] + first * self.row_bytes
            length = (last - first + 1) * self.row_bytes
            os.posix_fadvise(descriptor, place, length, os.POSIX_FADV_WILLNEED)
            ends.append((descriptor, place + length - 1))
        for descriptor, place in ends:  # the system reads in the order asked
            os.pread(descriptor, 1, place)

    def read_into(self, places: np.ndarray, out: np.ndarray, slots: np.ndarray) -> None:
        """Put the stored pixels of galaxies (n,) into the rows `slots` (n,) of `out`.

        Raises
        ------
        BadInput
            If a file ends before a row.
        """
        shard, row, order = self._in_files(places)
        flat, to = out.reshape(len(out), -1), slots[order]
        used = {number: self._file(number) for number in np.unique(shard).tolist()}
        for number, file in used.items():
            self._require_rows(number, file.descriptor, int(row[shard == number][-1]))
        for start, stop in _pieces(shard, row):
            stored, first, last = used[int(shard[start])].rows, int(row[start]), int(row[stop - 1])
            if stop - start == last - first + 1:
                flat[to[start:stop]] = stored[first : last + 1]
            else:
                for at in range(start, stop):
                    flat[to[at]] = stored[row[at]]
        for file in used.values():
            # Pages that were looked at would count as memory of the process until the end.
            file.mapping.madvise(mmap.MADV_DONTNEED)

    def _in_files(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (shard, row) of galaxies as they lie in the files, and the order that does it."""
        shard, row = self.rows.shard[places], self.rows.row[places]
        order = np.lexsort((row, shard))
        return shard[order], row[order], order

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


def _pieces(shard: np.ndarray, row: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield from and to before which of rows sorted by file lie side by side and only increase."""
    step = np.diff(row)
    apart = (np.diff(shard) != 0) | (step < 1) | (step > 1 + GAP_ROWS)
    yield from pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(row)])


def _pixels_of(stamps: StampFile) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Return (byte at which the pixels begin, their type, shape of one galaxy's)."""
    with h5py.File(stamps.path, "r") as file:
        flux = file["flux"]
        offset, dtype, shape = flux.id.get_offset(), flux.dtype, flux.shape[1:]
    if offset is None:
        raise BadInput(stamps.path, "dataset 'flux'", "pixels in one piece of the file",
                       "none that were ever written", "cut the stamps again")  # fmt: skip
    return offset, dtype, shape
