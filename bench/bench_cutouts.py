"""Cut stamps of 64 x 64 pixels in five bands, ours and what a user would pick instead, in one run.

Whole pixels: astropy's `Cutout2D` with a SkyCoord and the frame's WCS for each. Resampled to the
sky: `reproject_interp` (bilinear, its default; ours is Lanczos-3), if reproject is installed. One
frame a band, 2048 x 1489 pixels in memory; processor seconds of one thread, the best of three, in
turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before the numerics are loaded

import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from zladder.cutouts.band import cut_band
from zladder.cutouts.beside import empty_stamps
from zladder.cutouts.frames import Frame

BANDS = ["u", "g", "r", "i", "z"]
SHAPE, SIDE, SCALE_ARCSEC = (1489, 2048), 64, 0.396
REPEATS = 3
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


def ours(frames: list[Frame], galaxies: pd.DataFrame, grid: str) -> np.ndarray:
    """Return stamps, (N, B, S, S)."""
    settings = {"bands": BANDS, "stamp_pixels": SIDE, "pixel_scale_arcsec": SCALE_ARCSEC,
                "grid": grid}  # fmt: skip
    stamps = empty_stamps(galaxies, settings)
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


def main() -> int:
    """Run both comparisons; return 0 if all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=4000)
    n = parser.parse_args().galaxies
    rng = np.random.default_rng(1)
    frames, galaxies = make_frames(rng), make_galaxies(rng, n)

    def some(count: int) -> pd.DataFrame:
        return galaxies.iloc[:count]

    few = max(n // 100, 10)
    same = ours(frames, some(few), "frame").tobytes() == astropy_stamps(frames, some(few)).tobytes()
    print(f"whole pixels equal Cutout2D byte for byte: {same}")
    aligned = rates(lambda k: ours(frames, some(k), "frame"),
                    lambda k: astropy_stamps(frames, some(k)), n, few)  # fmt: skip
    met = [same, line("whole pixels", aligned[0], "Cutout2D", aligned[1], LEAST_ALIGNED)]
    met.append(aligned[0] >= LEAST_PER_SECOND)
    if importlib.util.find_spec("reproject"):
        sky = rates(lambda k: ours(frames, some(k), "sky"),
                    lambda k: reprojected(frames, some(k)), max(n // 10, 10), few)  # fmt: skip
        met.append(line("resampled", sky[0], "reproject_interp", sky[1], LEAST_RESAMPLED))
    else:
        print("resampled    reproject is not installed: not compared")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
