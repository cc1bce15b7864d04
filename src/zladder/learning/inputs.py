"""From a table to the input matrix of a model."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

_MAGNITUDE = re.compile(r"mag_(?!err_|limit_)\w+")


def input_names(inputs: Mapping[str, Any]) -> list[str]:
    """Return the names of the inputs of a run card: magnitudes, then neighbouring colours."""
    bands = inputs["bands"]
    names = [f"mag_{band}" for band in bands]
    if inputs["colours"]:
        names += [f"{blue}-{red}" for blue, red in pairwise(bands)]
    return names


def input_matrix(frame: pd.DataFrame, inputs: Mapping[str, Any], file: Path) -> np.ndarray:
    """Return the inputs of every row, float32, shape (N, F), in the order of `input_names`.

    Magnitudes are AB mag; a magnitude that was not measured (NaN, inf) stays non-finite here.

    Raises
    ------
    BadInput
        If the table lacks one of the bands.
    """
    columns = [f"mag_{band}" for band in inputs["bands"]]
    for column in columns:
        if column not in frame.columns:
            given = [name for name in frame.columns if _MAGNITUDE.fullmatch(name)]
            others = [name for name in given if name not in columns]
            found = ", ".join(given) or "none"
            hint = nearest_hint(column, others, "the run was trained on these bands only")
            place = f"column '{column}'"
            raise BadInput(file, place, f"the magnitudes {columns}", f"magnitudes: {found}", hint)
    magnitudes = frame[columns].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):  # inf - inf: an undetected colour is NaN
        colours = magnitudes[:, :-1] - magnitudes[:, 1:]
    parts = [magnitudes, colours] if inputs["colours"] else [magnitudes]
    return np.concatenate(parts, axis=1).astype(np.float32)
