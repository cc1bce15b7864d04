"""A small deep sky and its images, which several tests share; each is made once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from mock_sky import settings

from zladder.survey.cutout_survey import write_cutouts
from zladder.survey.scene_columns import SHAPE_COLUMNS
from zladder.survey.simulate import simulate_sky
from zladder.survey.tile_files import write_tiles

SEED = 4
_FOLDERS: list[TemporaryDirectory] = []  # live as long as the tests


@cache
def asked() -> dict[str, Any]:
    wanted = settings(n_photoz=400, n_specz=60, n_main=20, n_deep=10)
    wanted["cfhtls"]["tile_pixels"] = 512
    return wanted


@cache
def sky() -> dict[str, pd.DataFrame]:
    return simulate_sky(asked(), SEED)


def objects(
    x: list[float], y: list[float], flux: float, bands: str, **columns: Any
) -> pd.DataFrame:
    """Return objects of a scene, stars but for the columns given; the flux is in nmgy."""
    shapes = dict.fromkeys(SHAPE_COLUMNS, 0.0) | {"disc_axis_ratio": 1.0, "bulge_axis_ratio": 1.0}
    table = pd.DataFrame({"x_pixel": x, "y_pixel": y}).assign(**shapes)
    for band in bands:
        table[f"disc_flux_{band}_nmgy"] = flux
        table[f"bulge_flux_{band}_nmgy"] = 0.0
    return table.assign(**columns)


def _folder() -> Path:
    _FOLDERS.append(TemporaryDirectory())
    return Path(_FOLDERS[-1].name)


@cache
def tiles() -> tuple[Path, pd.DataFrame]:
    """Return the folder of the tiles, and their index."""
    folder = _folder()
    return folder, write_tiles(asked(), SEED, sky()["scene_cfhtls"], folder)


@cache
def cutouts() -> tuple[Path, pd.DataFrame]:
    """Return the folder of the cutouts and training sets, and the index."""
    folder = _folder()
    sets = {name: folder / f"{name}.h5" for name in ("specz", "photoz")}
    index = write_cutouts(asked(), SEED, sky()["stamps_hsc"], sky()["scene_hsc"], folder, sets)
    return folder, index


def has_cards(header: fits.Header, cards: dict[str, type]) -> bool:
    return {name: type(header[name]) for name in cards} == cards


def optimal_sigma(noise: np.ndarray, star: np.ndarray) -> float:
    """Return the spread of a star's flux fitted at many places of an empty image.

    Parameters
    ----------
    noise
        An image without objects.
    star
        Shape (K, K): the star's share in each pixel.
    """
    at_every_pixel = np.fft.irfft2(
        np.fft.rfft2(noise) * np.conj(np.fft.rfft2(star, noise.shape)), noise.shape
    )
    return float(at_every_pixel.std() / (star.astype(float) ** 2).sum())
