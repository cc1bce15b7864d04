"""How far the distribution of the estimates is from that of the true redshifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zladder.metrics.binned import bin_index, checked_edges
from zladder.metrics.bootstrap import resample_chunks
from zladder.metrics.residuals import Floats


@dataclass(frozen=True)
class TotalVariation:
    """Total variation of the sample, and mean and std (ddof = 1) of its bootstraps.

    Both carry sampling noise of order sqrt(bins / n): compare only at equal n and bins.
    """

    value: float
    boot_mean: float
    boot_std: float


def _counts(index: NDArray[np.int64], n_bins: int) -> NDArray[np.int64]:
    """Count bins -1 .. n_bins: the ends hold the objects outside, so that none is dropped."""
    return np.bincount(index + 1, minlength=n_bins + 2)


def total_variation(
    z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike, n_boot: int = 100, seed: int = 0
) -> TotalVariation:
    """Return TV = 1/2 sum_k abs(p_phot(k) - p_true(k)), the mode collapse of Lin et al. 2022.

    Parameters
    ----------
    z_phot, z_true
        Shape (n,), finite, n >= 1. Objects outside the edges fall into two further bins.
    edges
        Shape (n_bins + 1,): bins (a, b].
    n_boot, seed
        Bootstraps over objects, at least 2, and their seed.
    """
    n_bins = len(checked_edges(edges)) - 1
    phot, truth = bin_index(z_phot, edges), bin_index(z_true, edges)

    def distance(rows: NDArray[np.int64] | slice) -> float:
        difference = _counts(phot[rows], n_bins) - _counts(truth[rows], n_bins)
        return 0.5 * float(np.abs(difference).sum()) / len(phot)

    draws = [distance(rows) for chunk in resample_chunks(len(phot), n_boot, seed) for rows in chunk]
    return TotalVariation(
        distance(slice(None)), float(np.mean(draws)), float(np.std(draws, ddof=1))
    )


def wasserstein_nz(z_phot: ArrayLike, z_true: ArrayLike, edges: ArrayLike) -> float:
    """Return sum_k abs(CDF_phot(k) - CDF_true(k)) w_k, the Wasserstein-1 distance of two n(z).

    Shapes (n,), finite; the CDFs are those at the upper edges of bins (a, b]. Objects outside the
    edges count in the CDFs, but no distance beyond the edges is added.
    """
    bounds = checked_edges(edges)

    def cdf(values: ArrayLike) -> Floats:
        counts = _counts(bin_index(values, bounds), len(bounds) - 1)
        return np.cumsum(counts[:-1])[1:] / counts.sum()

    return float(np.sum(np.abs(cdf(z_phot) - cdf(z_true)) * np.diff(bounds)))
