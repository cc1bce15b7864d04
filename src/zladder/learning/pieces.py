"""Reading rows of shards without HDF5, each row straight to its place in memory.

What lies side by side in a file is one piece. `announce` has the system bring pieces into its page
cache, many at a time; `read_into` takes rows from there, in any order, and copies them only once.
Mapped files were as fast, but a file that has become shorter then kills the process, and pages that
were looked at count as its memory.
"""

from __future__ import annotations

import os
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import h5py
import numpy as np

from zladder.learning.open_files import OpenFiles, most_open
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zladder.learning.stamps import StampRows
    from zladder.tables.stamp_files import StampFile

GAP_ROWS = 3  # unwanted rows that are read with the others sooner than to ask again
MOST_ROWS = 128  # wanted ones of a piece: with those between them, half of what one call may fill


class Pieces:
    """The pixels of the shards of some galaxies. Threads may read at the same time.

    Files are opened when a row is read from them, in the process that reads it, and stay so as long
    as there are not too many (`learning.open_files`).

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
        self.files = OpenFiles(self.paths, most_open())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that this process opened."""
        self.files.close()

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
        """Have the system read the pixels of galaxies; return when most of them are there."""
        shard, row, _ = self._in_files(places)
        ends = []
        for start, stop in _pieces(shard, row):
            number, first, last = int(shard[start]), int(row[start]), int(row[stop - 1])
            place = self.offsets[number] + first * self.row_bytes
            length = (last - first + 1) * self.row_bytes
            with self.files.held(number) as descriptor:
                _ask_for(descriptor, place, length)
            ends.append((number, place + length - 1))
        for number, place in ends:  # the system reads in the order asked
            with self.files.held(number) as descriptor:
                os.pread(descriptor, 1, place)

    def read_into(self, places: np.ndarray, out: np.ndarray, slots: np.ndarray) -> None:
        """Put the stored pixels of galaxies (n,) into the rows `slots` (n,) of `out`.

        Raises
        ------
        BadInput
            If a file ends before a row.
        """
        shard, row, order = self._in_files(places)
        flat, size = out.reshape(-1).view(np.uint8).data, self.row_bytes
        starts = (slots[order] * size).tolist()
        unwanted = memoryview(bytearray(size))
        for start, stop in _pieces(shard, row):
            number, first = int(shard[start]), int(row[start])
            buffers, expected = deque[memoryview](), first
            for at, place in zip(row[start:stop].tolist(), starts[start:stop], strict=True):
                buffers.extend([unwanted] * (at - expected))
                buffers.append(flat[place : place + size])
                expected = at + 1
            with self.files.held(number) as descriptor:
                self._fill(number, descriptor, buffers, self.offsets[number] + first * size)

    def _fill(self, number: int, descriptor: int, buffers: deque[memoryview], offset: int) -> None:
        """Read into buffers, one after the other, what begins at an offset of a file."""
        while buffers:
            taken = os.preadv(descriptor, buffers, offset)
            if taken == 0:
                raise BadInput(self.paths[number], "dataset 'flux'",
                               f"{self.rows.shards[number].n_stamps} stamps",
                               f"the end of the file at {os.fstat(descriptor).st_size} bytes",
                               "the file was cut off: cut the stamps again")  # fmt: skip
            offset += taken
            while buffers and taken >= len(buffers[0]):
                taken -= len(buffers.popleft())
            if taken:  # the system may return early
                buffers[0] = buffers[0][taken:]

    def _in_files(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (shard, row) of galaxies as they lie in the files, and the order that does it."""
        shard, row = self.rows.shard[places], self.rows.row[places]
        order = np.lexsort((row, shard))
        return shard[order], row[order], order


def _ask_for(descriptor: int, place: int, length: int) -> None:
    """Have the system read a piece of a file; where it takes no advice (macOS), read it here."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, place, length, os.POSIX_FADV_WILLNEED)
    else:
        os.pread(descriptor, length, place)


def _pieces(shard: np.ndarray, row: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield from and to before which of rows sorted by file lie side by side and only increase."""
    step = np.diff(row)
    apart = (np.diff(shard) != 0) | (step < 1) | (step > 1 + GAP_ROWS)
    for start, stop in pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(row)]):
        for first in range(start, stop, MOST_ROWS):
            yield first, min(first + MOST_ROWS, stop)


def _pixels_of(stamps: StampFile) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Return (byte at which the pixels begin, their type, shape of one galaxy's)."""
    with h5py.File(stamps.path, "r") as file:
        flux = file["flux"]
        offset, dtype, shape = flux.id.get_offset(), flux.dtype, flux.shape[1:]
    if offset is None:
        raise BadInput(stamps.path, "dataset 'flux'", "pixels in one piece of the file",
                       "none that were ever written", "cut the stamps again")  # fmt: skip
    return offset, dtype, shape
