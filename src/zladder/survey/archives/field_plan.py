"""Which fields of SDSS a shard's stamps need: those that hold galaxies, and neighbours of these.

The fields of a run and camera column follow each other along the rows and share 128 of them. A
stamp that leaves its frame there has pixels of the next field, which need not hold a galaxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.config.imaging import FRAME_ROWS, SHARED_ROWS, FieldNumber
from zladder.provenance.errors import BadInput
from zladder.tables.names import column_names
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NUMBERS = ["run", "camcol", "field"]


@dataclass(frozen=True)
class FieldPlan:
    """The fields of one shard, each list in order.

    Attributes
    ----------
    fields
        Those in which a galaxy lies.
    beside
        Those in which none does, but which a stamp reaches into.
    n_galaxies, n_without_field
        Galaxies of the shard's fields, with those without a field; and how many of the latter.
    """

    fields: list[FieldNumber]
    beside: list[FieldNumber]
    n_galaxies: int
    n_without_field: int


def plan_fields(
    catalog: Path, bands: Sequence[str], shard: tuple[int, int], reach_rows: float | None = None
) -> FieldPlan:
    """Return the fields of one shard.

    Fields are dealt to shards by their number, as stamps are: shard = field modulo how many. A
    galaxy without a field belongs to the first shard.

    Parameters
    ----------
    catalog
        A standard catalogue (Parquet) with `run`, `camcol` and `field`. Neighbours are known where
        it has `rowc_{band}`, the galaxy's row in the frame of that band, as PhotoObjAll lists it.
    bands
        Of the stamps.
    shard
        Which one, from 0, of how many.
    reach_rows
        How many rows from its galaxy a stamp has pixels, at most; None: no neighbours are asked.

    Raises
    ------
    BadInput
        A catalogue without these columns, or with numbers that are none.
    """
    there = column_names(catalog, "parquet")
    rows = [name for name in (f"rowc_{band}" for band in bands) if name in there]
    table = read_table(catalog, "parquet", [*NUMBERS, *rows])
    values = _numbers(table, NUMBERS)
    known = np.isfinite(values).all(axis=1)
    _require_whole(values, known, catalog)
    numbers = values[known].astype(np.int64)
    own = np.unique(numbers, axis=0)
    beside = np.empty((0, 3), dtype=np.int64)
    if reach_rows is not None and rows:
        beside = _beside(numbers, _numbers(table, rows)[known], reach_rows, own)
    number, n_shards = shard
    n_without = int((~known).sum()) if number == 0 else 0
    n_mine = int((numbers[:, 2] % n_shards == number).sum())
    return FieldPlan(_dealt(own, shard), _dealt(beside, shard), n_mine + n_without, n_without)


def leaving(rowc: np.ndarray, reach_rows: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which stamps may reach below the first row of a frame, and behind its last, bool (N,).

    Parameters
    ----------
    rowc
        Rows of N galaxies in the frames of some bands, (N, B): the frame begins at 0 and ends at
        its number of rows. NaN, and what no galaxy of this field can have, says nothing.
    reach_rows
        As for `plan_fields`.
    """
    sane = (rowc >= -SHARED_ROWS) & (rowc <= FRAME_ROWS + SHARED_ROWS)
    ends = (rowc < reach_rows, FRAME_ROWS - rowc < reach_rows)
    below, behind = (np.asarray((sane & near).any(axis=1)) for near in ends)
    return below, behind


def _beside(
    numbers: np.ndarray, rowc: np.ndarray, reach_rows: float, own: np.ndarray
) -> np.ndarray:
    """Return the neighbours that stamps reach into and that hold no galaxy, (M, 3), in order."""
    below, behind = leaving(rowc, reach_rows)
    step = np.array([0, 0, 1])
    wanted = np.unique(np.concatenate([numbers[below] - step, numbers[behind] + step]), axis=0)
    held = set(map(tuple, own.tolist()))
    new = [row for row in wanted.tolist() if row[2] >= 0 and tuple(row) not in held]
    return np.array(new, dtype=np.int64).reshape(-1, 3)


def _dealt(fields: np.ndarray, shard: tuple[int, int]) -> list[FieldNumber]:
    number, n_shards = shard
    mine = fields[fields[:, 2] % n_shards == number]
    return [FieldNumber(*row) for row in mine.tolist()]


def _numbers(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return columns as float64 (N, len(names)), NaN where there is no number."""
    columns = [pd.to_numeric(table[name], errors="coerce") for name in names]
    return np.column_stack([column.to_numpy("float64", na_value=np.nan) for column in columns])


def _require_whole(values: np.ndarray, known: np.ndarray, catalog: Path) -> None:
    wrong = known & ((values != np.floor(values)) | (values < 0)).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(catalog, f"columns run, camcol, field, row {row + 1}",
                       "whole numbers, 0 or above", f"{values[row].tolist()}",
                       "map the survey's own numbers")  # fmt: skip
