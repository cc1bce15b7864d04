"""The scores of a sample of densities in one table, with the counts that belong to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zladder.pdf.grid import Floats, cumulative, quantile
from zladder.pdf.scores import cde_loss, crps, crps_extended, nll, pit, truth_off_grid, w1_true

COVERAGE_LEVELS = (50, 68, 90, 95)  # per cent, central intervals
WIDTH_LEVELS = (68, 90)
PIT_EDGE = 1e-4  # Schmidt, Malz et al. 2020, after Kodra & Newman
PROPER = ("crps", "nll", "cde_loss", "w1_true")  # means over objects, in the order of tables
BLOCK_ROWS = 4096


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if values.size else float("nan")


def pit_out(pit_values: Floats) -> float:
    """Return the fraction of PIT below 1e-4 or above 0.9999; ideally 2e-4. Shape (n,), finite."""
    return _mean((pit_values < PIT_EDGE) | (pit_values > 1.0 - PIT_EDGE))


def pit_ks(pit_values: Floats) -> float:
    """Return max abs(F - U), the Kolmogorov-Smirnov distance of PIT from uniform; shape (n,).

    The 5 % critical value is 1.358 / sqrt(n).
    """
    if len(pit_values) == 0:
        return float("nan")
    n, ordered = len(pit_values), np.sort(pit_values)
    upper, lower = np.arange(1, n + 1) / n - ordered, ordered - np.arange(n) / n
    return float(max(upper.max(), lower.max()))


def coverage(pit_values: Floats, level_percent: float) -> tuple[float, float]:
    """Return the fraction of truths in the central interval of that level, and its error.

    The truth is inside where abs(PIT - 1/2) <= level / 2. The error is sqrt(c (1 - c) / n) with the
    level as c: that expected of a calibrated model.
    """
    level = level_percent / 100.0
    inside = np.abs(pit_values - 0.5) <= 0.5 * level
    n = max(len(pit_values), 1)
    return _mean(inside), float(np.sqrt(level * (1.0 - level) / n))


def object_scores(z: Floats, p: Floats, z_true: Floats) -> dict[str, Floats]:
    """Return every score of each object by id, all of shape (n_objects,).

    ``z`` is (n_grid,), ``p`` normalised (n_objects, n_grid), ``z_true`` (n_objects,). Beside the
    scores: ``floored`` (1 where the floor of the NLL was needed) and ``width_68``, ``width_90``,
    the widths of the central intervals. Works in blocks of rows to spare memory.
    """
    blocks = [
        _block_scores(z, p[start : start + BLOCK_ROWS], z_true[start : start + BLOCK_ROWS])
        for start in range(0, max(len(p), 1), BLOCK_ROWS)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _block_scores(z: Floats, p: Floats, z_true: Floats) -> dict[str, Floats]:
    cdf = cumulative(z, p)
    loss, floored = nll(z, p, z_true)
    scores = {
        "crps": crps(z, cdf, z_true),
        "crps_extended": crps_extended(z, cdf, z_true),
        "nll": loss,
        "cde_loss": cde_loss(z, p, z_true),
        "w1_true": w1_true(z, cdf, z_true),
        "pit": pit(z, cdf, z_true),
        "floored": floored.astype(np.float64),
    }
    for percent in WIDTH_LEVELS:
        tail = 0.5 * (1.0 - percent / 100.0)
        scores[f"width_{percent}"] = quantile(z, cdf, 1.0 - tail) - quantile(z, cdf, tail)
    return scores


def pdf_scores(z: Floats, p: Floats, z_true: Floats, z_phot: Floats) -> dict[str, float]:
    """Return the scores of a sample by id: proper scores, PIT, coverage with width, counts.

    Parameters
    ----------
    z, p
        Grid (n_grid,) and normalised densities (n_objects, n_grid).
    z_true, z_phot
        Shape (n_objects,). Objects of which one is not finite are left out and counted in
        ``n_nonfinite``; those whose truth is off the grid count in ``n_off_grid`` and in
        ``crps_extended`` alone. Without objects the scores are NaN.
    """
    finite = np.isfinite(z_true) & np.isfinite(z_phot)
    used = finite & ~truth_off_grid(z, z_true)
    scores = object_scores(z, p, z_true)
    pits = scores["pit"][used]
    values = {name: _mean(scores[name][used]) for name in PROPER}
    values["crps_extended"] = _mean(scores["crps_extended"][finite])
    values |= {"pit_out": pit_out(pits), "pit_ks": pit_ks(pits)}
    for percent in COVERAGE_LEVELS:
        values[f"cov_{percent}"], values[f"cov_{percent}_err"] = coverage(pits, percent)
    for percent in WIDTH_LEVELS:
        relative = scores[f"width_{percent}"][used] / (1.0 + z_phot[used])
        values[f"width_{percent}"] = float(np.median(relative)) if relative.size else float("nan")
    counts = {
        "n_total": finite.size,
        "n_used": used.sum(),
        "n_nonfinite": (~finite).sum(),
        "n_off_grid": (finite & ~used).sum(),
        "n_floored": scores["floored"][used].sum(),
        "n_pit_edge": ((pits == 0.0) | (pits == 1.0)).sum(),
    }
    return values | {name: float(count) for name, count in counts.items()}
