"""Close pairs across splits: of two galaxies that near, one would tell of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from zladder.datasets.splits import SPLITS
from zladder.tables.sky_points import chord, unit_vectors

if TYPE_CHECKING:
    import pandas as pd


def without_pairs_across(
    frame: pd.DataFrame, radius_arcsec: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the galaxies without close pairs across splits, in their order; and counts.

    A galaxy is dropped if one of a later split (train, validation, calibration, test) is within
    the radius, whether or not that one stays. Hence no test galaxy is ever dropped, nobody changes
    its split, and what becomes of a galaxy depends on its neighbours alone. Groups that share a
    split by a rule of their own would not do: a galaxy's split would depend on what else a dataset
    holds, and one could be trained on in one dataset and tested on in another.

    Parameters
    ----------
    frame
        `split`; `ra` and `dec` in deg. Without positions all stay.
    radius_arcsec
        Largest distance of a pair, included.

    Returns
    -------
    tuple
        The table; `n_pairs_across` and `n_paired_dropped` (by split).
    """
    dropped, n_pairs = paired_across(frame, radius_arcsec)
    lost = frame.loc[dropped, "split"].value_counts()
    counts = {
        "n_pairs_across": n_pairs,
        "n_paired_dropped": {split: int(lost.get(split, 0)) for split in SPLITS},
    }
    return frame[~dropped].reset_index(drop=True), counts


def paired_across(frame: pd.DataFrame, radius_arcsec: float) -> tuple[np.ndarray, int]:
    """Return (which galaxies are near one of a later split, bool (N,); pairs across splits)."""
    near = np.zeros(len(frame), dtype=bool)
    if not {"ra", "dec"} <= set(frame.columns):
        return near, 0
    tree = cKDTree(unit_vectors(frame))
    pairs = tree.query_pairs(chord(radius_arcsec), output_type="ndarray")
    place = frame["split"].map({split: place for place, split in enumerate(SPLITS)}).to_numpy()
    first, second = pairs[:, 0], pairs[:, 1]
    near[first[place[first] < place[second]]] = True
    near[second[place[second] < place[first]]] = True
    return near, int((place[first] != place[second]).sum())
