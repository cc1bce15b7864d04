"""The middle of images in chunks of any shape: as it is, each chunk unpacked once or not at all."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

from zladder.provenance.errors import BadInput
from zladder.tables import cutouts, hdf5_pixels
from zladder.tables.hdf5_pixels import central_blocks, stretches

SIDE, N = 6, 50


class Watched(io.FileIO):
    """A file that counts from which places it is read."""

    def __init__(self, path):
        super().__init__(path)
        self.places = Counter()

    def readinto(self, buffer):
        self.places[self.tell()] += 1
        return super().readinto(buffer)


def write(path, chunks, n=N, shape=(3, 11, 14), dtype="<f4"):
    """Write images without any two equal pixels, in chunks packed by gzip; return them."""
    pixels = np.arange(n * np.prod(shape)).reshape(n, *shape).astype(dtype)
    packed = {"chunks": chunks, "compression": "gzip"} if chunks else {}
    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=pixels, maxshape=(None, *shape) if chunks else None,
                            **packed)  # fmt: skip
    return pixels


def middle_of(pixels):
    """Return the six pixels around y 5 and x 7."""
    return pixels[:, :, 2:8, 4:10]


CHUNKS = [None, True, (1, 3, 11, 14), (4, 1, 4, 4), (7, 2, 3, 5), (50, 1, 4, 4), (64, 3, 11, 14),
          (20, 2, 5, 3)]  # fmt: skip


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize(("held_bytes", "dtype"), [(1 << 29, "<f4"), (1, "<f4"), (1, ">i2")])
def test_every_chunk_is_unpacked_once_where_the_middle_touches_it(
    tmp_path, monkeypatch, chunks, held_bytes, dtype
):
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", 8)
    monkeypatch.setattr(hdf5_pixels, "HELD_BYTES", held_bytes)
    pixels = write(tmp_path / "a.h5", chunks, dtype=dtype)
    with Watched(tmp_path / "a.h5") as watched, h5py.File(watched, "r", rdcc_nbytes=0) as file:
        images = file["image"]
        watched.places.clear()
        given = central_blocks(images, SIDE, slice(0, N), np.dtype(dtype), tmp_path)
        blocks = [block.copy() for block in given]
        seen = Counter(watched.places)
        n_chunks, shape = images.id.get_num_chunks() if chunks else 0, images.chunks
        infos = [images.id.get_chunk_info(k) for k in range(n_chunks)]
    assert max(map(len, blocks)) <= 8
    found = np.concatenate(blocks)
    assert blocks[0].dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, middle_of(pixels))
    for info in infos:
        y, x = info.chunk_offset[2:]
        touched = y < 8 and y + shape[2] > 2 and x < 10 and x + shape[3] > 4
        assert seen[info.byte_offset] == touched, info
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 1), slice(13, 41), slice(20, 50)])
@pytest.mark.parametrize("chunks", [None, (4, 1, 4, 4), (20, 2, 5, 3)])
def test_a_stretch_of_the_rows_is_that_stretch(tmp_path, monkeypatch, rows, chunks):
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", 8)
    pixels = write(tmp_path / "a.h5", chunks)
    with h5py.File(tmp_path / "a.h5", "r") as file:
        blocks = central_blocks(file["image"], SIDE, rows, np.dtype("<f4"))
        found = [block.copy() for block in blocks]
    wanted = middle_of(pixels)[rows]
    np.testing.assert_array_equal(np.concatenate([wanted[:0], *found]), wanted)


def test_a_slice_is_cut_at_the_multiples_of_a_step():
    assert stretches(slice(3, 12), 5) == [slice(3, 5), slice(5, 10), slice(10, 12)]
    assert stretches(slice(5, 10), 5) == [slice(5, 10)]
    assert stretches(slice(5, 5), 5) == []


def test_beyond_its_budget_what_is_unpacked_waits_on_the_disk(tmp_path, monkeypatch):
    """In memory are a piece of a band by the height of a chunk, and a block."""
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", 100)
    write(tmp_path / "a.h5", (4000, 1, 4, 4), n=4000)
    peaks = []
    for held_bytes in (1 << 29, 1):
        monkeypatch.setattr(hdf5_pixels, "HELD_BYTES", held_bytes)
        with h5py.File(tmp_path / "a.h5", "r") as file:
            tracemalloc.start()
            blocks = central_blocks(file["image"], SIDE, slice(0, 4000), np.dtype("<f4"), tmp_path)
            assert sum(map(len, blocks)) == 4000
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    whole, piece = 4000 * 3 * SIDE**2 * 4, 4000 * 4 * SIDE * 4
    assert peaks[0] > whole
    assert peaks[1] < 1.5 * piece + 300_000 < 0.6 * whole


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", 8)
    monkeypatch.setattr(hdf5_pixels, "HELD_BYTES", 1)
    write(tmp_path / "a.h5", (50, 1, 4, 4))
    with h5py.File(tmp_path / "a.h5", "r") as file, Path("/dev/full").open("r+b", 0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(BadInput) as caught:
            list(central_blocks(file["image"], SIDE, slice(0, N), np.dtype("<f4"), tmp_path))
    assert caught.value.file == str(tmp_path)
    assert caught.value.found == os.strerror(errno.ENOSPC)
