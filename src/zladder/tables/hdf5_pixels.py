"""Central pixels of the images of an HDF5 file, block after block; no chunk is unpacked twice.

Left to choose, h5py makes chunks of some thousand images by 4 x 4 pixels: of a block of images the
file would have to be unpacked as often as blocks fit into a chunk.
"""

from __future__ import annotations

import errno
import io
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import PassingBadInput
from zladder.tables.cutouts import block_rows, centre

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py

HELD_BYTES = 1 << 29  # of unpacked pixels in memory; more wait in a file
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def central_blocks(
    images: h5py.Dataset, side: int, rows: slice, dtype: np.dtype, folder: Path | None = None
) -> Iterator[np.ndarray]:
    """Give the central pixels of some images, front to back, in one buffer.

    Of images in one piece all pixels are read, and the middle is taken. Of chunks those are read
    that the middle touches, each once: where a chunk has more images than a block, all chunks of
    these images are unpacked before their first block. Up to `HELD_BYTES` of pixels then wait in
    memory, more in a nameless file.

    Parameters
    ----------
    images
        Shape (N, B, y, x).
    side
        Pixels to keep, in y and x.
    rows
        Which images; best from the beginning of a chunk.
    dtype
        Of the blocks.
    folder
        Where the nameless file lies (default: that for temporary files).

    Yields
    ------
    numpy.ndarray
        Shape (n, B, side, side), valid until the next one is asked for.

    Raises
    ------
    PassingBadInput
        Without room for that file.
    """
    n_bands, *sides = images.shape[1:]
    middle = (centre(sides[0], side), centre(sides[1], side))
    if images.chunks and images.chunks[0] > block_rows(n_bands, side):
        with _room(folder):
            for part in stretches(rows, images.chunks[0]):
                yield from _from_chunks(images, part, middle, dtype, folder)
        return
    if images.chunks:
        read, step = middle, block_rows(n_bands, side, images.chunks[0])
    else:
        read, step = (slice(0, sides[0]), slice(0, sides[1])), block_rows(n_bands, max(sides))
    shape = (n_bands, *(part.stop - part.start for part in read))
    buffer = np.empty((min(step, rows.stop - rows.start), *shape), dtype)
    y, x = (slice(kept.start - part.start, kept.stop - part.start)
            for kept, part in zip(middle, read, strict=True))  # fmt: skip
    for part in stretches(rows, step):
        images.read_direct(buffer, (part, slice(None), *read), np.s_[: part.stop - part.start])
        yield buffer[: part.stop - part.start, :, y, x]


def stretches(whole: slice, step: int) -> list[slice]:
    """Return a slice cut at the multiples of a step."""
    inside = range((whole.start // step + 1) * step, whole.stop, step)
    ends = [whole.start, *inside, whole.stop] if whole.stop > whole.start else []
    return [slice(*pair) for pair in pairwise(ends)]


def _from_chunks(
    images: h5py.Dataset, rows: slice, middle: tuple[slice, slice], dtype: np.dtype,
    folder: Path | None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Unpack the middle of images that lie in the same chunks; give it in blocks."""
    y, x = middle
    n, n_bands, side = rows.stop - rows.start, images.shape[1], y.stop - y.start
    shape, step = (n_bands, side, side), block_rows(n_bands, side)
    pieces = [(bands, lines) for bands in stretches(slice(0, n_bands), images.chunks[1])
              for lines in stretches(y, images.chunks[2])]  # fmt: skip
    with _held(n * int(np.prod(shape)) * dtype.itemsize, folder) as held:
        for bands, lines in pieces:
            unpacked = _piece(n, bands, lines, side, dtype)
            images.read_direct(unpacked, (rows, bands, lines, x))
            held.write(_bytes(unpacked))
        buffer = np.empty((min(step, n), *shape), dtype)
        for start in range(0, n, step):
            block, place = buffer[: n - start], 0
            for bands, lines in pieces:
                piece = _piece(len(block), bands, lines, side, dtype)
                held.seek(place + start * piece[0].nbytes)
                held.readinto(_bytes(piece))
                block[:, bands, lines.start - y.start : lines.stop - y.start] = piece
                place += n * piece[0].nbytes
            yield block


def _piece(n: int, bands: slice, lines: slice, width: int, dtype: np.dtype) -> np.ndarray:
    return np.empty((n, bands.stop - bands.start, lines.stop - lines.start, width), dtype)


def _bytes(pixels: np.ndarray) -> memoryview:
    return pixels.reshape(-1).view(np.uint8).data


def _held(n_bytes: int, folder: Path | None) -> io.BytesIO | io.BufferedRandom:
    """Return a place for unpacked pixels: memory, or a file that has no name."""
    return io.BytesIO() if n_bytes <= HELD_BYTES else tempfile.TemporaryFile(dir=folder)


@contextmanager
def _room(folder: Path | None) -> Iterator[None]:
    """Turn the error of a full disk into one that names it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        expected, hint = "room for unpacked pixels", "make room there, and run it again"
        raise PassingBadInput(
            folder or tempfile.gettempdir(), "disk", expected, str(error.strerror), hint
        ) from error
