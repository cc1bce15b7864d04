"""How many objects stand behind a metric, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from zladder.metrics.point import finite_rows


def counts(
    z_phot: ArrayLike, z_true: ArrayLike, grid_max: float | None = None, grid_min: float = 0.0
) -> dict[str, int]:
    """Count the objects in and out of a table of metrics.

    Parameters
    ----------
    z_phot, z_true
        Shape (n,), or (n_seeds, n) for z_phot.
    grid_max, grid_min
        The range [grid_min, grid_max) that a model of classes can answer; None for no such range.

    Returns
    -------
    ``n_total``; ``n_used`` (both finite); ``n_nonfinite`` (the others); ``n_off_grid`` (used, but
    with z_true outside the range: flagged, not left out).
    """
    used = finite_rows(z_phot, z_true)
    n_off_grid = 0
    if grid_max is not None:
        truth = np.asarray(z_true, dtype=np.float64)[used]
        n_off_grid = int(np.count_nonzero((truth < grid_min) | (truth >= grid_max)))
    n_total, n_used = len(used), int(used.sum())
    return {
        "n_total": n_total,
        "n_used": n_used,
        "n_nonfinite": n_total - n_used,
        "n_off_grid": n_off_grid,
    }


def point_flags(values: Mapping[str, float], n_used: int) -> list[str]:
    """Return the warnings that belong beside point metrics.

    ``too_few``: fewer than two objects, all metrics are NaN. ``collapsed``: sigma_nmad is 0, that
    is, more than half of the objects share one residual.
    """
    flags = ["too_few"] if n_used < 2 else []
    return [*flags, "collapsed"] if values.get("sigma_nmad") == 0.0 else flags
