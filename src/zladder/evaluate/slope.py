"""The slope of the mean residual against the true redshift, on resamples (Lin et al. 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.evaluate.resampled import Resampled
from zladder.metrics.bootstrap import resample_chunks
from zladder.metrics.residuals import Residuals
from zladder.metrics.variance import smoothed_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zladder.metrics.residuals import Floats

FEWEST_FITTED = 30  # galaxies behind a line; as many as a bin of a curve must hold to be fitted


def inside(z_true: Floats, range_z: tuple[float, float]) -> NDArray[np.bool_]:
    """Return which galaxies a slope is fitted to, shape (n,): z_true in (low, high]."""
    return (z_true > range_z[0]) & (z_true <= range_z[1])


def resampled_slope(
    z_phot: Floats, z_true: Floats, range_z: tuple[float, float], n_boot: int, seed: int
) -> Resampled:
    """Return the slope of dz against z_true (metric id ``slope_zs``) with its resamples.

    The line through the inverse-variance weighted means in bins of z_true, in the limit of narrow
    bins: there a bin weighs what its galaxies weigh, 1 / v_i with v_i = variance_i / (1 + z_i)^2,
    and no choice of bins is left, nor does a sparse one drop out. The weights are those of the
    whole sample in every resample. Fewer than 30 galaxies in the range give NaN.

    Parameters
    ----------
    z_phot, z_true
        Shapes (n_seeds, n) and (n,), finite.
    range_z
        Only galaxies with z_true in (low, high] count; Lin et al. fit two lines that meet at
        z = 0.15 and quote the upper one.
    n_boot, seed
        Number of resamples of all n galaxies, and the seed that draws them.
    """
    fitted = inside(z_true, range_z)
    if fitted.sum() < FEWEST_FITTED:
        n_seeds = len(z_phot)
        return Resampled(np.full(n_seeds, np.nan), np.full((n_seeds, n_boot), np.nan))
    truth, dz = z_true[fitted], Residuals.of(z_phot, z_true).dz[:, fitted]
    weight = [
        (1.0 + truth) ** 2 / smoothed_variance(phot, truth, range_z) for phot in z_phot[:, fitted]
    ]
    x = truth - truth.mean()  # keeps the sums of products apart from rounding
    terms = np.stack([np.stack([w, w * x, w * y, w * x * x, w * x * y])
                      for w, y in zip(weight, dz, strict=True)])  # fmt: skip
    times = _times_drawn(fitted, n_boot, seed)
    return Resampled(_line(terms.sum(axis=-1)), _line(terms @ times))


def _times_drawn(fitted: NDArray[np.bool_], n_boot: int, seed: int) -> Floats:
    """Return how often each resample holds each fitted galaxy, shape (m, n_boot)."""
    n, place = len(fitted), np.where(fitted, np.cumsum(fitted) - 1, -1)
    m, times = int(fitted.sum()), []
    for rows in resample_chunks(n, n_boot, seed):
        taken = place[rows] + np.arange(len(rows))[:, None] * m
        found = np.bincount(taken[place[rows] >= 0], minlength=len(rows) * m)
        times.append(found.reshape(len(rows), m))
    return np.concatenate(times).T.astype(np.float64)


def _line(sums: Floats) -> Floats:
    """Return the slope from the sums of w, wx, wy, wxx, wxy on the second axis of (s, 5, ...)."""
    w, wx, wy, wxx, wxy = np.moveaxis(sums, 1, 0)
    return np.asarray((w * wxy - wx * wy) / (w * wxx - wx**2))
