"""Many-band photometric redshifts, in the columns of COSMOS2020's LePhare run.

The label is the true redshift with a stated scatter, not yet the outcome of a template fit: a
Gaussian of 0.01 (1 + z) for bright galaxies growing to 0.02 (1 + z), a share of outliers, and a
share of redshift distributions with two peaks; both shares grow towards faint magnitudes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.universe.photometry import distance_modulus_mag

GALAXY, STAR, XRAY, FAILED = 0, 1, 2, -9
GRID_Z = (0.02, 4.6)  # redshifts that the fit allows
SUN_ABS_MAG_I = 4.5
N_FILTERS = 30

Array = NDArray[np.float64]


def _ramp(mag: Array, bright_mag: float, faint_mag: float) -> Array:
    """Return 0 brighter than the first magnitude, 1 fainter than the second, linear between."""
    return np.clip((mag - bright_mag) / (faint_mag - bright_mag), 0.0, 1.0)


def scatter_share(settings: Mapping[str, Any], i_mag: Array) -> Array:
    """Return the label's scatter over (1 + z)."""
    low, high = settings["scatter_bright"], settings["scatter_faint"]
    return low + (high - low) * _ramp(i_mag, settings["bright_i_mag"], settings["faint_i_mag"])


def manyband_columns(
    rng: np.random.Generator, settings: Mapping[str, Any], z: Array, i_mag: Array
) -> pd.DataFrame:
    """Return the ``lp_`` columns for galaxies of true redshift and the fit's i magnitude; N rows.

    Widths and quality come from the magnitude and the label, never from the truth.
    """
    n = len(z)
    scatter = scatter_share(settings, i_mag)
    fitted = z + scatter * (1 + z) * rng.normal(size=n)
    faint = _ramp(i_mag, settings["bright_i_mag"], settings["faint_i_mag"])
    outlier = rng.random(n) < settings["outlier_share_faint"] * (0.3 + 0.7 * faint)
    fitted = np.where(outlier, rng.uniform(*GRID_Z, size=n), fitted)
    fitted = np.clip(fitted, *GRID_Z)
    odds = (i_mag - settings["two_peaks_half_i_mag"]) / settings["two_peaks_width_mag"]
    two_peaks = rng.random(n) < 1 / (1 + np.exp(-odds))
    reported = np.where(two_peaks, rng.uniform(0.08, 0.5, n), scatter) * np.exp(
        0.2 * rng.normal(size=n)
    )
    columns = _fit_columns(rng, fitted, reported, two_peaks, i_mag)
    return _with_types(rng, settings, columns)


def _fit_columns(
    rng: np.random.Generator, z: Array, width: Array, two_peaks: NDArray[np.bool_], i_mag: Array
) -> pd.DataFrame:
    """Return what a fit reports around its redshift, of a relative 68 % half width."""
    n = len(z)
    lean = 1 + 0.15 * rng.normal(size=(2, n))
    n_filters = N_FILTERS - rng.binomial(6, 0.3, n)
    chi2 = n_filters * np.exp(0.35 * rng.normal(size=n))
    peak = np.clip(z + 0.3 * width * (1 + z) * rng.normal(size=n), *GRID_Z)
    second = np.clip(z + width * (1 + z) * 2 * rng.choice([-1.0, 1.0], n), *GRID_Z)
    sun_mag = i_mag - distance_modulus_mag(z) - SUN_ABS_MAG_I
    return pd.DataFrame(
        {
            "lp_type": np.full(n, GALAXY, dtype=np.int32),
            "lp_zBEST": z,
            "lp_zPDF": z,
            "lp_zPDF_l68": np.maximum(z - width * (1 + z) * np.abs(lean[0]), 0.0),
            "lp_zPDF_u68": z + width * (1 + z) * np.abs(lean[1]),
            "lp_zMinChi2": peak,
            "lp_chi2_best": chi2,
            "lp_chis": chi2 * (1.05 + 3 * rng.random(n)),
            "lp_NbFilt": n_filters.astype(np.int32),
            "lp_mass_best": -0.4 * sun_mag + 0.3 + 0.15 * rng.normal(size=n),
            "lp_zp_2": np.where(two_peaks, second, np.nan),
        }
    )


def _with_types(
    rng: np.random.Generator, settings: Mapping[str, Any], columns: pd.DataFrame
) -> pd.DataFrame:
    """Mark X-ray sources (no ``lp_zBEST``) and failed fits (no numbers at all)."""
    kind = rng.random(len(columns))
    failed = kind < settings["failed_share"]
    xray = ~failed & (kind < settings["failed_share"] + settings["xray_share"])
    columns.loc[xray, "lp_type"], columns.loc[failed, "lp_type"] = XRAY, FAILED
    columns.loc[xray | failed, "lp_zBEST"] = np.nan
    numbers = [name for name in columns if columns[name].dtype == np.float64]
    columns.loc[failed, numbers] = np.nan
    return columns


def star_columns(
    rng: np.random.Generator, settings: Mapping[str, Any], i_mag: Array
) -> pd.DataFrame:
    """Return the ``lp_`` columns of stars: the stellar fit is the better one."""
    columns = manyband_columns(rng, settings, np.full(len(i_mag), 0.3), i_mag)
    columns["lp_type"] = np.int32(STAR)
    columns["lp_chis"] = columns["lp_chi2_best"] * rng.uniform(0.2, 0.9, len(columns))
    columns["lp_zBEST"] = np.nan
    for name in ("lp_zPDF", "lp_zPDF_l68", "lp_zPDF_u68"):
        columns[name] = 0.0
    return columns


def passes_usual_cuts(columns: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows pass the quality cuts that users of the catalogue apply.

    The list is that of a public pipeline for this catalogue: a galaxy, a fit inside the grid, a
    mass above 10^7.5, 68 % half widths below 0.05 (1 + z), better than a star, chi2 below five a
    filter, one peak.
    """
    z = columns["lp_zPDF"]
    half = np.maximum(columns["lp_zPDF_u68"] - z, z - columns["lp_zPDF_l68"])
    passes = (
        (columns["lp_type"] == GALAXY)
        & columns["lp_zMinChi2"].between(0.01, 9.0, inclusive="neither")
        & z.between(0.01, 4.0, inclusive="neither")
        & (columns["lp_mass_best"] > 7.5)
        & (half < 0.05 * (1 + z))
        & (columns["lp_chi2_best"] < columns["lp_chis"])
        & (columns["lp_chi2_best"] < 5 * columns["lp_NbFilt"])
        & columns["lp_zp_2"].isna()
    )
    return passes.to_numpy()
