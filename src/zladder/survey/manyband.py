"""The many-band catalogue's columns, named as in COSMOS2020 CLASSIC, and the cuts on them.

Fluxes are total ones: no aperture loses light, so that "APER2" is a name only. The real columns
are in microjansky; magnitudes are AB, not corrected for Milky-Way dust.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.template_fit import RedshiftFit

GALAXY, STAR, XRAY, FAILED = 0, 1, 2, -9
NJY_PER_UJY = 1000.0
DECIMALS = 4
PHOTOMETRY_UNITS = {
    "_FLUX_APER2": "uJy",
    "_FLUXERR_APER2": "uJy",
    "_MAG_APER2": "mag",
    "_MAGERR_APER2": "mag",
}

Array = NDArray[np.float64]
Pair = tuple[Array, Array]  # values and errors, shape (N, B) each


def photometry_columns(
    bands: Sequence[str], flux_njy: Pair, magnitude: Pair, stored_ebv_mag: Array
) -> pd.DataFrame:
    """Return flags, dust, and four columns a band; NaN where masked or, in mag, not positive.

    ``FLAG_HSC`` is 1 where an HSC band is masked, ``FLAG_COMBINED`` where any is; the real flags
    are those of regions around bright stars and of the fields' edges.
    """
    masked = np.isnan(flux_njy[0])
    in_hsc = np.array([band.startswith("HSC_") for band in bands])
    columns: dict[str, NDArray] = {
        "FLAG_COMBINED": _flag(masked),
        "FLAG_HSC": _flag(masked[:, in_hsc]),
        "EBV_MW": stored_ebv_mag.astype(np.float32),
    }
    values = (flux_njy[0] / NJY_PER_UJY, flux_njy[1] / NJY_PER_UJY, *magnitude)
    for index, band in enumerate(bands):
        for ending, array in zip(PHOTOMETRY_UNITS, values, strict=True):
            column = np.where(masked[:, index], np.nan, array[:, index])
            columns[band + ending] = column.astype(np.float32)
    return pd.DataFrame(columns)


def _flag(masked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return 1 for rows with any masked band, shape (N,)."""
    return np.where(masked.any(axis=1), 1, 0).astype(np.int32)


def fit_columns(fit: RedshiftFit, is_xray: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the ``lp_`` columns of a fit; N rows.

    An object is a star where the best star fits better than the best galaxy (the real catalogue
    looks at sizes too), and then has redshift 0; X-ray sources keep a galaxy's numbers without
    ``lp_zBEST``; fits of too few bands have failed.
    """
    failed = np.isnan(fit.z_median)
    kind = np.where(fit.chi2_star < fit.chi2_min, STAR, GALAXY)
    kind = np.where(failed, FAILED, np.where(is_xray, XRAY, kind))
    is_star = kind == STAR
    redshifts = {
        "lp_zPDF": fit.z_median,
        "lp_zPDF_l68": fit.z_low,
        "lp_zPDF_u68": fit.z_high,
    }
    columns: dict[str, NDArray] = {
        "lp_type": kind.astype(np.int32),
        "lp_zBEST": np.where(kind == GALAXY, fit.z_median, np.nan),
        **{name: np.where(is_star, 0.0, values) for name, values in redshifts.items()},
        "lp_zMinChi2": fit.z_min_chi2,
        "lp_chi2_best": fit.chi2_min,
        "lp_chis": fit.chi2_star,
        "lp_NbFilt": fit.n_filters.astype(np.int32),
        "lp_mass_best": fit.log_mass_best,
        "lp_mass_med": fit.log_mass_median,
        "lp_zp_2": fit.second_peak_z,
    }
    # as many digits as the real columns have; rounding of the last bits then never shows
    return pd.DataFrame(columns).round(DECIMALS)


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
