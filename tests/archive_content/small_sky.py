"""A mock sky of some 200 galaxies a list, and where the archive keeps what was made of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.survey.catalogues import write_native
from zladder.survey.simulate import simulate_sky

ROOT = Path(__file__).resolve().parents[2]
SEED = 11
N_LISTED = 200  # galaxies of each list, before contaminants and objects without a label
N_SPECZ_IMAGES, N_PHOTOZ_IMAGES = 200, 24  # galaxies of the published training sets: 80 kB each
RELEASE_PIXELS = 107  # stamps of the self-supervised release
EDGE_PIXELS = 56
# One field a sample; galaxies keep so far from its edge that the release's stamps fit.
CHANGES: dict[str, Any] = {
    "n_specz": N_LISTED, "n_photoz": N_LISTED, "n_main": N_LISTED, "n_deep": N_LISTED,
    "imaging": {"galaxies_per_field": N_LISTED, "edge_pixels": EDGE_PIXELS},
    "cfhtls": {"tile_pixels": 1200},
    "hsc_images": {"n_specz_stamps": N_SPECZ_IMAGES, "n_photoz_stamps": N_PHOTOZ_IMAGES},
}  # fmt: skip

Tables = dict[str, pd.DataFrame]


def sky_settings() -> dict[str, Any]:
    """Return the settings of the survey stage for this sky."""
    given = read_yaml(ROOT / "config" / "config.yaml") | {"scale": "test"}
    return overlay(load_settings(ROOT, given)["survey"], CHANGES)


def make_sky(folder: Path) -> tuple[dict[str, Any], Tables]:
    """Return settings (with the seed) and tables; write those that the renderers read."""
    settings = sky_settings()
    tables = simulate_sky(settings, SEED)
    names = {"scene": "parquet", "sdss": "csv", "sdss_deep": "csv"}
    write_native(tables, {name: folder / f"{name}.{end}" for name, end in names.items()})
    return {**settings, "seed": SEED}, tables


def in_threads(function: Any, *arguments: Any) -> list[Any]:
    """Return a function's results for each set of arguments, on two threads."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, *arguments))
