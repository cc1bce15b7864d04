"""Distances between the distributions of estimates and of true redshifts, on resamples.

Total variation (TV) at a finite number of galaxies is never 0, not even without mode collapse: it
is held against a floor at the same number of galaxies and bins. With the floor taken off, fine bins
show a collapse best even where they hold few galaxies: a comb of estimates 0.012 apart stands 17
standard deviations above the floor with 180 bins on [0, 0.4] and 1,200 galaxies, 10 with 60 bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.evaluate.resampled import Resampled
from zladder.metrics.binned import bin_index
from zladder.metrics.bootstrap import resample_chunks
from zladder.metrics.distances import binned_counts, tv_of, w1_of
from zladder.metrics.point import evaluate
from zladder.metrics.residuals import Residuals
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from zladder.metrics.residuals import Floats

FLOOR_DRAWS = 200
FLOOR_STREAM = 1  # beside the seed: the floor's noise has nothing to do with the resamples


def distribution_edges(collapse: Mapping[str, Any]) -> Floats:
    """Return the edges of the declared `bins` over `range_z`, shape (bins + 1,).

    Raises
    ------
    BadInput
        If the range is empty.
    """
    low, high = collapse["range_z"]
    if not low < high:
        expected, found = "a range with low < high", f"[{low}, {high}]"
        raise BadInput("config", "collapse.range_z", expected, found, "put the lower end first")
    return np.linspace(low, high, collapse["bins"] + 1)


def resampled_distances(
    z_phot: Floats, z_true: Floats, edges: Floats, n_boot: int, seed: int
) -> dict[str, Resampled]:
    """Return {"tv", "w1_nz"} with resamples of the galaxies.

    Drawing galaxies again adds the noise of a sample a second time, which moves every distance up.
    The draws are therefore moved back by their mean shift: they carry the spread, not the shift.
    The 95 % intervals then cover the mean over samples in 88 to 99 % of simulated cases (300 to
    20,000 galaxies, with and without a collapse).

    Parameters
    ----------
    z_phot, z_true
        Shapes (n_seeds, n) and (n,), finite, n >= 1.
    edges
        Shape (n_bins + 1,): bins (a, b].
    n_boot, seed
        Number of resamples, and the seed that draws them.
    """
    n_bins = len(edges) - 1
    truth, phot = bin_index(z_true, edges), bin_index(z_phot, edges)

    def both(phot_rows: NDArray[np.int64], true_rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        sides = binned_counts(phot_rows, n_bins), binned_counts(true_rows, n_bins)
        return tv_of(*sides), w1_of(*sides, edges)

    drawn = [both(phot[:, rows], truth[rows]) for rows in resample_chunks(len(truth), n_boot, seed)]
    draws = (np.concatenate(part, axis=-1) for part in zip(*drawn, strict=True))
    values = both(phot, truth)
    return {
        name: Resampled(value, draw - draw.mean(axis=-1, keepdims=True) + value[:, None])
        for name, value, draw in zip(("tv", "w1_nz"), values, draws, strict=True)
    }


def tv_floor(z_phot: Floats, z_true: Floats, edges: Floats, seed: int) -> Resampled:
    """Return the TV that estimates without collapse would show: the same galaxies, the same bins.

    The estimate of each galaxy is drawn anew as z_true + (1 + z_true) sigma_nmad N(0, 1), with the
    method's own sigma_nmad; the value is the mean of 200 such samples, the draws are the samples
    (the grey band of Lin et al. 2022). Lin et al. add the mean residual of each redshift bin to
    theirs; here a pull of the estimates towards common redshifts counts as excess. Shapes as in
    `resampled_distances`.
    """
    truth = binned_counts(bin_index(z_true, edges), len(edges) - 1)
    sigma = evaluate(Residuals.of(z_phot, z_true), ["sigma_nmad"])["sigma_nmad"]
    generator = np.random.default_rng([seed, FLOOR_STREAM])
    draws = np.empty((len(z_phot), FLOOR_DRAWS))
    for draw in range(FLOOR_DRAWS):
        blur = (1.0 + z_true) * generator.standard_normal(len(z_true))
        blurred = bin_index(z_true + sigma[:, None] * blur, edges)
        draws[:, draw] = tv_of(binned_counts(blurred, len(edges) - 1), truth)
    return Resampled(draws.mean(axis=-1), draws)


def above_floor(tv: Resampled, floor: Resampled) -> Resampled:
    """Return the excess TV over the floor's mean, whose own error is that of 200 samples."""
    return Resampled(tv.value - floor.value, tv.draws - floor.value[:, None])
