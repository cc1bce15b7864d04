"""Widths of the point-spread function: those that are none, and those made of second moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.catalogs.column_map import MOMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.catalogs.column_map import MappedColumn

WIDTH = "psf_fwhm_arcsec_"
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))  # of a Gaussian: 2.3548


def fwhm_arcsec(
    xx_arcsec2: np.ndarray, yy_arcsec2: np.ndarray, xy_arcsec2: np.ndarray
) -> np.ndarray:
    """Return 2.3548 (I_xx I_yy - I_xy^2)^(1/4): the full width of the Gaussian of these moments.

    Shape (N,); NaN where the moments are those of no ellipse (I_xx, I_yy or the determinant not
    above 0) or one of them is NaN.
    """
    determinant = xx_arcsec2 * yy_arcsec2 - xy_arcsec2**2
    good = (xx_arcsec2 > 0) & (yy_arcsec2 > 0) & (determinant > 0)
    return np.asarray(FWHM_PER_SIGMA * np.where(good, determinant, np.nan) ** 0.25)


def without_widths(
    read: Mapping[str, np.ndarray], columns: Sequence[MappedColumn], counts: dict[str, Any]
) -> None:
    """Set widths of 0 or below, read from a column of their own, to NaN, in place.

    They are a failed measurement, and nothing is lost by them but the width. They are counted in
    ``width_not_positive`` (native column -> rows), which is there where widths are mapped.
    """
    for column in (column for column in columns if column.name.startswith(WIDTH)):
        none = read[column.name] <= 0
        lost = int(none.sum())
        counts.setdefault("width_not_positive", {}).update({column.native: lost} if lost else {})
        read[column.name][none] = np.nan


def replace_moments(
    read: dict[str, np.ndarray], columns: Sequence[MappedColumn], counts: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Return the columns read, each shape (N,), with widths in the place of moments.

    Moments of no ellipse become NaN; they are counted in ``moments_not_positive`` (native column of
    the first moment -> rows), which is there where moments are mapped.
    """
    found = {name: values for name, values in read.items() if not name.startswith(MOMENTS)}
    for first in (column for column in columns if column.name.startswith(MOMENTS[0])):
        band = first.name.removeprefix(MOMENTS[0])
        moments = [read[f"{start}{band}"] for start in MOMENTS]
        width = fwhm_arcsec(*moments)
        lost = int((np.isnan(width) & ~np.isnan(moments).any(axis=0)).sum())
        counts.setdefault("moments_not_positive", {}).update({first.native: lost} if lost else {})
        found[f"{WIDTH}{band}"] = width
    return found
