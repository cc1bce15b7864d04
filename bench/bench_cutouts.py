"""Cut stamps of 64 x 64 pixels in five bands, ours and what a user would pick instead, in one run.

Whole pixels: astropy's `Cutout2D` with a SkyCoord and the frame's WCS for each. Resampled to the
sky: `reproject_interp` (bilinear, its default; ours is Lanczos-3), of the extra `bench`. One
frame a band, 2048 x 1489 pixels in memory; processor seconds of one thread, the best of three, in
turns. Ours are cut into memory that is there, as all fields of a shard but the first are.

Then from files to finished shards: frames compressed by RICE (`.fits.fz`), against decompressing
them with astropy and nothing else; and how much memory a shard of 112 x 112 pixels takes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before the numerics are loaded

import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from zladder.cutouts.band import cut_band
from zladder.cutouts.beside import empty_pixels, empty_stamps
from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.frames import Frame
from zladder.provenance.errors import BadInput

BANDS = ["u", "g", "r", "i", "z"]
SHAPE, SIDE, SCALE_ARCSEC = (1489, 2048), 64, 0.396
REPEATS = 3
RICE_GALAXIES = 200  # of one field: as many as the densest catalogues have
LARGE_GALAXIES = 1500  # of a field
MOST_RICE, MOST_GB = 1.3, 2.0
LEAST_ALIGNED, LEAST_RESAMPLED, LEAST_PER_SECOND = 100.0, 20.0, 20_000.0


def make_frames(rng: np.random.Generator) -> list[Frame]:
    """Return a field of noise in every band, turned and shifted as SDSS's are."""
    frames = []
    for index, _ in enumerate(BANDS):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [180.0, 10.0]
        wcs.wcs.crpix = [1024.0 + 2.4 * index, 744.0 - 1.8 * index]
        c, s = np.cos(0.4), np.sin(0.4)
        wcs.wcs.cd = SCALE_ARCSEC / 3600 * np.array([[-c, s], [s, c]])
        image = rng.normal(size=SHAPE).astype(np.float32)
        frames.append(Frame(Path("frame"), image, wcs, 1.0, np.inf))
    return frames


