"""The training and validation rows of a dataset file, checked before anything learns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.learning.inputs import input_matrix
from zladder.learning.split_rows import split_rows
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_split(path: Path, card: Mapping[str, Any], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (inputs, labels) of one split: float32 (N, F) and float64 (N,).

    The training split is cut to the card's label fraction, as `split_rows` says.

    Raises
    ------
    BadInput
        For a galaxy that is both in training and in test, for inputs that are not finite, and for
        labels outside the card's `label_range_z`.
    """
    frame = split_rows(path, card, split)
    inputs = input_matrix(frame, card["inputs"], path)
    _require_finite(frame, inputs, path)
    return inputs, frame["z_true"].to_numpy(dtype=np.float64)


def _require_finite(frame: pd.DataFrame, inputs: np.ndarray, path: Path) -> None:
    bad = ~np.isfinite(inputs).all(axis=1)
    if bad.any():
        first = frame["object_id"].iloc[int(np.argmax(bad))]
        found = f"{int(bad.sum())} galaxies without, the first is object_id {first}"
        hint = "add the cut 'finite: [mag_...]' to the sample in config/stages/catalogs.yaml"
        raise BadInput(path, "magnitudes", "a finite magnitude in every band", found, hint)
