"""What image datasets lose at the borders of their splits, told split by split."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.datasets.splits import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger("zladder")

_LARGE_SHARE = 0.25  # ours: a quarter of the galaxies; of small splits it is then a third


def told_of_borders(splits: np.ndarray, stays: NDArray[np.bool_]) -> dict[str, Any]:
    """Return, and log, how many galaxies each split loses at its borders.

    A small split loses a larger share than a large one, for more of its neighbours are of another.

    Parameters
    ----------
    splits
        The split that each galaxy is drawn into, text (N,).
    stays
        Which galaxies are not at a border, bool (N,).

    Returns
    -------
    dict
        ``n_border_dropped`` (by split, those that have galaxies).
    """
    drawn = {split: splits == split for split in SPLITS if (splits == split).any()}
    lost = {split: int((mine & ~stays).sum()) for split, mine in drawn.items()}
    parts = [f"{split} {lost[split] / mine.sum():.0%}" for split, mine in drawn.items()]
    share = float(1.0 - np.mean(stays)) if len(stays) else 0.0
    words = "%.0f %% of the galaxies are dropped at the border of another split (%s)"
    log.info(words, 100 * share, ", ".join(parts))
    if share > _LARGE_SHARE:
        log.warning("that is much: cells of a lower datasets.images.sky_cell_order lose fewer")
    return {"n_border_dropped": lost}
