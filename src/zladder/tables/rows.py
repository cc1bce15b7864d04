"""Some rows of a large Parquet table, in any order, without holding the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BATCH_ROWS = 1 << 17


def take_rows(path: Path, rows: np.ndarray, columns: Sequence[str]) -> pa.Table:
    """Return rows of a Parquet table in the order asked for.

    Row groups that hold none of them are not read, others a batch at a time.

    Parameters
    ----------
    path
        The file.
    rows
        int64 (N,), from 0; a row may be asked for twice.
    columns
        Which columns, in this order.

    Raises
    ------
    BadInput
        A damaged file, or a row that it does not have.
    """
    asked, where = np.unique(rows, return_inverse=True)
    found: list[pa.Table] = []
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            _require_rows(path, asked, file.metadata.num_rows)
            start = 0
            for group in range(file.num_row_groups):
                stop = start + file.metadata.row_group(group).num_rows
                if np.searchsorted(asked, stop) > np.searchsorted(asked, start):
                    here = asked[(asked >= start) & (asked < stop)] - start
                    found += _of_group(file, group, here, columns)
                start = stop
            schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    except (pa.ArrowException, OSError) as error:
        raise BadInput(path, "file", "a whole Parquet file", str(error).splitlines()[0],
                       "cut off, damaged or not Parquet: fetch it again") from error  # fmt: skip
    whole = pa.concat_tables(found) if found else schema.empty_table()
    return whole.take(pa.array(where))


def _of_group(
    file: pq.ParquetFile, group: int, wanted: np.ndarray, columns: Sequence[str]
) -> list[pa.Table]:
    """Return the wanted rows (sorted, counted from the group's first) of one row group."""
    found, start = [], 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=list(columns)):
        low, high = np.searchsorted(wanted, [start, start + len(batch)])
        if high > low:
            taken = batch.take(pa.array(wanted[low:high] - start))
            found.append(pa.Table.from_batches([taken]).select(list(columns)))
        start += len(batch)
    return found


def _require_rows(path: Path, asked: np.ndarray, n_rows: int) -> None:
    if len(asked) and (asked[0] < 0 or asked[-1] >= n_rows):
        odd = asked[0] if asked[0] < 0 else asked[-1]
        raise BadInput(path, f"row {odd + 1}", f"one of {n_rows} rows", "a pair that names it",
                       "match the catalogues again")  # fmt: skip
