"""From a trained run and a table to predictions in the schema of docs/formats.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.evaluate.flags import prediction_flags
from zladder.evaluate.output_table import in_schema
from zladder.learning.inputs import input_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.evaluate.trained import TrainedRun

CHUNK_ROWS = 65_536  # bounds the memory of networks with many members


def predict_datasets(
    datasets: Sequence[Path], trained_on: Sequence[Path], run: TrainedRun
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return (predictions, counts) for all galaxies of datasets that are not in a training split.

    `dataset` and `split` are added in front of the schema's columns. Counts, by dataset: rows in,
    training rows left out, rows out, rows without an answer.

    Raises
    ------
    BadInput
        If a test galaxy was seen in the training of the run or of its parents (`trained_on`).
    """
    asked = asked_galaxies(datasets, trained_on)
    return whole_table(asked, [predict_table(part.frame, run, part.path) for part in asked])


def predict_table(frame: pd.DataFrame, run: TrainedRun, file: Path) -> pd.DataFrame:
    """Return the predictions of a run for every row of a table, none left out.

    Parameters
    ----------
    frame
        Standard columns; `object_id`, the magnitudes of the run's bands, and whatever else of the
        schema is known.
    run
        The trained run.
    file
        Named in messages.

    Returns
    -------
    pandas.DataFrame
        The schema's columns in its order. A row without a finite magnitude in every band has
        `z_phot` NaN and says why in `flags`.

    Raises
    ------
    BadInput
        If a band of the run is missing.
    """
    inputs = input_matrix(frame, run.card["inputs"], file)
    usable = np.isfinite(inputs).all(axis=1)
    z_phot = np.full(len(frame), np.nan)
    z_phot[usable] = _answered(run, inputs[usable])
    bands = run.card["inputs"]["bands"]
    flags = prediction_flags(frame, inputs, z_phot, bands, run.card, run.reference)
    return in_schema(frame, bands, {"z_phot": z_phot.astype(np.float32), "flags": flags})


def _answered(run: TrainedRun, inputs: np.ndarray) -> np.ndarray:
    starts = range(0, len(inputs), CHUNK_ROWS)
    parts = [run.answer(inputs[start : start + CHUNK_ROWS]) for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)
