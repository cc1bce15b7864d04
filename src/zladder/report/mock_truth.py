"""What is true of the objects of a table: the mock sky's own file, joined by the identifiers.

Only figures and pages that judge the sky look at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The identifiers by which catalogues list an object; those of two surveys never meet.
ID_COLUMNS = ("objID", "object_id")
NO_ID = -1
TYPES = ("E", "Sbc", "Scd", "Im")  # the templates at sed_type 0, 1, 2, 3
TYPE_COLOURS = ("#D55E00", "#E69F00", "#009E73", "#0072B2")


def truth_of(truth: pd.DataFrame, object_id: NDArray[np.int64]) -> pd.DataFrame:
    """Return the row of the truth of each object, NaN of those that it does not know.

    Parameters
    ----------
    truth
        ``objID``, ``object_id`` (-1: not listed there) and more; of an object that is listed
        twice the first row counts.
    object_id
        Shape (N,).
    """
    known = pd.concat(
        [
            truth[truth[column] != NO_ID].assign(listed_id=truth[column])
            for column in ID_COLUMNS
            if column in truth
        ]
    )
    known = known.drop_duplicates("listed_id").set_index("listed_id")
    return known.reindex(object_id).reset_index(drop=True)


def nearest_type(sed_type: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which of `TYPES` each galaxy is nearest to, -1 for what has no type; shape (N,)."""
    known = np.isfinite(sed_type)
    place = np.clip(np.round(np.where(known, sed_type, 0)), 0, len(TYPES) - 1).astype(np.int64)
    return np.where(known, place, -1)
