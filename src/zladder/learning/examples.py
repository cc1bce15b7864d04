"""The training and validation rows of a dataset file, checked before anything learns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.learning.inputs import input_matrix
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_split(path: Path, card: Mapping[str, Any], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (inputs, labels) of one split: float32 (N, F) and float64 (N,).

    The training split is cut to the card's label fraction by the dataset's `fraction_rank`, so
    that a smaller fraction is always contained in a larger one.

    Raises
    ------
    BadInput
        For a galaxy that is both in training and in test, for inputs that are not finite, and for
        labels outside the card's `label_range_z`.
    """
    frame = read_table(path)
    require_no_test_object(frame, path)
    frame = frame[frame["split"] == split]
    if split == "train":
        frame = frame[frame["fraction_rank"] < card["data"]["label_fraction"]]
    if frame.empty:
        hint = "use a larger sample, or other shares in config/stages/datasets.yaml"
        raise BadInput(path, f"split '{split}'", "at least one galaxy", "none", hint)
    inputs = input_matrix(frame, card["inputs"], path)
    _require_finite(frame, inputs, path)
    labels = frame["z_true"].to_numpy(dtype=np.float64)
    _require_range(frame, labels, card["label_range_z"], path)
    return inputs, labels


def require_no_test_object(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a dataset in which a training or validation galaxy is also a test galaxy."""
    tested = frame["split"] == "test"
    shared = np.intersect1d(frame.loc[tested, "object_id"], frame.loc[~tested, "object_id"])
    if len(shared):
        found = f"{len(shared)} shared, the first is {shared[0]}"
        hint = "rebuild the dataset; a galaxy belongs to one split only"
        raise BadInput(path, "column 'object_id'", "no test galaxy in training", found, hint)


def _require_finite(frame: pd.DataFrame, inputs: np.ndarray, path: Path) -> None:
    bad = ~np.isfinite(inputs).all(axis=1)
    if bad.any():
        first = frame["object_id"].iloc[int(np.argmax(bad))]
        found = f"{int(bad.sum())} galaxies without, the first is object_id {first}"
        hint = "add the cut 'finite: [mag_...]' to the sample in config/stages/catalogs.yaml"
        raise BadInput(path, "magnitudes", "a finite magnitude in every band", found, hint)


def _require_range(
    frame: pd.DataFrame, labels: np.ndarray, limits: tuple[float, float], path: Path
) -> None:
    bad = ~((labels >= limits[0]) & (labels <= limits[1]))
    if bad.any():
        first = int(np.argmax(bad))
        found = (
            f"{labels[first]:g} for object_id {frame['object_id'].iloc[first]} ({bad.sum()} such)"
        )
        hint = "cut the sample in config/stages/catalogs.yaml, or widen train.label_range_z"
        expected = f"a redshift in [{limits[0]:g}, {limits[1]:g}]"
        raise BadInput(path, "column 'z_true'", expected, found, hint)
