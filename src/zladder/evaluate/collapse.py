"""Mode collapse and the residual slope of every method of a study, with intervals."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.distances import (
    above_floor,
    distribution_edges,
    resampled_distances,
    tv_floor,
)
from zladder.evaluate.resampled import Resampled
from zladder.evaluate.slope import inside, resampled_slope
from zladder.metrics.counts import counts
from zladder.metrics.point import finite_rows
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zladder.evaluate.study import Answers
    from zladder.metrics.residuals import Floats

ESTIMATE = "z_mode"  # Lin et al. 2022 judge the mode; a run without a PDF has its z_phot only
QUANTITIES = ("tv", "tv_floor", "tv_excess", "w1_nz", "slope_zs")
FEWEST_GALAXIES = 2  # nothing is compared below


def measure_collapse(answers: Answers, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a method, dataset and quantity, test split, with the interval and the counts.

    The interval of ``tv_floor`` is the band in which single samples without collapse lie; the
    others are those of the bootstrap over galaxies. ``n_bins`` is the number of bins of the
    distributions (0 for ``slope_zs``, which has none), ``n_used`` the galaxies behind the number.

    Parameters
    ----------
    answers
        All methods of a study, in their estimate `ESTIMATE` where they have it.
    settings
        ``bins``, ``range_z``, ``slope_above_z``, ``n_bootstraps``, ``seed``.
    """
    rows: list[dict[str, Any]] = []
    for dataset in answers.datasets:
        part = answers.part(dataset, "test")
        for method, z_phot in part.z_phot.items():
            where = {"method": method, "dataset": dataset}
            rows += [{**where, **row} for row in _of_method(z_phot, part.z_true, settings)]
    return pd.DataFrame(rows)


def _of_method(
    z_phot: Floats, z_true: Floats, settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a method's rows; z_phot (n_seeds, N)."""
    used = finite_rows(z_phot, z_true)
    truth = z_true[used]
    numbers = counts(z_phot, z_true, settings["range_z"][1], settings["range_z"][0])
    for name, quantity in collapse_of(z_phot[:, used], truth, settings).items():
        row = {"quantity": name, **asdict(quantity.interval()), "n_seeds": len(z_phot), **numbers}
        if name == "slope_zs":
            n_fitted = int(inside(truth, slope_range(settings)).sum())
            yield {**row, "n_bins": 0, "n_used": n_fitted}
        else:
            yield {**row, "n_bins": settings["bins"]}


def slope_range(collapse: Mapping[str, Any]) -> tuple[float, float]:
    """Return the redshifts between which the slope is fitted.

    Raises
    ------
    BadInput
        If nothing lies between `slope_above_z` and the upper end of `range_z`.
    """
    low, high = collapse["slope_above_z"], collapse["range_z"][1]
    if not low < high:
        expected = f"a redshift below the upper end of range_z, {high}"
        hint = "take a lower redshift or a longer range"
        raise BadInput("config", "collapse.slope_above_z", expected, f"{low}", hint)
    return low, high


def collapse_of(
    z_phot: Floats, z_true: Floats, settings: Mapping[str, Any]
) -> dict[str, Resampled]:
    """Return the quantities of one method with their resamples; NaN for fewer than two galaxies.

    ``tv``, the total variation between estimates and true redshifts; ``tv_floor``, what it would
    be without collapse; ``tv_excess``, the difference; ``w1_nz``, the Wasserstein-1 distance of the
    two distributions; ``slope_zs``, the slope of the mean dz above a redshift.

    Parameters
    ----------
    z_phot, z_true
        Shapes (n_seeds, n) and (n,), finite.
    settings
        As in `measure_collapse`.
    """
    n_boot, seed = settings["n_bootstraps"], settings["seed"]
    edges, upper = distribution_edges(settings), slope_range(settings)
    if len(z_true) < FEWEST_GALAXIES:
        n_seeds = len(z_phot)
        nothing = Resampled(np.full(n_seeds, np.nan), np.full((n_seeds, n_boot), np.nan))
        return dict.fromkeys(QUANTITIES, nothing)
    distances = resampled_distances(z_phot, z_true, edges, n_boot, seed)
    floor = tv_floor(z_phot, z_true, edges, seed)
    return {
        "tv": distances["tv"],
        "tv_floor": floor,
        "tv_excess": above_floor(distances["tv"], floor),
        "w1_nz": distances["w1_nz"],
        "slope_zs": resampled_slope(z_phot, z_true, upper, n_boot, seed),
    }
