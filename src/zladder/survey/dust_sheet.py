"""The dust of the mock sky as a map: what a figure shows, and no catalogue can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from zladder.survey.geometry import Field
from zladder.survey.imaging import main_area
from zladder.survey.observing import Dust

STEPS = 120  # along the shorter side of a patch
CLOSE_DEG2 = 36.0  # in the middle of the main area: the finest structure can be seen there


def dust_sheet(dust: Dust, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return E(B-V) on two grids: the main area, and a small part in the middle of it.

    Parameters
    ----------
    dust
        Of the sky.
    settings
        ``sky`` of the survey stage.

    Returns
    -------
    table
        ``patch`` (``main`` or ``close``), ``row``, ``column``, ``ra`` and ``dec`` (degrees; ra
        may be beyond 0 to 360, so that neighbours are neighbours), ``ebv_mag`` (true) and
        ``stored_ebv_mag`` (as listed).
    """
    main = main_area(settings)
    close = Field(main.ra_deg, main.dec_deg, min(CLOSE_DEG2, main.area_deg2))
    return pd.concat([_patch(dust, "main", main), _patch(dust, "close", close)], ignore_index=True)


def _patch(dust: Dust, name: str, field: Field) -> pd.DataFrame:
    low, high = (float(end) for end in field.dec_range_deg)
    step = (high - low) / STEPS
    n_columns = max(round(field.ra_width_deg / step), 1)
    dec = np.linspace(low + step / 2, high - step / 2, STEPS)
    ra = field.ra_deg + field.ra_width_deg * ((np.arange(n_columns) + 0.5) / n_columns - 0.5)
    row, column = np.divmod(np.arange(STEPS * n_columns), n_columns)
    ebv, stored = dust.at((ra[column] % 360.0, dec[row]))
    return pd.DataFrame(
        {
            "patch": name, "row": row, "column": column, "ra": ra[column], "dec": dec[row],
            "ebv_mag": ebv, "stored_ebv_mag": stored,
        }
    )  # fmt: skip
