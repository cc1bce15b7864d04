"""The oracle's rows in a study's scores: for each metric the estimate that is best for its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.evaluate.study import Answers, read_answers, score_rows
from zladder.metrics.point import POINT_METRICS
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The minimiser of the expected loss behind a metric; the median for all that are about ranks. The
# spreads that a metric takes from the sample itself (fout_dc1, fout_bw2) have no such estimate.
BEST_ESTIMATE = {
    "bias_mean": "z_mean",
    "mse_z": "z_mean",
    "rms_dz": "z_mean_dz",
    "std_dz": "z_mean_dz",
    "loss_tanaka": "z_risk",
    "fout_05": "z_out05",
    "fout_15": "z_out15",
    "fcat_1": "z_cat1",
}
OTHER_ESTIMATE = "z_median"


def score_oracles(
    answers: Answers,
    files: Sequence[Path],
    label_range_z: Sequence[float],
    n_bootstraps: int,
    seed: int,
) -> pd.DataFrame:
    """Return rows as `study.score_methods` does, for the oracles; they are no methods.

    Parameters
    ----------
    answers
        Of the study's methods: the galaxies must be the same.
    files
        Predictions of the oracles.
    label_range_z, n_bootstraps, seed
        As for the methods, whose resamples these are.

    Raises
    ------
    BadInput
        If an oracle answers for other galaxies.
    """
    rows: list[dict[str, Any]] = []
    for path in files:
        for estimate, ids in _by_estimate().items():
            found = read_answers([path], estimate)
            if not found.galaxies.equals(answers.galaxies):
                hint = "predict with the oracle again (rule predict_oracle)"
                raise BadInput(path, "its rows", "the study's galaxies", "other rows", hint)
            for dataset in found.datasets:
                for split in ("validation", "test"):
                    (method,) = found.z_phot
                    where = {"method": method, "dataset": dataset, "split": split}
                    part = found.part(dataset, split)
                    rows += score_rows(where, part, label_range_z, n_bootstraps, seed, ids)
    return pd.DataFrame(rows)


def _by_estimate() -> dict[str, list[str]]:
    """Return {estimate: the metrics that it is taken for}."""
    found: dict[str, list[str]] = {}
    for metric in POINT_METRICS:
        found.setdefault(BEST_ESTIMATE.get(metric, OTHER_ESTIMATE), []).append(metric)
    return found
