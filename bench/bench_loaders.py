"""Batches of stamps from files, ours and what a user would pick instead, in one run.

Shards of noise, five bands of 64 x 64 float32 pixels. Against the streaming loader stand the same
files mapped and copied in order (no training drinks in order: it is what the disk can give) and a
PyTorch DataLoader that takes random batches by fancy indexing with h5py, of these files and of one
in chunks, as `create_dataset(chunks=True)` and the published files have it; the better of none and
two workers. `stored` is the loader without preparation, what the others give; `prepared` is what a
training takes: cropped, de-reddened, bands last. The bars are judged cold, from the disk: from the
page cache the copy in order runs inside the processor's cache, as no shuffled one can. Against h5py
there is a bar for chunks alone: files in one piece are our own choice, and half of the gain.

Seconds of the clock, the best of the repeats, in turns; cold: the files' pages are dropped before
(`posix_fadvise`), warm: they were just read.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before the numerics are loaded

import h5py
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from zladder.cutouts.shard import write_stamps
from zladder.learning.image_set import EVERYTHING, ImageSet, Room, open_images
from zladder.learning.loaders import ResidentLoader, StreamingLoader, loader_of
from zladder.learning.window_size import BLOCK_ROWS
from zladder.learning.windows import Windows
from zladder.networks.resnet import Encoder
from zladder.tables.stamp_files import stamp_datasets

BANDS, PIXEL_SCALE_ARCSEC, BATCH = ["u", "g", "r", "i", "z"], 0.396, 128
LEAST_OF_MEMMAP, LEAST_OF_H5PY = 0.8, 5.0
WRITTEN_AT_ONCE = 2000


def write_shards(folder: Path, n: int, side: int, n_shards: int) -> list[Path]:
    """Write shards of noise; return their paths."""
    rng, paths = np.random.default_rng(1), []
    settings = {"bands": BANDS, "stamp_pixels": side, "pixel_scale_arcsec": PIXEL_SCALE_ARCSEC}
    described = stamp_datasets(len(BANDS), side)
    flux = rng.normal(size=(WRITTEN_AT_ONCE, len(BANDS), side, side)).astype(np.float32)
    for number in range(n_shards):
        size = n // n_shards

        def blocks(first: int, size: int) -> Iterator[dict[str, np.ndarray]]:
            for start in range(0, size, WRITTEN_AT_ONCE):
                count = min(WRITTEN_AT_ONCE, size - start)
                block = {
                    name: np.zeros((count, *entry), dtype)
                    for name, (dtype, entry) in described.items()
                    if name != "flux"
                }
                block["object_id"] = np.arange(first + start, first + start + count)
                yield {**block, "flux": flux[:count]}

        path = folder / "bench" / f"{number}.h5"
        path.parent.mkdir(exist_ok=True)
        write_stamps(path, blocks(number * size, size), size, settings)
        paths.append(path)
    return paths


def opened(paths: list[Path], n: int, side: int, room: Room) -> ImageSet:
    """Return the images of all galaxies, in a dataset of another order than the files'."""
    size = n // len(paths)
    index = pd.DataFrame(
        {
            "shard": np.repeat([f"bench/{path.stem}" for path in paths], size),
            "row": np.tile(np.arange(size), len(paths)),
        }
    ).sample(frac=1.0, random_state=1)
    files = {f"bench/{path.stem}": path for path in paths}
    inputs = {"bands": BANDS, "pixel_scale_arcsec": PIXEL_SCALE_ARCSEC}
    return open_images(index, files, inputs, side, paths[0], room, with_sky=False)


