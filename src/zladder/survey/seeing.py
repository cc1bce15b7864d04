"""What an SDSS-like catalogue lists of the field in which each object lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from zladder.config.imaging import FieldNumber
from zladder.survey.conditions import draw_conditions
from zladder.survey.imaging import ImagingField

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
