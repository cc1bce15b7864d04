"""What catalogues list of the seeing: SDSS-like ones of a field, HSC-like ones of an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from zladder.config.imaging import FieldNumber
from zladder.survey.coadd import HSC_PIXEL_ARCSEC
from zladder.survey.conditions import draw_conditions
from zladder.survey.imaging import ImagingField
from zladder.universe.star_fits import moffat_on_pixels
from zladder.universe.star_moments import adaptive_moments

STAR_PIXELS = 41
# SDSS counts rows from the edge of a frame: the middle of the first one is 0.5.
FIRST_ROW = 0.5


def with_seeing(table: pd.DataFrame, settings: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """Return the catalogue joined with its fields' seeing, as SDSS's table Field lists it.

    Parameters
    ----------
    table
        With `run, camcol, field`, N rows.
    settings
        Blocks ``imaging`` and ``sdss`` of the survey stage.
    seed
        The sky's.

    Returns
    -------
    pandas.DataFrame
        The same rows, and `psfWidth_{band}`: full width at half maximum in arcsec that stars are
        painted with, before they fall on pixels, float64.
    """
    numbers = ["run", "camcol", "field"]
    fields = table[numbers].drop_duplicates()
    nights = [draw_conditions(settings, seed, FieldNumber(*map(int, row)))
              for row in fields.itertuples(index=False)]  # fmt: skip
    bands = tuple(settings["sdss"]["filters"])
    widths = np.array([night.seeing_fwhm_arcsec for night in nights]).reshape(-1, len(bands))
    listed = {f"psfWidth_{band}": widths[:, index] for index, band in enumerate(bands)}
    return table.merge(fields.assign(**listed), on=numbers, how="left", validate="many_to_one")


def psf_moments_arcsec2(images: Mapping[str, Any], bands: Sequence[str]) -> list[float]:
    """Return the adaptive second moment of a star in each band, as HSC's `sdssshape` measures it.

    It is that of the point-spread function on pixels. The Gaussian of this moment is wider than
    the star is at half of its height: for Moffat profiles of beta 3.5 by 11 %, and by the pixel.

    Parameters
    ----------
    images
        Block ``hsc_images`` of the survey stage: `psf_fwhm_arcsec`, `moffat_beta`.
    bands
        Their letters.
    """
    fwhm_pixels = np.array([images["psf_fwhm_arcsec"][band] for band in bands]) / HSC_PIXEL_ARCSEC
    middle, beta = np.zeros(len(bands)), np.full(len(bands), float(images["moffat_beta"]))
    stars = moffat_on_pixels(STAR_PIXELS, middle, middle, fwhm_pixels, beta)
    sigma_arcsec = adaptive_moments(stars).sigma_pixels * HSC_PIXEL_ARCSEC
    return [float(sigma) ** 2 for sigma in sigma_arcsec]


def with_rows(
    table: pd.DataFrame, settings: Mapping[str, Any], fields: Sequence[ImagingField]
) -> pd.DataFrame:
    """Return the catalogue with each object's row in its frames, by its listed position.

    Parameters
    ----------
    table
        With `run, camcol, field, ra, dec`, N rows.
    settings
        Block ``sdss`` of the survey stage.
    fields
        The fields, those of the table among them.

    Returns
    -------
    pandas.DataFrame
        The same rows, and `rowc_{band}` in pixels, float64, as PhotoObjAll has them: the same in
        all bands, whose frames have one projection.
    """
    rows = pd.Series(np.nan, index=table.index)
    by_number = {field.number: field for field in fields}
    for number, part in table.groupby(list(FieldNumber._fields)):
        field = by_number[FieldNumber(*map(int, number))]
        rows[part.index] = field.to_pixels(part["ra"].to_numpy(), part["dec"].to_numpy())[1]
    listed = rows + FIRST_ROW
    return table.assign(**{f"rowc_{band}": listed for band in settings["sdss"]["filters"]})
