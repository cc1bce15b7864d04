"""From a trained run and a table to predictions in the schema of docs/formats.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.flags import prediction_flags
from zladder.learning.inputs import input_matrix
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
    seen = {path: _seen_ids(path) for path in trained_on}
    tables, counts = [], {}
    for path in datasets:
        frame = read_table(path)
        asked = frame[frame["split"] != "train"]
        _require_unseen(asked, path, seen)
        predicted = predict_table(asked, run, path)
        predicted.insert(0, "dataset", path.stem)
        predicted.insert(1, "split", asked["split"].to_numpy())
        tables.append(predicted)
        counts[path.stem] = {
            "n_in": len(frame),
            "n_training": len(frame) - len(asked),
            "n_out": len(predicted),
            "n_without_answer": int(predicted["z_phot"].isna().sum()),
        }
    return pd.concat(tables, ignore_index=True), counts


def _seen_ids(path: Path) -> np.ndarray:
    """Return the galaxies that a training on this dataset has seen: training and validation."""
    frame = read_table(path, columns=["object_id", "split"])
    return frame.loc[frame["split"].isin(["train", "validation"]), "object_id"].to_numpy()


def _require_unseen(asked: pd.DataFrame, path: Path, seen: Mapping[Path, np.ndarray]) -> None:
    tested = asked.loc[asked["split"] == "test", "object_id"].to_numpy()
    for source, ids in seen.items():
        shared = np.intersect1d(tested, ids)
        if len(shared):
            expected = f"test galaxies that the run did not see in {source}"
            found = f"{len(shared)} that it saw, the first is {shared[0]}"
            hint = "give both datasets the same splits and given_parts"
            raise BadInput(path, "column 'object_id'", expected, found, hint)


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
    return _in_schema(frame, bands, {"z_phot": z_phot.astype(np.float32), "flags": flags})


def _answered(run: TrainedRun, inputs: np.ndarray) -> np.ndarray:
    starts = range(0, len(inputs), CHUNK_ROWS)
    parts = [run.answer(inputs[start : start + CHUNK_ROWS]) for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)


def _in_schema(frame: pd.DataFrame, bands: list[str], found: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the columns of the schema that the table or the model gives, in its order."""
    columns: dict[str, Any] = {"object_id": frame["object_id"].to_numpy()}
    if {"ra", "dec"} <= set(frame.columns):
        columns |= {"ra": frame["ra"].to_numpy(), "dec": frame["dec"].to_numpy()}
        columns["_healpix_29"] = _cells(frame)
    for name in ("z_true", "z_true_err"):
        if name in frame.columns:
            columns[name] = frame[name].to_numpy(dtype=np.float32)
    if "z_true_kind" in frame.columns:
        columns["z_true_kind"] = frame["z_true_kind"].to_numpy()
    columns |= found
    photometry = [f"{kind}_{band}" for kind in ("mag", "mag_err") for band in bands]
    for name in [*photometry, "ebv_mag"]:
        if name in frame.columns:
            columns[name] = frame[name].to_numpy(dtype=np.float32)
    return pd.DataFrame(columns)


def _cells(frame: pd.DataFrame) -> np.ndarray:
    """Return the HEALPix cells of order 29: the table's own, else from the positions."""
    if "_healpix_29" in frame.columns:
        return frame["_healpix_29"].to_numpy()
    from zladder.tables.sky_cells import healpix_index

    return healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), order=29)
