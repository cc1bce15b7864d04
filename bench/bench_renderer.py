"""Paint the mock's galaxies with our renderer and with GalSim, one thread each, in one run.

64 x 64 pixels in five bands: an exponential disc and a de Vaucouleurs bulge in Moffat seeing, sizes
and colours of the mock's main sample. Times are processor seconds, the least of three, in turns;
errors are against GalSim with tight accuracy settings. Then a training set of noisy stamps.

Measured on a busy AMD EPYC with 2 cores: zladder 3,010 galaxies/s, within 8.5e-6 of the peak and
1.5e-5 of the flux; GalSim 70 galaxies/s, within 9.6e-5 and 1.5e-4: 43 times the seconds. The
training set, galaxies drawn and noise added: 415 galaxies/s of wall time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before the numerics are loaded

import galsim
import numpy as np
import torch
import yaml

from zladder.survey.renderer import Light, make_seeing, render
from zladder.survey.training_set import draw_block, make_source, make_training_set

SETTINGS_FILE = Path(__file__).parents[1] / "config" / "stages" / "survey.yaml"
SIZE = 64
BETA = 3.5
FWHM_PIXELS = np.array([1.43, 1.36, 1.30, 1.24, 1.26]) / 0.396  # SDSS's medians in ugriz
LARGEST_RADIUS_PIXELS = 16.0  # half-light; the few larger ones cost the exact reference minutes
REPEATS = 3
TIGHT = galsim.GSParams(
    maximum_fft_size=32768,
    folding_threshold=5e-4,
    maxk_threshold=1e-5,
    kvalue_accuracy=1e-7,
    stepk_minimum_hlr=15,
)
LEAST_RATIO, LARGEST_ERROR, LARGEST_FLUX_ERROR = 25.0, 1e-4, 3e-3


def paint_galsim(light: Light, accuracy: galsim.GSParams) -> np.ndarray:
    """Return GalSim's stamps, shape (N, B, S, S)."""
    stars = [galsim.Moffat(beta=BETA, fwhm=fwhm, gsparams=accuracy) for fwhm in FWHM_PIXELS]
    columns = {name: value.double().numpy() for name, value in vars(light).items()}
    return np.stack([
        _paint_one({name: value[row] for name, value in columns.items()}, stars, accuracy)
        for row in range(len(light.angle))
    ])  # fmt: skip


def _paint_one(
    one: dict[str, Any], stars: list[galsim.GSObject], accuracy: galsim.GSParams
) -> np.ndarray:
    parts = []
    for profile, name in ((galsim.Exponential, "disc"), (galsim.DeVaucouleurs, "bulge")):
        ratio = float(one[f"{name}_ratio"])
        radius = float(one[f"{name}_radius"]) * np.sqrt(ratio)  # a shear keeps the area
        part = profile(half_light_radius=radius, gsparams=accuracy)
        parts.append(part.shear(q=ratio, beta=float(one["angle"]) * galsim.radians))
    centre = galsim.PositionD(*(SIZE / 2 + 1 + one["offset"]))
    stamps = np.empty((len(stars), SIZE, SIZE))
    for band, star in enumerate(stars):
        whole = parts[0] * one["disc_flux"][band] + parts[1] * one["bulge_flux"][band]
        image = galsim.ImageD(SIZE, SIZE, scale=1.0)
        galsim.Convolve(whole, star, gsparams=accuracy).drawImage(image=image, center=centre)
        stamps[band] = image.array
    return stamps


def shortest(tasks: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least processor seconds of each task; they take turns: load falls on all."""
    seconds = dict.fromkeys(tasks, np.inf)
    for _ in range(REPEATS):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def compare(settings: dict[str, Any], n: int) -> bool:
    """Print speeds and errors; tell whether they are as promised."""
    drawn, _ = draw_block(make_source(settings, 1), 0)
    fits = torch.maximum(drawn.disc_radius, drawn.bulge_radius) <= LARGEST_RADIUS_PIXELS
    light = drawn.part(torch.nonzero(fits)[:n, 0])
    n = len(light.angle)
    seeing = make_seeing(FWHM_PIXELS, BETA)
    seconds = shortest(
        {
            "zladder": lambda: render(light, seeing, SIZE),
            "galsim": lambda: paint_galsim(light, galsim.GSParams()),
        }
    )
    expected = paint_galsim(light, TIGHT)
    peak, flux = expected.max(axis=(2, 3)), expected.sum(axis=(2, 3))
    for name, stamps in (
        ("zladder", render(light, seeing, SIZE).double().numpy()),
        ("galsim", paint_galsim(light, galsim.GSParams())),
    ):
        error = np.abs(stamps - expected).max(axis=(2, 3)) / peak
        flux_error = np.abs(stamps.sum(axis=(2, 3)) / flux - 1)
        errors = f"{error.max():.1e} of the peak, {flux_error.max():.1e} of the flux"
        print(f"{name:8s} {n / seconds[name]:7.0f} galaxies/s, errors at most {errors}")
        if name == "zladder":
            kept = error.max() <= LARGEST_ERROR and flux_error.max() <= LARGEST_FLUX_ERROR
    ratio = seconds["galsim"] / seconds["zladder"]
    print(f"galsim / zladder: {ratio:.1f} times the seconds")
    return bool(kept and ratio >= LEAST_RATIO)


def main(argv: list[str] | None = None) -> int:
    """Print a line for each renderer, the ratio of the times, and a line on a training set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--galaxies", type=int, default=40, help="painted by both renderers")
    parser.add_argument("--training", type=int, default=1024, help="stamps of the training set")
    parser.add_argument("--device", default="cpu", help="of torch, for the training set")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = yaml.safe_load(SETTINGS_FILE.read_text(encoding="utf-8"))
    promised = compare(settings, options.galaxies)
    start = time.perf_counter()
    stamps, labels = make_training_set(settings, 1, options.training, device=options.device)
    per_second = len(labels) / (time.perf_counter() - start)
    what = f"training set {tuple(stamps.shape)}, {stamps.dtype}, on {stamps.device}"
    print(f"{what}: {per_second:.0f} galaxies/s, noise included, {stamps.nbytes} bytes")
    return 0 if promised else 1


if __name__ == "__main__":
    sys.exit(main())
