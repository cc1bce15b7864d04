"""Which labels a share of the labels holds: nested draws, each like the whole in redshift.

Training galaxies are put in order of their redshift and cut into strata of equally many. Within a
stratum they stand in a drawn order, and a galaxy's rank is its place there over the number of
galaxies: a share f of the labels, ``rank < f``, takes f of every stratum, to less than one galaxy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zladder.datasets.splits import uniform_hash

N_STRATA = 32  # ours; a power of two, so that neighbours can share out a few galaxies evenly
_TIES = 0  # the strata are the same in all draws: galaxies of one redshift, by a fixed hash


def label_ranks(
    object_id: NDArray[np.int64],
    z_true: NDArray[np.float64] | None,
    train: NDArray[np.bool_],
    seed: int,
) -> NDArray[np.float64]:
    """Return a rank in [0, 1) a galaxy, float64 (N,): a label fraction f is ``rank < f``.

    Parameters
    ----------
    object_id
        int64 (N,), each once. The ranks do not depend on the order of the rows.
    z_true
        Labels (N,), NaN where there is none; None for a dataset without.
    train
        bool (N,): the galaxies whose labels are shared out. No label of another is looked at;
        their ranks, and those of galaxies without a label, are hashes of identifier and seed.
    seed
        Of the draw: it changes which galaxies a share holds, not the strata.

    Returns
    -------
    numpy.ndarray
        In each stratum the number with ``rank < f`` is f times its galaxies, rounded up or down.
        Which strata round up is spread evenly over redshift (scrambled van der Corput sequence:
        Owen 1995), for few labels may be fewer than strata.
    """
    rank = uniform_hash(object_id, seed)
    if z_true is None:
        return rank
    rows = np.flatnonzero(train & np.isfinite(z_true))
    if not len(rows):
        return rank
    stratum = z_strata(object_id[rows], z_true[rows])
    order = np.lexsort((object_id[rows], rank[rows], stratum))
    sizes = np.bincount(stratum)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    ordered = stratum[order]
    rank[rows[order]] = (place + _offsets(len(sizes), seed)[ordered]) / sizes[ordered]
    return rank


def z_strata(object_id: NDArray[np.int64], z_true: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the stratum of each galaxy, int64 (n,), by redshift; sizes differ by one at most.

    Below `N_STRATA` galaxies there are fewer strata, a power of two.
    """
    n = len(z_true)
    n_strata = min(N_STRATA, 1 << (n.bit_length() - 1))
    order = np.lexsort((object_id, uniform_hash(object_id, _TIES), z_true))
    stratum = np.empty(n, dtype=np.int64)
    stratum[order] = np.arange(n) * n_strata // n
    return stratum


def _offsets(n_strata: int, seed: int) -> NDArray[np.float64]:
    """Return where in [0, 1) each stratum's ranks begin, in units of one galaxy.

    One offset in each interval of 1 / n_strata, and of 2 / n_strata in each pair of neighbours, and
    so on: a quarter of a galaxy a stratum makes one galaxy in every four.
    """
    levels = n_strata.bit_length() - 1
    left, digits = np.arange(n_strata), np.zeros(n_strata, dtype=np.int64)
    for level in range(levels):
        above = left >> 1
        flipped = uniform_hash(above + (level << 32), seed) < 0.5
        digits = 2 * digits + ((left & 1) ^ flipped)
        left = above
    start = 0.999 * uniform_hash(np.array([-1]), seed)
    return np.asarray((digits + start) / n_strata)