def make_galaxies(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return ids and places whose stamps lie inside every frame."""
    ra, dec = 180.0 + rng.uniform(-0.05, 0.05, n), 10.0 + rng.uniform(-0.04, 0.04, n)
    extinctions = {f"extinction_{band}": np.zeros(n) for band in BANDS}
    return pd.DataFrame({"object_id": np.arange(n), "ra": ra, "dec": dec, **extinctions})


def ours(
    frames: list[Frame], galaxies: pd.DataFrame, grid: str, pixels: np.ndarray | None = None
) -> np.ndarray:
    """Return stamps, (N, B, S, S), in memory of its own or in `pixels`."""
    settings = {"bands": BANDS, "stamp_pixels": SIDE, "pixel_scale_arcsec": SCALE_ARCSEC,
                "grid": grid}  # fmt: skip
    stamps = empty_stamps(galaxies, settings, pixels)
    for index, frame in enumerate(frames):
        cut_band(frame, index, stamps, settings)
    if stamps["flags"].any():
        raise SystemExit("some stamps are not whole")
    return stamps["flux"]


def astropy_stamps(frames: list[Frame], galaxies: pd.DataFrame) -> np.ndarray:
    """Return the same by `Cutout2D`."""
    places = SkyCoord(galaxies["ra"].to_numpy(), galaxies["dec"].to_numpy(), unit="deg")
    return np.stack([
        [Cutout2D(frame.image, place, SIDE, wcs=frame.wcs, mode="partial", fill_value=0.0).data
         for frame in frames] for place in places
    ])  # fmt: skip


def reprojected(frames: list[Frame], galaxies: pd.DataFrame) -> np.ndarray:
    """Return stamps on the sky by `reproject_interp`."""
    from reproject import reproject_interp

    stamps = []
    for ra, dec in zip(galaxies["ra"], galaxies["dec"], strict=True):
        own = WCS(naxis=2)
        own.wcs.ctype, own.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra, dec]
        own.wcs.crpix = [(SIDE + 1) / 2] * 2
        own.wcs.cdelt = [-SCALE_ARCSEC / 3600, SCALE_ARCSEC / 3600]
        stamps.append([
            reproject_interp((frame.image, frame.wcs), own, shape_out=(SIDE, SIDE))[0]
            for frame in frames
        ])  # fmt: skip
    return np.array(stamps)


def rates(one: Callable[[int], object], other: Callable[[int], object],
          n_one: int, n_other: int) -> tuple[float, float]:  # fmt: skip
    """Return galaxies a second of both, the best of `REPEATS` in turns."""
    best = [0.0, 0.0]
    for _ in range(REPEATS):
        for place, (call, n) in enumerate(((one, n_one), (other, n_other))):
            start = time.process_time()
            call(n)
            best[place] = max(best[place], n / (time.process_time() - start))
    return best[0], best[1]


def line(name: str, ours_rate: float, other: str, other_rate: float, least: float) -> bool:
    """Print one comparison; return whether the bar is met."""
    ratio = ours_rate / other_rate
    print(f"{name:<12} zladder {ours_rate:10,.0f} galaxies/s   {other} {other_rate:8,.0f}"
          f"   ratio {ratio:6.1f} (bar {least:g})")  # fmt: skip
    return ratio >= least


def write_field(root: Path, key: tuple[int, int, int], rng: np.random.Generator,
                packed: bool) -> list[Path]:  # fmt: skip
    """Write a field's frames as SDSS calls them: plain, or compressed by RICE."""
    run, camcol, field = key
    paths = []
    for band, frame in zip(BANDS, make_frames(rng), strict=True):
        header = frame.wcs.to_header()
        for name in [name for name in header if name.startswith(("PC", "CDELT"))]:
            del header[name]
        for row in (0, 1):
            for column in (0, 1):
                header[f"CD{row + 1}_{column + 1}"] = frame.wcs.wcs.cd[row, column]
        header["FILTER"], header["BUNIT"], header["NMGY"] = band, "nanomaggy", 0.005
        kind = fits.CompImageHDU if packed else fits.PrimaryHDU
        how = {"compression_type": "RICE_1"} if packed else {}
        name = f"frame-{band}-{run:06d}-{camcol}-{field:04d}.fits" + (".fz" if packed else "")
        paths.append(root / str(run) / str(camcol) / name)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        kind(frame.image, header, **how).writeto(paths[-1])
    return paths


def shard_of(root: Path, keys: list[tuple[int, int, int]], n_each: int, side: int,
             rng: np.random.Generator) -> Callable[[], object]:  # fmt: skip
    """Write a sample of so many galaxies a field; return what cuts it into a shard."""
    tables = []
    for number, key in enumerate(keys):
        table = make_galaxies(rng, n_each)
        table["object_id"] += number * n_each
        tables.append(table.assign(run=key[0], camcol=key[1], field=key[2]))
    sample, shard, losses = (root / name for name in ("sample.parquet", "0.h5", "0.csv"))
    pd.concat(tables).to_parquet(sample)
    settings = {"bands": BANDS, "stamp_pixels": side, "pixel_scale_arcsec": SCALE_ARCSEC,
                "layout": "sdss_frames", "grid": "frame", "edge": "mosaic", "n_shards": 1,
                "max_lost_fraction": 0.0, "encoding": "float32"}  # fmt: skip
    return lambda: cut_stamps(sample, root, 0, settings, shard, losses)


def from_rice(root: Path, rng: np.random.Generator) -> list[bool]:
    """Compare cutting shards out of compressed frames with decompressing these alone."""
    key, root = (1, 1, 20), root / "rice"
    paths = write_field(root, key, rng, packed=True)
    cut = shard_of(root, [key], RICE_GALAXIES, SIDE, rng)

    def decompress() -> None:
        for path in paths:
            with fits.open(path) as hdus:
                _ = hdus[1].data

    best = [np.inf, np.inf]
    try:
        for _ in range(REPEATS):
            for place, call in enumerate((cut, decompress)):
                start = time.process_time()
                call()
                best[place] = min(best[place], time.process_time() - start)
    except BadInput as error:
        print(f"RICE frames   not read: {error.found}")
        return [False]
    ratio = best[0] / best[1]
    print(f"RICE frames   zladder {best[0]:.2f} s for {RICE_GALAXIES} galaxies   decompression"
          f" {best[1]:.2f} s   ratio {ratio:.2f} (bar {MOST_RICE:g})")  # fmt: skip
    return [ratio <= MOST_RICE]


def same_field(paths: list[Path], key: tuple[int, int, int]) -> None:
    """Give the frames of a field to another one too."""
    for path in paths:
        band = path.name.split("-")[1]
        path.with_name(f"frame-{band}-{key[0]:06d}-{key[1]}-{key[2]:04d}.fits").hardlink_to(path)


def flat_memory(root: Path, rng: np.random.Generator, n_large: int) -> bool:
    """Measure the most memory of a process that cuts 112 x 112 pixels of one and of many fields."""
    root = root / "plain"
    fields = max(round(n_large / LARGE_GALAXIES), 2)
    keys = [(1, 1, 20 + 2 * number) for number in range(fields)]
    paths = write_field(root, keys[0], rng, packed=False)
    for key in keys[1:]:
        same_field(paths, key)
    peaks = []
    for n_fields in (1, fields):
        cut = shard_of(root, keys[:n_fields], LARGE_GALAXIES, 112, rng)
        child = os.fork()
        if child == 0:
            cut()
            os._exit(0)
        _, status, usage = os.wait4(child, 0)
        if status:
            raise SystemExit("cutting failed")
        peaks.append(usage.ru_maxrss / 2**20)
    print(f"memory        {peaks[0]:.2f} GB for {LARGE_GALAXIES:,} galaxies of 5 x 112 x 112, "
          f"{peaks[1]:.2f} GB for {fields * LARGE_GALAXIES:,} (bar {MOST_GB:g})")  # fmt: skip
    return peaks[1] < MOST_GB and peaks[1] < 1.2 * peaks[0]


def main() -> int:
    """Run both comparisons; return 0 if all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=4000)
    parser.add_argument("--large", type=int, default=6000,
                        help="galaxies of 112 x 112 pixels, 0.25 MB each on the disk")  # fmt: skip
    parser.add_argument("--folder", type=Path, help="where files are written for a while")
    options = parser.parse_args()
    n = options.galaxies
    rng = np.random.default_rng(1)
    frames, galaxies = make_frames(rng), make_galaxies(rng, n)

    def some(count: int) -> pd.DataFrame:
        return galaxies.iloc[:count]

    few = max(n // 100, 10)
    same = ours(frames, some(few), "frame").tobytes() == astropy_stamps(frames, some(few)).tobytes()
    print(f"whole pixels equal Cutout2D byte for byte: {same}")
    pixels = empty_pixels(n, {"bands": BANDS, "stamp_pixels": SIDE})
    pixels[:] = 0.0
    aligned = rates(lambda k: ours(frames, some(k), "frame", pixels),
                    lambda k: astropy_stamps(frames, some(k)), n, few)  # fmt: skip
    met = [same, line("whole pixels", aligned[0], "Cutout2D", aligned[1], LEAST_ALIGNED)]
    met.append(aligned[0] >= LEAST_PER_SECOND)
    if importlib.util.find_spec("reproject"):
        sky = rates(lambda k: ours(frames, some(k), "sky", pixels),
                    lambda k: reprojected(frames, some(k)), max(n // 10, 10), few)  # fmt: skip
        met.append(line("resampled", sky[0], "reproject_interp", sky[1], LEAST_RESAMPLED))
    else:
        print("resampled    not compared: no reproject here (pip install -e '.[bench]')")
        met.append(False)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        met += [*from_rice(Path(folder), rng), flat_memory(Path(folder), rng, options.large)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
