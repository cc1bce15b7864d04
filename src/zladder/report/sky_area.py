"""How much of the sky a dataset covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    import pandas as pd

# Galaxies a cell: of evenly spread ones e^-4 = 2 % of such cells are empty by chance.
FEWEST = 4.0

FINEST_ORDER = 16  # 3 arcsec
SKY_DEG2 = 360.0**2 / np.pi


class Area(NamedTuple):
    """The area of the cells that hold a galaxy, and what it was counted by."""

    deg2: float
    order: int  # of the HEALPix cells
    n_galaxies: int


def covered_area(dataset: pd.DataFrame) -> Area | None:
    """Return the area of the occupied cells, of the finest that hold enough galaxies on average.

    Smaller cells would leave out the sky between the galaxies, larger ones add more of what lies
    beside the edge. `FEWEST` was chosen so that 20,000 galaxies spread over caps, and the mock
    sky's fields of 0.04 deg2, come within 5 % of the truth.

    Parameters
    ----------
    dataset
        ``ra dec`` (deg, ICRS) where its survey gives any; N rows.

    Returns
    -------
    area
        None without positions, and of so few galaxies that even the largest cells hold fewer than
        `FEWEST`.
    """
    if not {"ra", "dec"} <= set(dataset.columns):
        return None
    places = dataset["ra"].to_numpy(), dataset["dec"].to_numpy()
    cells = np.sort(healpix_index(*places, FINEST_ORDER))  # and so sorted in coarser ones too
    for order in range(FINEST_ORDER, -1, -1):
        n_cells = 1 + int(np.count_nonzero(np.diff(cells >> (2 * (FINEST_ORDER - order)))))
        if len(cells) >= FEWEST * n_cells:
            return Area(n_cells * SKY_DEG2 / (12 * 4**order), order, len(cells))
    return None
