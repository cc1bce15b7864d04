"""A density for each galaxy from point estimates alone: how far they were off for its like.

Fitted on galaxies outside the training and the test split. The rules are fixed and ours: nothing is
tuned, and a poor dressing makes a model look worse than it is, never better than the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zladder.metrics.normal import NMAD_FACTOR
from zladder.pdf.grid import Floats

ALIKE_POWER = 0.8  # of n galaxies, n^0.8 with the nearest z_phot count as alike
ALIKE_MIN = 30
MIN_SCATTER = 1e-4  # of dz, so that a perfect answer has a width
LARGEST_DZ = 20.0
TABLE_NODES = 1024


@dataclass(frozen=True)
class Dressing:
    """The distribution of u = (z - z_phot) / (1 + z_phot) at some values of z_phot.

    Attributes
    ----------
    z_phot
        Shape (m,), increasing: where it is tabulated.
    cdf
        Shape (m, TABLE_NODES), on an even grid of t = arcsinh(u / scatter).
    scatter
        The robust scatter of u: the table is fine within it and logarithmic beyond.
    unseen
        The weight of what was never seen, one over the number of galaxies alike.
    """

    z_phot: Floats
    cdf: Floats
    scatter: float
    unseen: float


def fit_dressing(z_phot: Floats, z_true: Floats) -> Dressing:
    """Return the dressing learned from galaxies with known redshifts, both of shape (n,), finite.

    The errors of galaxies with similar z_phot are smoothed in t by a normal kernel of Silverman's
    width (1986, eq. 3.31).
    """
    order = np.argsort(z_phot, kind="stable")
    phot = z_phot[order]
    error = (z_true[order] - phot) / _stretch(phot)
    scatter = max(NMAD_FACTOR * float(np.median(np.abs(error))), MIN_SCATTER)
    alike = min(len(phot), max(ALIKE_MIN, round(len(phot) ** ALIKE_POWER)))
    starts = np.unique(np.linspace(0, len(phot) - alike, 2 * len(phot) // alike + 1).astype(int))
    places = np.array([np.median(phot[start : start + alike]) for start in starts])
    places, first = np.unique(places, return_index=True)
    t = np.arcsinh(error / scatter)
    tables = [_smoothed(t[start : start + alike], scatter) for start in starts[first]]
    return Dressing(places, np.stack(tables), scatter, 1.0 / (alike + 1))


def _stretch(z_phot: Floats) -> Floats:
    """Return 1 + z_phot; estimates below 0 count as 0."""
    return 1.0 + np.maximum(z_phot, 0.0)


def _end(scatter: float) -> float:
    return float(np.arcsinh(LARGEST_DZ / scatter))


def _smoothed(t: Floats, scatter: float) -> Floats:
    """Return the CDF of smoothed values t, shape (TABLE_NODES,), on the even grid to the end."""
    end = _end(scatter)
    step = 2 * end / (TABLE_NODES - 1)
    low, high = np.quantile(t, (0.25, 0.75))
    spread = min(float(t.std()), float(high - low) / 1.349) or float(t.std())
    width = max(0.9 * spread * len(t) ** -0.2 / step, 0.5)  # in steps
    place = np.clip((t + end) / step, 0, TABLE_NODES - 1)
    counts = np.bincount(np.rint(place).astype(int), minlength=TABLE_NODES).astype(float)
    reach = int(np.ceil(5 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    wide = np.convolve(counts, kernel)  # what falls beyond an end stays at the end
    density = wide[reach : reach + TABLE_NODES].copy()
    density[0] += wide[:reach].sum()
    density[-1] += wide[reach + TABLE_NODES :].sum()
    cdf = np.cumsum(density)
    return (cdf - 0.5 * density) / cdf[-1]


def dressed_pmf(dressing: Dressing, z_phot: Floats, edges: Floats) -> Floats:
    """Return the probability of each class [edges[k], edges[k + 1]), shape (n, n_classes).

    Normalised over the classes; nowhere 0, for a share `unseen` is spread evenly over them.

    Parameters
    ----------
    dressing
        Of the same method.
    z_phot
        Shape (n,), finite.
    edges
        Shape (n_classes + 1,).
    """
    left, share = _between(dressing.z_phot, z_phot)
    end = _end(dressing.scatter)
    u = (edges - z_phot[:, None]) / (_stretch(z_phot)[:, None] * dressing.scatter)
    place = (np.arcsinh(u) + end) * ((TABLE_NODES - 1) / (2 * end))
    place = np.clip(place, 0, TABLE_NODES - 1.001)
    node = place.astype(np.int64)
    place -= node
    right = np.minimum(left + 1, len(dressing.z_phot) - 1)
    below = _looked_up(dressing.cdf, left, node, place)
    below += share[:, None] * (_looked_up(dressing.cdf, right, node, place) - below)
    odds = np.maximum(np.diff(below, axis=1), 0.0)
    total = odds.sum(axis=1, keepdims=True)
    odds = np.divide(odds, total, out=np.zeros_like(odds), where=total > 0)
    even = np.diff(edges) / (edges[-1] - edges[0])
    weight = np.where(total > 0, dressing.unseen, 1.0)
    return np.asarray((1 - weight) * odds + weight * even)


def _between(nodes: Floats, values: Floats) -> tuple[np.ndarray, Floats]:
    """Return (node to the left, share of the way to the next), clipped at both ends."""
    if len(nodes) == 1:
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values))
    left = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    return left, np.clip((values - nodes[left]) / (nodes[left + 1] - nodes[left]), 0.0, 1.0)


def _looked_up(table: Floats, row: np.ndarray, node: np.ndarray, share: Floats) -> Floats:
    """Return a table's values between two nodes, (n, K), each galaxy from its own row."""
    flat, at = table.ravel(), node + (row * table.shape[1])[:, None]
    low = flat[at]
    return np.asarray(low + share * (flat[at + 1] - low))
