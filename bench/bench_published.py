"""Converting published images into shards, against bare reading, front to back, of the same file.

Run `python bench/bench_published.py [--galaxies N] [--kinds KIND ...] [--folder DIR]`. Files are
laid out as the release of Hayat et al. 2021 (contiguous), as GalaxiesML (a chunk a galaxy, plain
and gzip), and in the chunks that h5py takes where it is left to choose, with random pixels. Bare
reading is h5py's, in the same blocks, of all pixels; of h5py's own chunks in blocks of whole ones,
each unpacked once. Converting also checks, measures and writes the stamps. Both are taken warm, the
best of three. The peak of memory is that of a process of its own, for N and for 4 N galaxies.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests import published_files as files
from zladder.cutouts.convert import convert_images
from zladder.tables.cutouts import block_rows

# Settings, size of the images and of the stamps, and of chunks (galaxies, bands, y, x) the filter.
KINDS: dict[str, tuple[dict[str, Any], int, int, tuple[int, ...] | None, str | None]] = {
    "sdss, contiguous": (files.SDSS, 107, 107, None, None),
    "galaxiesml, chunks": (files.HSC, 64, 64, (1, 5, 64, 64), None),
    "galaxiesml, gzip": (files.HSC, 64, 64, (1, 5, 64, 64), "gzip"),
    # What h5py takes of itself for the 204,573 galaxies of the training file.
    "h5py's own chunks": (files.HSC, 64, 64, (6393, 1, 4, 4), "gzip"),
    "the same, 127 px": (files.HSC, 127, 64, (6393, 1, 4, 4), "gzip"),
}
ROUNDS = 3
MEMORY = """
import json, re, sys
from pathlib import Path
from zladder.cutouts.convert import convert_images
sample, images, to, settings = sys.argv[1:]
convert_images(Path(sample), [Path(images)], 0, json.loads(settings), Path(to), Path(to + ".csv"))
print(int(re.search("VmHWM:[ \\t]*([0-9]+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def write(path: Path, kind: str, n: int) -> None:
    """Write a file of n galaxies block by block."""
    settings, side, _, chunk, packed = KINDS[kind]
    columns = files.sdss_columns(8, n) if settings["layout"] == "sdss" else files.hsc_columns(8, n)
    name = "images" if settings["layout"] == "sdss" else "image"
    some = files.pixels(side, 512)
    with h5py.File(path, "w") as file:
        for column, values in columns.items():
            if column != name:
                file[column] = values
        shape, most = (n, 5, side, side), (None, 5, side, side) if chunk else None
        images = file.create_dataset(name, shape, "<f4", maxshape=most, chunks=chunk,
                                     compression=packed)  # fmt: skip
        step = max(len(some), chunk[0]) if chunk else len(some)
        for start in range(0, n, step):
            images[start : start + step] = np.resize(some, (min(step, n - start), *some.shape[1:]))


def bare_seconds(path: Path, name: str) -> float:
    """Return the seconds of reading all pixels in blocks, into one buffer."""
    started = time.perf_counter()
    with h5py.File(path) as file:
        images = file[name]
        step = max(block_rows(5, images.shape[2]), images.chunks[0] if images.chunks else 1)
        buffer = np.empty((step, *images.shape[1:]), np.float32)
        for start in range(0, len(images), step):
            end = min(start + step, len(images))
            images.read_direct(buffer, np.s_[start:end], np.s_[: end - start])
    return time.perf_counter() - started


def our_seconds(sample: Path, path: Path, to: Path, settings: dict[str, Any]) -> float:
    """Return the seconds of converting a file into one shard."""
    to.unlink(missing_ok=True)
    started = time.perf_counter()
    convert_images(sample, [path], 0, settings, to, to.with_suffix(".csv"))
    return time.perf_counter() - started


def peak_mb(sample: Path, path: Path, to: Path, settings: dict[str, Any]) -> float:
    """Return the largest resident memory of a process that converts a file."""
    told = [str(part) for part in (sample, path, to)]
    command = [sys.executable, "-c", MEMORY, *told, json.dumps(settings)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def measure(kind: str, n: int, folder: Path) -> None:
    """Print one line of figures."""
    settings, side, stamp_pixels, _, _ = KINDS[kind]
    settings = settings | {"stamp_pixels": stamp_pixels}
    sample, path, to = (folder / name for name in ("sample.parquet", "images.h5", "0.h5"))
    name = "images" if settings["layout"] == "sdss" else "image"
    peaks = []
    for count in (4 * n, n):
        files.sample_of(sample, np.sort(files.ids(count)))
        path.unlink(missing_ok=True)
        write(path, kind, count)
        peaks.append(peak_mb(sample, path, to, settings))
    rounds = [(bare_seconds(path, name), our_seconds(sample, path, to, settings))
              for _ in range(ROUNDS)]  # fmt: skip
    bare, ours = (min(seconds) for seconds in zip(*rounds, strict=True))
    mb = n * 5 * side**2 * 4 / 1e6
    sys.stdout.write(
        f"{kind:20s} {n} galaxies of {side} px, {stamp_pixels} kept, {mb:.0f} MB: "
        f"bare reading {mb / bare:.0f} MB/s, "
        f"converting {mb / ours:.0f} MB/s (x {ours / bare:.2f} its time); "
        f"peak {peaks[1]:.0f} MB, with 4 times as many {peaks[0]:.0f} MB\n"
    )


def main() -> None:
    """Measure each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--galaxies", type=int, default=4000)
    parser.add_argument("--folder", type=Path, help="where files are written (default: a new one)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for kind in options.kinds:
            measure(kind, options.galaxies, Path(name))


if __name__ == "__main__":
    main()
