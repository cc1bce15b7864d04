"""The smoothed variance of z_phot about z_true that weights a residual curve (Lin et al. 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zladder.metrics.residuals import Floats

FINE_BINS = 180  # Lin et al. 2022: the classes of their SDSS network
KERNEL_BINS = 3.0  # sigma of the smoothing: narrower than their wide bins (4.5 fine ones)
WINDOW_MAG = 1.5  # Lin et al. 2022: width of the magnitude windows, which overlap by half
MIN_VARIANCE = 1e-5  # Lin et al. 2022: floor of the variance


def _half_median_mean(values: Floats, index: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return 0.5 (median + mean) of the values in each fine bin (0 if empty) and the counts."""
    order = np.lexsort((values, index))
    ordered, n = values[order], np.bincount(index, minlength=FINE_BINS)
    start = np.cumsum(n) - n
    full = n > 0
    low, high = (start + (n - 1) // 2)[full], (start + n // 2)[full]
    typical = np.zeros(FINE_BINS)
    mean = np.bincount(index, values, minlength=FINE_BINS)[full] / n[full]
    typical[full] = 0.5 * (0.5 * (ordered[low] + ordered[high]) + mean)
    return typical, n.astype(np.float64)


def _smoothed(values: Floats, index: NDArray[np.int64]) -> Floats:
    """Return the variance at each object: fine bins under a Gaussian, weighted by their counts."""
    typical, n = _half_median_mean(values, index)
    lag = np.arange(FINE_BINS)
    kernel = np.exp(-0.5 * ((lag[:, None] - lag) / KERNEL_BINS) ** 2)
    populated = n > 0
    curve = np.zeros(FINE_BINS)
    curve[populated] = (kernel @ (n * typical))[populated] / (kernel @ n)[populated]
    return curve[index]


def _windows(magnitude: Floats) -> list[NDArray[np.bool_]]:
    """Return the members of magnitude windows 1.5 mag wide that start every 0.75 mag."""
    step = WINDOW_MAG / 2
    first = np.floor(magnitude.min() / step) * step - step
    starts = np.arange(first, magnitude.max() + step, step)
    windows = [(magnitude >= a) & (magnitude < a + WINDOW_MAG) for a in starts]
    return [members for members in windows if members.any()]


def smoothed_variance(
    z_phot: ArrayLike,
    z_true: ArrayLike,
    z_range: tuple[float, float],
    magnitude: ArrayLike | None = None,
) -> Floats:
    """Return the variance of z_phot - z_true expected of each object, shape (n,).

    In 180 fine bins over z_range: half the sum of median and mean of (z_phot - z_true)^2, which
    a few outliers cannot own; then a Gaussian of three fine bins, weighted by the counts; floor
    1e-5. With magnitudes (mag, finite) the same in windows of 1.5 mag that overlap by half; an
    object takes the mean of its two windows. Objects outside the range take the bin at its end.

    The windows and the half sum are those of Lin et al. 2022. Their kernel follows the width of
    their fitted labels; a fixed one serves any model.
    """
    truth = np.asarray(z_true, dtype=np.float64)
    squared = (np.asarray(z_phot, dtype=np.float64) - truth) ** 2
    lo, hi = z_range
    index = np.clip((truth - lo) / (hi - lo) * FINE_BINS, 0, FINE_BINS - 1).astype(np.int64)
    if magnitude is None or truth.size == 0:
        return np.maximum(_smoothed(squared, index), MIN_VARIANCE)
    total, times = np.zeros(len(truth)), np.zeros(len(truth))
    for members in _windows(np.asarray(magnitude, dtype=np.float64)):
        total[members] += _smoothed(squared[members], index[members])
        times[members] += 1
    return np.maximum(total / times, MIN_VARIANCE)
