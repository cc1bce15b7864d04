"""Intervals by the bootstrap over objects, paired between models and shared between seeds.

The percentile bootstrap (Efron 1979): objects are drawn with replacement, the metric is computed
on each draw. It describes the error from the finite test sample; the error from the seed of a
training is another thing and stands in ``seed_std``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zladder.metrics.point import evaluate, finite_rows
from zladder.metrics.residuals import Floats, Residuals

CHUNK_ELEMENTS = 2**17  # 1 MiB of float64: a chunk and its temporaries stay in the cache
LEVELS = (0.16, 0.84, 0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A metric with its errors.

    ``se`` is the standard deviation of the resamples (ddof = 1); ``lo68 hi68 lo95 hi95`` are their
    percentiles; ``seed_std`` is the standard deviation over training seeds (ddof = 1), NaN for one.
    """

    value: float
    se: float
    lo68: float
    hi68: float
    lo95: float
    hi95: float
    seed_std: float = float("nan")


@dataclass(frozen=True)
class PairedDifference:
    """Metric of model a minus that of model b on the same resamples, plain and over b's."""

    difference: Interval
    relative: Interval
    n_total: int
    n_used: int


def resample_chunks(
    n: int, n_boot: int, seed: int, chunk_elements: int = CHUNK_ELEMENTS
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of `resamples` in blocks of shape (k, n), k n <= chunk_elements if k > 1.

    The rows do not depend on the size of the blocks. A block of n = 1e6 takes 8 MB.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, chunk_elements // max(n, 1))
    for start in range(0, n_boot, rows):
        yield generator.integers(0, n, size=(min(rows, n_boot - start), n))


def resamples(n: int, n_boot: int, seed: int) -> NDArray[np.int64]:
    """Return which objects each resample holds, shape (n_boot, n).

    It takes 8 n n_boot bytes (40 MB for 5,000 objects and 1,000 resamples, 8 GB for 1e6): use
    `resample_chunks` where n is large.
    """
    return np.concatenate(list(resample_chunks(n, n_boot, seed)))


def percentile_interval(value: float, draws: Floats, seed_std: float = float("nan")) -> Interval:
    """Return the interval of a value from its resamples, shape (n_boot,); NaN stays NaN."""
    lo68, hi68, lo95, hi95 = (float(bound) for bound in np.quantile(draws, LEVELS))
    return Interval(value, float(np.std(draws, ddof=1)), lo68, hi68, lo95, hi95, seed_std)


def _seeds_first(z_phot: ArrayLike) -> Floats:
    """Return z_phot as (n_seeds, n)."""
    return np.atleast_2d(np.asarray(z_phot, dtype=np.float64))


def _draws(residuals: Residuals, ids: list[str], n_boot: int, seed: int) -> dict[str, Floats]:
    """Return each metric's mean over seeds on each resample, shape (n_boot,).

    Every resample holds the same objects in all seeds.
    """
    if n_boot < 2:
        message = f"n_boot must be at least 2, not {n_boot}"
        raise ValueError(message)
    if residuals.n < 2:
        return {metric_id: np.full(n_boot, np.nan) for metric_id in ids}
    parts: dict[str, list[Floats]] = {metric_id: [] for metric_id in ids}
    n_seeds = residuals.dz.shape[0]
    for rows in resample_chunks(residuals.n, n_boot, seed, CHUNK_ELEMENTS // n_seeds):
        for metric_id, values in evaluate(residuals.take(rows), ids).items():
            parts[metric_id].append(values.mean(axis=0))  # (n_seeds, k) -> (k,)
    return {metric_id: np.concatenate(part) for metric_id, part in parts.items()}


def bootstrap_metrics(
    z_phot: ArrayLike,
    z_true: ArrayLike,
    ids: Iterable[str] | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    z_phot_std: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Return point metrics by id with percentile intervals.

    Parameters
    ----------
    z_phot
        Shape (n,), or (n_seeds, n) for one model trained with several seeds: the value is then the
        mean over seeds of the metric.
    z_true
        Shape (n,). Objects that are not finite here or in any seed are left out.
    ids
        The metrics; by default all, with `fout_3sig` where z_phot_std is given.
    n_boot, seed
        Number of resamples, at least 2, and the seed that draws them: the same seed gives every
        metric and every model of the same n the same resamples.
    z_phot_std
        Same shape as z_phot: each object's own uncertainty.
    """
    phot, used = _seeds_first(z_phot), finite_rows(z_phot, z_true)
    sigma = None if z_phot_std is None else _seeds_first(z_phot_std)[:, used]
    residuals = Residuals.of(phot[:, used], np.asarray(z_true)[used], sigma)
    by_seed = evaluate(residuals, ids)
    draws = _draws(residuals, list(by_seed), n_boot, seed)
    return {
        metric_id: percentile_interval(float(values.mean()), draws[metric_id], _seed_std(values))
        for metric_id, values in by_seed.items()
    }


def _seed_std(values: Floats) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _ratio(a: Floats, b: Floats) -> Floats:
    """Return (a - b) / b, NaN where b is 0."""
    return np.divide(a - b, b, out=np.full(np.shape(b), np.nan), where=b != 0)


def paired_differences(
    z_phot_a: ArrayLike,
    z_phot_b: ArrayLike,
    z_true: ArrayLike,
    ids: Iterable[str],
    n_boot: int = 1000,
    seed: int = 0,
) -> dict[str, PairedDifference]:
    """Return metric(a) - metric(b) and its ratio to metric(b) on the same resamples, by metric.

    Parameters
    ----------
    z_phot_a, z_phot_b
        Shape (n,) or (n_seeds, n), the numbers of seeds may differ; row i of both is object i.
        Objects that are not finite in any of them are left out of both.
    z_true
        Shape (n,).
    ids, n_boot, seed
        As in `bootstrap_metrics`.

    Returns
    -------
    The relative difference has an interval only if metric(b) is 0 in no resample; it means
    something only for metrics that are positive, like a scatter.
    """
    phot_a, phot_b = _seeds_first(z_phot_a), _seeds_first(z_phot_b)
    used = finite_rows(np.concatenate([phot_a, phot_b]), z_true)
    truth, names = np.asarray(z_true)[used], list(ids)
    full, draws = [], []
    for phot in (phot_a, phot_b):
        residuals = Residuals.of(phot[:, used], truth)
        full.append(evaluate(residuals, names))
        draws.append(_draws(residuals, names, n_boot, seed))
    found = {}
    for name in names:
        values = [np.mean(by_seed[name], keepdims=True) for by_seed in full]
        pair = [drawn[name] for drawn in draws]
        difference = percentile_interval(float((values[0] - values[1])[0]), pair[0] - pair[1])
        relative = percentile_interval(float(_ratio(*values)[0]), _ratio(*pair))
        found[name] = PairedDifference(difference, relative, len(used), int(used.sum()))
    return found
