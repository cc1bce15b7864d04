"""Reading rows of shards in few contiguous pieces, each row straight to where it is wanted.

One system call (`preadv`) takes a piece of the file and deals its rows out in memory: what is read
is copied once, in any order. A mapped file would do the same by page faults, and kill the process
where a file has become shorter; here that is an error with a name.
"""

from __future__ import annotations

import os
from collections import deque
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

GAP_ROWS = 3  # unwanted rows that are read with the others sooner than to ask again
PIECE_ROWS = 512  # of one call; the system takes 1,024 buffers at most


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
        self._opened: dict[tuple[int, int], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that this process opened."""
        for (process, _), descriptor in self._opened.items():
            if process == os.getpid():
                os.close(descriptor)
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
        flat = out.reshape(-1).view(np.uint8).data
        size = self.row_bytes
        shard, row = self.rows.shard[places], self.rows.row[places]
        order = np.lexsort((row, shard))
        unwanted = memoryview(bytearray(size))
        for piece in _pieces(shard[order], row[order]):
            asked = order[piece]
            buffers: list[memoryview] = []
            expected = int(row[asked[0]])
            for at, slot in zip(row[asked].tolist(), slots[asked].tolist(), strict=True):
                buffers += [unwanted] * (at - expected)
                buffers.append(flat[slot * size : (slot + 1) * size])
                expected = at + 1
            number = int(shard[asked[0]])
            self._fill(number, buffers, self.offsets[number] + int(row[asked[0]]) * size)

    def _fill(self, number: int, buffers: list[memoryview], offset: int) -> None:
        """Read into buffers, one after the other, what begins at an offset of a file."""
        descriptor = self._descriptor(number)
        left = deque(buffers)
        while left:
            taken = os.preadv(descriptor, left, offset)
            if taken == 0:
                raise BadInput(self.paths[number], "dataset 'flux'",
                               f"{self.rows.shards[number].n_stamps} stamps",
                               f"the end of the file at byte {offset}",
                               "the file was cut off: cut the stamps again")  # fmt: skip
            offset += taken
            while left and taken >= len(left[0]):
                taken -= len(left.popleft())
            if taken:  # the system may return early
                left[0] = left[0][taken:]

    def _descriptor(self, number: int) -> int:
        key = (os.getpid(), number)
        if key not in self._opened:
            fresh = os.open(self.paths[number], os.O_RDONLY)
            if self._opened.setdefault(key, fresh) != fresh:
                os.close(fresh)  # another thread was faster
        return self._opened[key]


def _pieces(shard: np.ndarray, row: np.ndarray) -> Iterator[slice]:
    """Yield the parts of rows sorted by file that one call reads; their rows only increase."""
    step = np.diff(row)
    apart = (np.diff(shard) != 0) | (step < 1) | (step > 1 + GAP_ROWS)
    edges = [0, *(np.flatnonzero(apart) + 1).tolist(), len(row)]
    most = PIECE_ROWS // (1 + GAP_ROWS)
    for start, stop in pairwise(edges):
        for first in range(start, stop, most):
            yield slice(first, min(first + most, stop))


def _pixels_of(stamps: StampFile) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Return (byte at which the pixels begin, their type, shape of one galaxy's)."""
    with h5py.File(stamps.path, "r") as file:
        flux = file["flux"]
        offset, dtype, shape = flux.id.get_offset(), flux.dtype, flux.shape[1:]
    if offset is None:
        raise BadInput(stamps.path, "dataset 'flux'", "pixels in one piece of the file",
                       "none that were ever written", "cut the stamps again")  # fmt: skip
    return offset, dtype, shape
