"""Settings and skies that the tests of the mock sky share; each sky is simulated once."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from zladder.survey.simulate import simulate_sky
from zladder.universe.galaxies import Galaxies
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.spectra import Spectra, load_spectra

SETTINGS_FILE = Path(__file__).parents[2] / "config" / "stages" / "survey.yaml"
NUMBERS = {"n_photoz": 600, "n_specz": 600, "n_main": 800, "n_deep": 100}


def settings(**numbers: int) -> dict[str, Any]:
    """Return a copy of the shipped settings, with these numbers of galaxies."""
    result = deepcopy(_settings()) | NUMBERS | numbers
    if result["n_photoz"] < 60:  # a deep field of so few is smaller than the shipped tile
        result["cfhtls"]["tile_pixels"] = 128
    block = result["hsc_images"]
    for kind in ("specz", "photoz"):
        block[f"n_{kind}_stamps"] = min(block[f"n_{kind}_stamps"], result[f"n_{kind}"])
    return result


@cache
def _settings() -> dict[str, Any]:
    return yaml.safe_load(SETTINGS_FILE.read_text(encoding="utf-8"))


@cache
def spectra() -> Spectra:
    return load_spectra()


@cache
def instrument(name: str) -> Instrument:
    return make_instrument(spectra(), settings(), name)


@cache
def small_sky(seed: int = 1) -> dict[str, pd.DataFrame]:
    return simulate_sky(settings(n_photoz=300, n_specz=300, n_main=300), seed)


@cache
def large_sky() -> dict[str, pd.DataFrame]:
    return simulate_sky(settings(n_photoz=2000, n_specz=2000, n_main=6000), 1)


def galaxies(z: np.ndarray, **columns: Any) -> Galaxies:
    """Return galaxies of M_r = -21, plain ellipticals but for the columns given."""
    n = len(z)
    given = {
        "abs_mag_r": np.full(n, -21.0),
        "is_early": np.ones(n, dtype=bool),
        "sed_type": np.zeros(n),
        "ebv_internal_mag": np.zeros(n),
        "sed_modes": np.zeros((n, 3)),
        "structure": np.zeros(n),
        "cos_inclination": np.ones(n),
    }
    return Galaxies(z=np.asarray(z, dtype=float), **(given | columns))


def photoz_sample(sky: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the many-band catalogue with the truth's columns and the HSC-like photometry."""
    table = sky["cosmos"].merge(sky["truth"], left_on="ID", right_on="cosmos_id")
    return table.merge(sky["hsc"], on="object_id", how="left", suffixes=("_true", ""))


def specz_sample(sky: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the spectroscopic list with the truth's columns and the HSC-like photometry."""
    table = sky["galaxiesml"].merge(sky["truth"], on="specz_name")
    return table.merge(sky["hsc"], on="object_id", how="left", suffixes=("_true", ""))
