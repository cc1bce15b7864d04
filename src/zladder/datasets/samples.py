"""The samples of a dataset, as their files have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.tables.check import require_positions
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


def read_samples(files: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return {name: table} of samples, NAME.parquet, in the order of their precedence.

    Raises
    ------
    BadInput
        As `read_table`; a galaxy without a position where its sample has positions: it is in no
        cell of the sky that a split could be drawn by, and near no other galaxy.
    """
    samples = {path.stem: read_table(path) for path in files}
    for path in files:
        if {"ra", "dec"} <= set(samples[path.stem].columns):
            require_positions(samples[path.stem], path)
    return samples
