"""Units of native columns: angles to degrees, fluxes to AB magnitudes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from zladder.catalogs.column_map import survey_file
from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import (
    MAG_PER_LN,
    NANOMAGGY_NAMES,
    NANOMAGGY_ZERO_POINT_MAG,
    NJY_PER_NANOMAGGY,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.catalogs.column_map import MappedColumn


@cache
def nanomaggies_per(unit: str) -> float | None:
    """Return how many nanomaggies one of this flux unit is, or None if it is no flux unit."""
    if unit in NANOMAGGY_NAMES:
        return 1.0
    try:
        return float(u.Unit(unit).to(u.nJy)) / NJY_PER_NANOMAGGY
    except (ValueError, u.UnitConversionError):
        return None


@cache
def degrees_per(unit: str) -> float | None:
    """Return how many degrees one of this unit is, or None if it is no angle."""
    try:
        return float(u.Unit(unit).to(u.deg))
    except (ValueError, u.UnitConversionError):
        return None


def require_units(columns: Sequence[MappedColumn], survey: Mapping[str, Any]) -> None:
    """Raise BadInput for a unit that cannot become the standard one.

    A flux error needs the flux of its own band: the error in magnitudes is relative.
    """
    flux = {column.name for column in columns if column.is_flux}
    for column in columns:
        expected = _acceptable(column)
        if expected:
            raise BadInput(survey_file(survey), f"columns.{column.name}", expected,
                           f"'{column.unit}'", "write units as astropy does")  # fmt: skip
        if column.name.startswith("mag_err_"):
            partner = column.name.replace("mag_err_", "mag_")
            if column.is_flux != (partner in flux):
                kind = "flux" if partner in flux else "magnitude"
                raise BadInput(survey_file(survey), f"columns.{column.name}",
                               f"a {kind} error, as '{partner}' is a {kind}", f"'{column.unit}'",
                               "give both in the same kind of unit")  # fmt: skip


def _acceptable(column: MappedColumn) -> str:
    """Return what would have been right, empty if the unit is right."""
    if column.name in ("ra", "dec"):
        return "" if degrees_per(column.unit) else "an angle, as deg, rad, hourangle"
    if column.is_flux:
        return "" if nanomaggies_per(column.unit) else "mag, nanomaggy, or a unit as nJy"
    units = {"mag_": "mag", "ebv_": "mag", "extinction_": "mag", "psf_fwhm_": "arcsec",
             "psf_moment_": "arcsec2"}  # fmt: skip
    standard = next((units[start] for start in units if column.name.startswith(start)), "")
    return "" if column.unit == standard else f"the unit '{standard}'"


def magnitude(flux_nmgy: np.ndarray) -> np.ndarray:
    """Return AB magnitudes 22.5 - 2.5 log10(f), shape (N,); inf (not detected) where f <= 0."""
    positive = np.where(flux_nmgy > 0, flux_nmgy, np.nan)
    mag = NANOMAGGY_ZERO_POINT_MAG - 2.5 * np.log10(positive)
    return np.where(flux_nmgy <= 0, np.inf, mag)


def magnitude_error(flux_nmgy: np.ndarray, error_nmgy: np.ndarray) -> np.ndarray:
    """Return errors 2.5 / ln 10 * error / f in mag, shape (N,); inf where f <= 0."""
    positive = np.where(flux_nmgy > 0, flux_nmgy, np.nan)
    error = MAG_PER_LN * error_nmgy / positive
    return np.where((flux_nmgy <= 0) & ~np.isnan(error_nmgy), np.inf, error)
