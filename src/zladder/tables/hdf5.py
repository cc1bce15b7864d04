"""HDF5 files in which each column is a dataset of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.arrow import arrow_table
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa


def hdf5_batches(
    path: Path, columns: Sequence[str] | None, batch_rows: int | None
) -> Iterator[pa.Table]:
    """Yield the columns in batches: datasets (N,) or (N, 1) of the root, else of its only group.

    Datasets of another shape (images) are not columns and are not read.

    Raises
    ------
    BadInput
        A truncated file, a missing column, columns of different lengths.
    """
    try:
        with h5py.File(path, "r") as file:
            found = column_datasets(table_group(file))
            chosen = chosen_columns(list(found), columns, path)
            n_rows = _one_length(path, {name: len(found[name]) for name in chosen})
            step = batch_rows or max(n_rows, 1)
            for start in range(0, max(n_rows, 1), step):
                rows = slice(start, start + step)
                yield arrow_table({name: _values(found[name], rows) for name in chosen}, {})
    except (OSError, RuntimeError, KeyError) as error:
        raise BadInput(path, "file", "a whole HDF5 file", str(error).strip("'\""),
                       "cut off, damaged or not HDF5: fetch it again") from error  # fmt: skip


def table_group(file: h5py.File) -> h5py.Group:
    """Return the group that holds the columns: the root, or its only group if it has none."""
    groups = [item for item in file.values() if isinstance(item, h5py.Group)]
    return groups[0] if not column_datasets(file) and len(groups) == 1 else file


def column_datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    """Return {name: dataset} of the group's datasets of shape (N,) or (N, 1), one value a row."""
    sets = {name: item for name, item in group.items() if isinstance(item, h5py.Dataset)}
    return {name: item for name, item in sets.items() if _is_column(item)}


def _is_column(item: h5py.Dataset) -> bool:
    flat = item.ndim == 1 or (item.ndim == 2 and item.shape[1] == 1)
    return flat and item.dtype.names is None


def _values(item: h5py.Dataset, rows: slice) -> np.ndarray:
    return np.asarray(item[rows]).reshape(-1)


def _one_length(path: Path, lengths: dict[str, int]) -> int:
    """Return the number of rows, the same in all columns."""
    if len(set(lengths.values())) > 1:
        first, *others = lengths
        odd = next(name for name in others if lengths[name] != lengths[first])
        raise BadInput(path, f"dataset '{odd}'", f"{lengths[first]} rows, as '{first}' has",
                       f"{lengths[odd]} rows", "choose columns of one table")  # fmt: skip
    return next(iter(lengths.values()), 0)
