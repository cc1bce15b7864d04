"""Point metrics against the label and against the true redshift, side by side.

On the mock sky a label may be wrong as real ones are: a spectrum of the neighbour, a photometric
redshift. A model that learns such labels well is not the one that knows the redshift best.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.truth import true_redshifts
from zladder.metrics.bootstrap import bootstrap_metrics
from zladder.metrics.counts import counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.evaluate.study import Answers

TRUTH_METRICS = (
    "sigma_nmad", "bias_mean", "bias_median", "rms_dz", "fout_05", "fout_15", "loss_tanaka",
)  # fmt: skip
LABEL, TRUTH = "label", "truth"


def truth_scores(answers: Answers, truth: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a method, dataset, metric and `against` (label, truth), test split.

    Columns: the interval (`value se lo68 hi68 lo95 hi95 seed_std`), `n_seeds` and the counts. Both
    are taken on the galaxies that have a true redshift (labelled stars have none), with the same
    resamples.

    Parameters
    ----------
    answers
        Of all methods of a study.
    truth
        The truth of the mock sky.
    settings
        ``label_range_z``, ``n_bootstraps``, ``seed``.

    Raises
    ------
    BadInput
        If the truth does not list every galaxy (`true_redshifts`).
    """
    rows: list[dict[str, Any]] = []
    for dataset in answers.datasets:
        part = answers.part(dataset, "test")
        z_true = true_redshifts(truth, part.galaxies["object_id"].to_numpy())
        label = np.where(np.isnan(z_true), np.nan, part.z_true)  # the same galaxies for both
        for method, z_phot in part.z_phot.items():
            where = {"method": method, "dataset": dataset}
            for against, reference in ((LABEL, label), (TRUTH, z_true)):
                found = _scored(z_phot, reference, settings)
                rows += [{**where, "metric": name, "against": against, **row}
                         for name, row in found.items()]  # fmt: skip
    return pd.DataFrame(rows)


def _scored(
    z_phot: np.ndarray, reference: np.ndarray, settings: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return {metric: interval, seeds and counts} of estimates (n_seeds, n) against (n,)."""
    low, high = settings["label_range_z"]
    numbers = counts(z_phot, reference, grid_max=high, grid_min=low)
    intervals = bootstrap_metrics(
        z_phot, reference, TRUTH_METRICS, settings["n_bootstraps"], settings["seed"]
    )
    return {
        name: {**asdict(interval), "n_seeds": len(z_phot), **numbers}
        for name, interval in intervals.items()
    }
