"""How far the distribution of the estimates is from that of the true redshifts, from counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zladder.metrics.residuals import Floats


def binned_counts(index: NDArray[np.int64], n_bins: int) -> NDArray[np.int64]:
    """Count bins -1 .. n_bins of `bin_index` along the last axis, (..., n) to (..., n_bins + 2).

    The first and the last count hold the galaxies outside, so that none is dropped.
    """
    rows = index.reshape(-1, index.shape[-1]) + 1
    rows = rows + np.arange(len(rows))[:, None] * (n_bins + 2)
    found = np.bincount(rows.ravel(), minlength=len(rows) * (n_bins + 2))
    return found.reshape(*index.shape[:-1], n_bins + 2)


def tv_of(phot: NDArray[np.int64], truth: NDArray[np.int64]) -> Floats:
    """Return TV = 1/2 sum_k abs(p_phot(k) - p_true(k)), the mode collapse of Lin et al. 2022.

    Counts (..., k) to (...). It carries sampling noise of order sqrt(bins / n): compare only at
    equal n and bins.
    """
    return 0.5 * np.abs(phot - truth).sum(axis=-1) / truth.sum(axis=-1)


def w1_of(phot: NDArray[np.int64], truth: NDArray[np.int64], edges: Floats) -> Floats:
    """Return sum_k abs(CDF_phot(k) - CDF_true(k)) w_k, the Wasserstein-1 distance in redshift.

    The CDFs are those at the upper edges of bins (a, b]; no distance beyond the edges is added.
    Counts (..., n_bins + 2) to (...).
    """
    ahead = np.cumsum(phot - truth, axis=-1)[..., 1:-1]
    return (np.abs(ahead) * np.diff(edges)).sum(axis=-1) / truth.sum(axis=-1)
