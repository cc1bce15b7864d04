"""Which galaxies become usable labels: every one that was drawn, kept or not, with what was seen.

The oracle learns the probability of being selected from this; no catalogue holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.geometry import Field
from zladder.survey.observing import Seen
from zladder.universe.instruments import Instrument
from zladder.universe.population import make_pool

MAX_ROWS = 60_000  # more would not make the probability any better known


def drawn_rows(seen: Seen, bands: Sequence[str], usable: pd.Series) -> pd.DataFrame:
    """Return the columns of ``selection_photoz``; N rows.

    Parameters
    ----------
    seen
        N galaxies as the HSC-like survey sees them.
    bands
        Its bands.
    usable
        Whether each is a usable label: passes the usual cuts and is listed in every band.

    Returns
    -------
    rows
        ``z_true``, ``stored_ebv_mag``, ``flux_{band}_njy``, ``flux_error_{band}_njy`` (observed)
        and ``usable``.
    """
    columns = {"z_true": seen.galaxies.z, "stored_ebv_mag": seen.stored_ebv_mag}
    for index, band in enumerate(bands):
        columns[f"flux_{band}_njy"] = seen.flux[:, index]
        columns[f"flux_error_{band}_njy"] = seen.flux_error[:, index]
    return pd.DataFrame({**columns, "usable": usable.to_numpy()})


def named_rows(
    drawn: pd.DataFrame, row: NDArray[np.int64], object_id: NDArray[np.int64]
) -> pd.DataFrame:
    """Return the drawn galaxies with the identifier that the HSC-like catalogue gives each.

    By it a galaxy's own fate can be kept out of what answers for it.

    Parameters
    ----------
    drawn
        D galaxies (`drawn_rows`).
    row
        Shape (N,): for each object of the deep field its row among them, -1 for a star.
    object_id
        Shape (N,): its identifier, -1 where the catalogue does not list it.

    Returns
    -------
    rows
        ``object_id``, -1 where none was given, before the other columns.
    """
    ids = np.full(len(drawn), -1, dtype=np.int64)
    ids[row[row >= 0]] = object_id[row >= 0]
    return drawn.assign(object_id=ids)[["object_id", *drawn.columns]]


def searched_share(
    settings: Mapping[str, Any], hsc: Instrument, field: Field, drawn: pd.DataFrame
) -> float:
    """Return which share of the deep field's galaxies was drawn to find the labels asked for.

    Parameters
    ----------
    settings, hsc, field
        With the number of labels collected (``n_photoz``).
    drawn
        All rows of `drawn_rows`, in the order of the draw.
    """
    pool = make_pool(hsc.table, settings["population"], "i", settings["manyband"]["limit_i_mag"])
    found = drawn["usable"].to_numpy().cumsum()
    n_drawn = np.searchsorted(found, settings["n_photoz"]) + 1
    return float(n_drawn / (pool.per_deg2 * field.area_deg2))
