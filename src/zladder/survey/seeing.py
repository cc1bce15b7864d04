"""What an SDSS-like catalogue lists of the field in which each object lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from zladder.config.imaging import FieldNumber
from zladder.survey.conditions import draw_conditions


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
