"""The soft and shifted labels of Lin et al. 2022 (Step 3), for one output.

A network that learns one-hot classes repeats the sharp ridges of its training set (mode collapse),
and pulls estimates towards the populated side. The remedy: labels as wide as the estimates scatter,
their centres moved against the expected pull. Everything is counted in bins of redshift; an index
k is the centre of bin k, and may lie outside [0, N) where the range of the classes is extended.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

HARD_BELOW_BINS = 0.1  # Lin et al. 2022: a narrower label is a hard one, a narrower pull is none
MIXTURE_LIMITS = (1e-5, 1 - 1e-5)  # Lin et al. 2022: clip of the blurred histogram
_REFINEMENTS = 4
_GRID_POINTS = 48


def blurring(width_bins: float, n_bins: int) -> Floats:
    """Return the discrete Gaussian g(z; z', s) as a matrix (source z', z); rows sum to 1."""
    index = np.arange(n_bins)
    kernel = np.exp(-0.5 * ((index - index[:, None]) / width_bins) ** 2)
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def fit_blur_bins(estimated: Floats, true: Floats) -> float:
    """Return the width s, in bins, that best blurs one histogram into another.

    It minimises the cross-entropy -sum_z q(z) ln [sum_z' p(z') g(z; z', s)] (Lin et al. 2022),
    on a logarithmic grid from 0.05 bins to half the range that is refined about its best point.

    Parameters
    ----------
    estimated, true
        Counts or weights of the estimates p and of the true redshifts q, shape (N,).
    """
    p, q = estimated / estimated.sum(), true / true.sum()

    def cost(width_bins: float) -> float:
        mixture = np.clip(p @ blurring(width_bins, len(p)), *MIXTURE_LIMITS)
        return float(-(q @ np.log(mixture)))

    low, high = 0.5 * HARD_BELOW_BINS, 0.5 * len(p)
    best = low
    for _ in range(_REFINEMENTS):
        widths = np.geomspace(low, high, _GRID_POINTS)
        at = int(np.argmin([cost(width) for width in widths]))
        best = float(widths[at])
        low, high = widths[max(at - 1, 0)], widths[min(at + 1, _GRID_POINTS - 1)]
    return best


def variance_bins(
    true_class: Indices, estimated_class: Indices, blur_bins: float, n_bins: int
) -> Floats:
    """Return V(z), the variance of the estimates about each true class, in bins^2, shape (N,).

    0.5 (median + mean) of the squared offsets of each class (Lin et al. 2022), smoothed by a
    Gaussian of the width of the blur. Unlike theirs the smoothing weighs a class by its count, and
    an empty one takes what its neighbours say: most classes hold few galaxies, or none.

    Parameters
    ----------
    true_class, estimated_class
        Classes of the true redshift and of the estimate, both (n,), n >= 1.
    blur_bins
        The width s of the kernel.
    n_bins
        Number of classes N.
    """
    populated, counts = np.unique(true_class, return_counts=True)
    squares = [(estimated_class[true_class == k] - float(k)) ** 2 for k in populated]
    typical = np.array([0.5 * (np.median(values) + values.mean()) for values in squares])
    width = max(blur_bins, HARD_BELOW_BINS)
    exponent = 0.5 * ((np.arange(n_bins)[:, None] - populated) / width) ** 2
    # Less the least: the nearest populated class always counts, however far it is.
    weight = counts * np.exp(exponent.min(axis=1, keepdims=True) - exponent)
    return np.asarray(weight @ typical / weight.sum(axis=1))


def centres_of_mass(counts: Floats, spread_bins: Floats) -> Floats:
    """Return c(z, r), the mean class of the training galaxies about each class, shape (R, N).

    c = sum_z' z' n(z', r) G(z'; z, S(z)) / sum_z' n(z', r) G(z'; z, S(z)) with an un-normalised
    Gaussian G (Lin et al. 2022). c = z where S < 0.1, and where no training galaxy is near: the
    quotient would be 0/0 (a defect of the published code, QiufanLin/PZbias).

    Parameters
    ----------
    counts
        n(z, r): training galaxies in each magnitude bin and class, shape (R, N).
    spread_bins
        S(z), shape (N,).
    """
    index = np.arange(counts.shape[1], dtype=np.float64)
    width = np.maximum(spread_bins, HARD_BELOW_BINS)
    kernel = np.exp(-0.5 * ((index - index[:, None]) / width[:, None]) ** 2)  # (z, z')
    near = counts @ kernel.T
    usable = (near > 0) & (spread_bins >= HARD_BELOW_BINS)
    return np.divide(
        (counts * index) @ kernel.T, near, out=np.tile(index, (len(counts), 1)), where=usable
    )


def shifted_means(centres: Floats) -> Floats:
    """Return mu = 2 z - c, shape (R, N): away from the centre of mass, against the pull."""
    return np.asarray(2.0 * np.arange(centres.shape[1]) - centres)


def hard_classes(means_bins: Floats, n_bins: int, extension_bins: int) -> Indices:
    """Return the class next to each label mean, int64 (n,), clipped into the extended range.

    The means (n,) count from the first bin before the extension, the classes from the first bin of
    the extended range. Rounded: the published code truncates, a shift by half a bin.
    """
    classes = np.rint(means_bins).astype(np.int64) + extension_bins
    return np.clip(classes, 0, n_bins + 2 * extension_bins - 1)


def soft_labels(
    means_bins: Floats, width_bins: float, n_bins: int, extension_bins: int
) -> NDArray[np.float32]:
    """Return labels y(k) ~ exp(-0.5 ((k - mu) / s)^2) over the extended range; rows sum to 1.

    Float32, shape (n, N + 2 extension). A width below 0.1 bins gives hard labels.
    """
    n_classes = n_bins + 2 * extension_bins
    if width_bins < HARD_BELOW_BINS:
        hard = hard_classes(means_bins, n_bins, extension_bins)
        return np.asarray(hard[:, None] == np.arange(n_classes), dtype=np.float32)
    index = np.arange(n_classes) - extension_bins
    exponent = 0.5 * ((index - means_bins[:, None]) / width_bins) ** 2
    # Less the least: a mean far outside the range must not become 0/0.
    label = np.exp(exponent.min(axis=1, keepdims=True) - exponent)
    return np.asarray(label / label.sum(axis=1, keepdims=True), dtype=np.float32)
