"""How many times larger a quantity of one method is than that of another, with an interval.

Resamples are of test galaxies and of seeds: neither a small sample nor a lucky training decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.collapse import slope_range
from zladder.evaluate.distances import (
    above_floor,
    distribution_edges,
    resampled_distances,
    tv_floor,
)
from zladder.evaluate.resampled import Resampled, ratio_of
from zladder.evaluate.slope import resampled_slope
from zladder.metrics.bootstrap import resample_chunks
from zladder.metrics.point import evaluate, finite_rows
from zladder.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Mapping

FEWEST_GALAXIES = 2  # no metric is defined below
COLLAPSE_METRICS = ("tv", "tv_excess", "abs_slope_zs")  # they need the study's bins
DRIFT_METRIC = "embedding_drift"
# Metrics that can be zero by their sign alone, and what they are called in a verdict.
VANISHING = {
    "bias_mean": "bias",
    "bias_median": "bias",
    "bias_biweight": "bias",
    "abs_slope_zs": "slope",
    "tv_excess": "excess total variation",
}


def ratio_interval(
    worse: np.ndarray,
    better: np.ndarray,
    z_true: np.ndarray,
    metric: str,
    n_boot: int,
    seed: int,
    collapse: Mapping[str, Any] | None = None,
) -> tuple[float, float, float, int]:
    """Return abs(metric(worse)) / abs(metric(better)), its 95 % interval and the galaxies used.

    A `better` that is compatible with 0 leaves a lower bound only (`ratio_of`). An excess total
    variation below 0 is none: it counts as 0.

    Parameters
    ----------
    worse, better
        Redshifts, shape (n_seeds, N); the absolute metric is averaged over seeds, the numbers of
        which may differ.
    z_true
        Shape (N,).
    metric, n_boot, seed
        Both methods see the same resamples; how seeds are drawn: `ratio_of`.
    collapse
        The study's settings of this name; needed by `COLLAPSE_METRICS`.
    """
    used = finite_rows(np.concatenate([worse, better]), z_true)
    n_used = int(used.sum())
    if n_used < FEWEST_GALAXIES:
        return np.nan, np.nan, np.nan, n_used
    pairs = [(side[:, used], z_true[used]) for side in (worse, better)]
    if metric in COLLAPSE_METRICS:
        sides = [_binned(*pair, metric, n_boot, seed, collapse or {}) for pair in pairs]
    else:
        sides = [_pointwise(*pair, metric, n_boot, seed) for pair in pairs]
    return (*ratio_of(sides[0], sides[1], seed, can_vanish=metric in VANISHING), n_used)


def _binned(
    z_phot: np.ndarray,
    z_true: np.ndarray,
    metric: str,
    n_boot: int,
    seed: int,
    collapse: Mapping[str, Any],
) -> Resampled:
    """Return one of `COLLAPSE_METRICS` on the galaxies and on every resample."""
    if metric == "abs_slope_zs":
        return resampled_slope(z_phot, z_true, slope_range(collapse), n_boot, seed)
    edges = distribution_edges(collapse)
    tv = resampled_distances(z_phot, z_true, edges, n_boot, seed)["tv"]
    if metric == "tv":
        return tv
    return above_floor(tv, tv_floor(z_phot, z_true, edges, seed)).not_negative()


def _pointwise(
    z_phot: np.ndarray, z_true: np.ndarray, metric: str, n_boot: int, seed: int
) -> Resampled:
    """Return the signed point metric of every seed on the galaxies and on every resample."""
    residuals = Residuals.of(z_phot, z_true)
    taken = (
        Residuals(residuals.dz[:, rows], residuals.delta_z[:, rows])
        for rows in resample_chunks(len(z_true), n_boot, seed)
    )
    draws = np.concatenate([evaluate(part, [metric])[metric] for part in taken], axis=-1)
    return Resampled(evaluate(residuals, [metric])[metric], draws)


def drift_ratio(
    drifts: pd.DataFrame, worse: str, better: str, n_boot: int, seed: int
) -> tuple[float, float, float, int]:
    """Return mean drift(worse) / mean drift(better), its 95 % interval and the galaxies used.

    Parameters
    ----------
    drifts
        One row an encoder, seed and galaxy: `method`, `object_id`, `drift` (`measure_drift`).
    worse, better
        Two encoders; galaxies with a finite drift in all their seeds are used, the resamples are
        shared.
    n_boot, seed
        Number of resamples, and the seed that draws them.
    """
    tables = [drifts_by_seed(drifts, name) for name in (worse, better)]
    both = pd.concat(tables, axis=1, join="inner").dropna().sort_index()
    n_used = len(both)
    if n_used < FEWEST_GALAXIES:
        return np.nan, np.nan, np.nan, n_used
    values = both.to_numpy(dtype=np.float64).T  # (seeds of both, n)
    means = [values[:, rows].mean(axis=-1) for rows in resample_chunks(n_used, n_boot, seed)]
    every = Resampled(values.mean(axis=-1), np.concatenate(means, axis=-1))
    first = tables[0].shape[1]
    sides = [Resampled(every.value[part], every.draws[part])
             for part in (slice(None, first), slice(first, None))]  # fmt: skip
    return (*ratio_of(sides[0], sides[1], seed, can_vanish=False), n_used)


def drifts_by_seed(drifts: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return an encoder's drifts, one row a galaxy (index `object_id`) and one column a seed."""
    rows = drifts[drifts["method"] == method]
    seeds = rows.groupby("object_id").cumcount()  # a galaxy has one row a seed
    return rows.assign(seed=seeds).pivot_table(
        index="object_id", columns="seed", values="drift", dropna=False
    )
