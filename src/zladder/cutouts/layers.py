"""Which layer's tiles a galaxy is cut out of, by a column of its catalogue: wide ones, or deep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

LAYER = "layer"  # the column, and the name in braces of `frames.path`


def layers_of(column: pd.Series, layers: Mapping[str, Any], file: Path) -> np.ndarray:
    """Return the layer of each galaxy, text (N,).

    Parameters
    ----------
    column
        What the catalogue says, as W1 or D3.
    layers
        `begin`: {how that begins: the layer}; the longest beginning that fits counts.
    file
        The sample, for messages.

    Raises
    ------
    BadInput
        If a galaxy's text begins with none of them.
    """
    begin: Mapping[str, str] = layers["begin"]
    values = column.fillna("").astype(str).str.strip()
    found = {}
    for value in values.unique():
        fits = [start for start in begin if value.startswith(start)]
        found[value] = begin[max(fits, key=len)] if fits else None
    wrong = np.array([found[value] is None for value in values], dtype=bool)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(file, f"column '{layers['column']}', row {row + 1}",
                       f"text that begins with {' or '.join(begin)}",
                       f"'{values.iloc[row]}' ({int(wrong.sum())} such rows)",
                       "cut such galaxies, or say their tiles: frames.layers.begin")  # fmt: skip
    return np.array([found[value] for value in values], dtype=object)