class FancyRows(Dataset[np.ndarray]):
    """Stamps by fancy indexing, each file opened in the worker that needs it."""

    def __init__(self, paths: list[Path], size: int) -> None:
        self.paths, self.size = paths, size
        self.files: dict[int, h5py.Dataset] = {}

    def __len__(self) -> int:
        return self.size * len(self.paths)

    def __getitems__(self, rows: list[int]) -> list[np.ndarray]:
        """Return some stamps; h5py wants its lists sorted."""
        asked, found = np.asarray(rows), []
        for shard in np.unique(asked // self.size):
            if shard not in self.files:
                self.files[shard] = h5py.File(self.paths[shard], "r")["flux"]
            found.append(self.files[shard][np.sort(asked[asked // self.size == shard] % self.size)])
        return [*np.concatenate(found)]


def chunked_copy(path: Path, source: Path) -> Path:
    """Write the pixels of a shard once more, in chunks of h5py's own choice."""
    with h5py.File(source) as given, h5py.File(path, "w") as file:
        flux = given["flux"]
        chunked = file.create_dataset("flux", flux.shape, flux.dtype, chunks=True)
        for start in range(0, len(flux), WRITTEN_AT_ONCE):
            chunked[start : start + WRITTEN_AT_ONCE] = flux[start : start + WRITTEN_AT_ONCE]
    return path


def memmap(paths: list[Path]) -> int:
    """Take the mapped pixels of all files, batch by batch, in order."""
    count = 0
    for path in paths:
        with h5py.File(path) as file:
            flux = file["flux"]
            place, shape, dtype = flux.id.get_offset(), flux.shape, flux.dtype
        mapped = np.memmap(path, dtype, "r", place, shape)
        for start in range(0, len(mapped), BATCH):
            count += len(np.array(mapped[start : start + BATCH]))
    return count


def streamed(images: ImageSet, n: int, passes: int, *, prepared: bool) -> int:
    """Take whole passes from a new streaming loader."""
    size = images.rows.stamp_pixels
    inputs = {"bands": BANDS, "crop_pixels": size, "stretch": "sqrt"}
    order = Windows(1, torch.from_numpy(images.rows.in_files()), BLOCK_ROWS, window_rows(n))
    loader = StreamingLoader(images, inputs, torch.ones(len(BANDS)), order, BATCH)
    count = 0
    for number in range(passes * n // BATCH):
        rows, stored = loader.stored(number)
        if prepared:
            images.prepared(stored, rows.numpy(), loader.device)
        count += len(rows)
    loader.close()
    return count


def window_rows(n: int) -> int:
    """Return a window of an eighth of the galaxies, so that a small run has several."""
    return max(n // 8 // BLOCK_ROWS, 1) * BLOCK_ROWS


def fancy(paths: list[Path], size: int, n_batches: int, workers: int) -> int:
    """Take random batches from a DataLoader."""
    loader = DataLoader(FancyRows(paths, size), batch_size=BATCH, shuffle=True, num_workers=workers)
    count = 0
    for number, batch in enumerate(loader):
        count += len(batch)
        if number + 1 == n_batches:
            break
    return count


def from_memory(images: ImageSet, n: int) -> int:
    """Look batches up among the pixels in memory, whole stamps."""
    inputs = {"bands": BANDS, "crop_pixels": images.side_pixels, "stretch": "sqrt"}
    card = {"seed": 1, "schedule": {"batch_size": BATCH}, "inputs": inputs}
    loader = loader_of(images, Encoder(len(BANDS), width=4, blocks=[1], stem_stride=2), card)
    if not isinstance(loader, ResidentLoader):
        raise SystemExit("the images are not in memory")
    count = 0
    for number in range(n // BATCH):
        batch = loader.batch(number)
        count += len(batch.views.images.pixels[batch.places])
    return count


def rates(calls: dict[str, Callable[[], int]], paths: list[Path], repeats: int, *,
          cold: bool) -> dict[str, float]:  # fmt: skip
    """Return galaxies a second of every call, the best of some, in turns."""
    best = dict.fromkeys(calls, 0.0)
    for _ in range(repeats):
        for name, call in calls.items():
            for path in paths:
                ready(path, cold=cold)
            start = time.perf_counter()
            count = call()
            best[name] = max(best[name], count / (time.perf_counter() - start))
    return best


def ready(path: Path, *, cold: bool) -> None:
    """Drop a file from the page cache, or bring all of it there."""
    descriptor = os.open(path, os.O_RDONLY)
    if cold:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    else:
        while os.read(descriptor, 2**24):
            pass
    os.close(descriptor)


def report(found: dict[str, float], name: str) -> bool:
    """Print the rates of one state of the page cache; return whether the bars are met."""
    for call, rate in found.items():
        print(f"{name:<5} {call:<22} {rate:10,.0f} galaxies/s")
    met = []
    for kind in ("stored", "prepared"):
        rate = found[f"zladder {kind}"]
        of_memmap = rate / found["memmap in order"]
        met.append(of_memmap >= LEAST_OF_MEMMAP)
        print(f"{name:<5} {kind:<9} / memmap in order {of_memmap:6.2f} (bar {LEAST_OF_MEMMAP:g})")
        for layout, bar in (("in one piece", "none"), ("in chunks", f"{LEAST_OF_H5PY:g}")):
            others = [found[call] for call in found if call.startswith(f"h5py {layout}")]
            of_h5py = rate / max(others)
            met.append(bar == "none" or of_h5py >= LEAST_OF_H5PY)
            print(f"{name:<5} {kind:<9} / h5py {layout:<12}  {of_h5py:6.1f} (bar {bar})")
    return all(met)


def main() -> int:
    """Run all comparisons; return 0 if the bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=6400)
    parser.add_argument("--side-pixels", type=int, default=64)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files are written for a while")
    options = parser.parse_args()
    n, side = options.galaxies, options.side_pixels
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        paths = write_shards(Path(folder), n, side, options.shards)
        images = opened(paths, n, side, Room(0))
        chunks = chunked_copy(Path(folder) / "chunks.h5", paths[0])
        few, size = max(n // BATCH // 8, 2), n // options.shards
        streamed(images, n, 1, prepared=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        streamed(images, n, 3, prepared=True)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
        total = sum(path.stat().st_size for path in paths) / 1e6
        print(f"{n} galaxies, {total:,.0f} MB in {len(paths)} files, windows of {window_rows(n)}; "
              f"peak memory grew by {grown:.0f} MB in three more passes")  # fmt: skip
        met = []
        # A training passes often: warm, three passes share the memory that the first one touches.
        for name, cold, passes in (("warm", False, 3), ("cold", True, 1)):
            calls: dict[str, Callable[[], int]] = {
                "memmap in order": lambda passes=passes: memmap(paths * passes),
                "zladder stored": lambda passes=passes: streamed(images, n, passes, prepared=False),
                "zladder prepared": lambda passes=passes: streamed(
                    images, n, passes, prepared=True
                ),
            }
            for layout, files in (("in one piece", paths), ("in chunks", [chunks])):
                for workers in (0, 2):
                    calls[f"h5py {layout}, {workers}"] = lambda files=files, workers=workers: fancy(
                        files, size, few, workers
                    )
            files_read = [*paths, chunks]
            met.append(report(rates(calls, files_read, options.repeats, cold=cold), name))
        kept = opened(paths, n, side, EVERYTHING)
        memory = rates({"memory": lambda: from_memory(kept, n)}, [], options.repeats, cold=False)
        print(f"      from memory            {memory['memory']:10,.0f} galaxies/s")
    return 0 if met[-1] else 1


if __name__ == "__main__":
    sys.exit(main())
