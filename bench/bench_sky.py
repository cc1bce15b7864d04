"""Simulate surveys of several sizes to catalogues and frames: seconds, memory, growth with size.

The sky is drawn in one process, its frames are painted in two, as the workflow does on two cores.
Frames take 60 MB per thousand galaxies in a temporary folder; they go when a survey is done.

Measured on two cores that other tests shared (November 2026): 10,000 galaxies 23 s, 100,000 208 s
(sky 21 s and 536 MB, frames 186 s and 1,430 MB in both painters); bar 360 s and 4,000 MB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before the numerics are loaded

import yaml

SETTINGS_FILE = Path(__file__).parents[1] / "config" / "stages" / "survey.yaml"
N_SHARDS = 2
SEED = 1
ASKED_GALAXIES, LARGEST_SECONDS, LARGEST_MB = 100_000, 360.0, 4000.0
LARGEST_GROWTH = 1.3  # of the seconds that a further galaxy costs, from the first sizes to the last


def survey_settings(n_galaxies: int) -> dict[str, Any]:
    """Return the shipped settings with this many galaxies of the main sample."""
    settings = yaml.safe_load(SETTINGS_FILE.read_text(encoding="utf-8"))
    settings["cfhtls"]["tile_pixels"] = 128  # the deep field is small
    return settings | {"n_main": n_galaxies, "n_deep": 1, "n_photoz": 50, "n_specz": 50}


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def simulate(folder: Path, n_galaxies: int) -> float:
    """Write the catalogues and the scene; return the peak memory in MB."""
    from zladder.survey.simulate import simulate_sky

    for name, table in simulate_sky(survey_settings(n_galaxies), SEED).items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return peak_mb()


def paint(shard: int, folder: Path, n_galaxies: int) -> float:
    """Write the frames of a shard; return the peak memory in MB."""
    import torch

    from zladder.config.imaging import rendering_settings
    from zladder.survey.shards import render_shard

    torch.set_num_threads(1)
    settings = rendering_settings(survey_settings(n_galaxies)) | {"seed": SEED}
    render_shard(settings, folder / "scene.parquet", (shard, N_SHARDS), folder)
    return peak_mb()


def measure(n_galaxies: int) -> tuple[float, float]:
    """Print and return the seconds and the peak memory in MB of one survey."""
    fresh = get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            drawn_mb = pool.submit(simulate, folder, n_galaxies).result()
        drawn = time.perf_counter() - start
        work = partial(paint, folder=folder, n_galaxies=n_galaxies)
        with ProcessPoolExecutor(N_SHARDS, mp_context=fresh) as pool:
            painted_mb = sum(pool.map(work, range(N_SHARDS)))
        seconds = time.perf_counter() - start
    memory_mb = max(drawn_mb, painted_mb)
    print(f"{n_galaxies:7d} galaxies: sky {drawn:.0f} s, {drawn_mb:.0f} MB; "
          f"frames {seconds - drawn:.0f} s, {painted_mb:.0f} MB")  # fmt: skip
    return seconds, memory_mb


def main(argv: list[str] | None = None) -> int:
    """Print a line for each size; exit 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--galaxies", type=int, nargs="+", default=[1000, 4000])
    sizes = sorted(set(parser.parse_args(argv).galaxies))
    found = {size: measure(size) for size in sizes}
    kept = all(memory_mb <= LARGEST_MB for _, memory_mb in found.values())
    if len(sizes) > 1:
        seconds = [found[size][0] for size in sizes]
        slopes = [
            (seconds[i + 1] - seconds[i]) / (sizes[i + 1] - sizes[i]) for i in range(len(sizes) - 1)
        ]
        expected = seconds[-1] + slopes[-1] * (ASKED_GALAXIES - sizes[-1])
        print(f"{1000 * slopes[-1]:.2f} ms a galaxy more: {ASKED_GALAXIES} in {expected:.0f} s")
        kept = kept and expected <= LARGEST_SECONDS and slopes[-1] <= LARGEST_GROWTH * slopes[0]
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
