"""Arrow tables to data frames without losing a bit of an identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

# Above this a float64 can no longer tell neighbouring integers apart.
LARGEST_EXACT_FLOAT = 2**53

_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}


def native(values: np.ndarray) -> np.ndarray:
    """Return the same values in this machine's byte order (FITS is big-endian)."""
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def arrow_column(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Return one column as an Arrow array.

    Parameters
    ----------
    values
        Shape (N,), numbers, booleans, byte strings or text, in any byte order.
    missing
        Shape (N,), bool: True where the file says that there is no value.
    """
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind in "OU":
        words = [word.decode() if isinstance(word, bytes) else str(word) for word in values]
        return pa.array(words, type=pa.string(), mask=missing)
    return pa.array(native(np.ascontiguousarray(values)), mask=missing, from_pandas=False)


def arrow_table(
    columns: Mapping[str, np.ndarray], missing: Mapping[str, np.ndarray | None]
) -> pa.Table:
    """Return an Arrow table of columns of N rows each, with their masks."""
    return pa.table({name: arrow_column(col, missing.get(name)) for name, col in columns.items()})


def from_frame(frame: pd.DataFrame) -> pa.Table:
    """Return the columns of a data frame as they are; NaN (not observed) does not become a gap."""
    return pa.table({name: pa.array(_bare(frame[name]), from_pandas=False) for name in frame})


def _bare(column: pd.Series) -> Any:
    """Return the bare array where the type has no gaps, else the column."""
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb"
    return column.to_numpy() if plain else column


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a data frame of N rows: float gaps become NaN, integers keep their 64 bits.

    An integer column with gaps becomes float64 with NaN when every value is exact there
    (|value| <= 2**53), else the nullable ``Int64`` or ``UInt64`` of pandas.
    """
    series = {name: _series(table.column(i)) for i, name in enumerate(table.column_names)}
    return pd.DataFrame(series)


def _series(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_null(column.type):
        return pd.Series(np.full(len(column), np.nan))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count and pa.types.is_integer(column.type):
        return _integers_with_gaps(column)
    if column.null_count and pa.types.is_boolean(column.type):
        return column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    return column.to_pandas()


def _integers_with_gaps(column: pa.ChunkedArray) -> pd.Series:
    wide = pa.uint64() if column.type == pa.uint64() else pa.int64()
    column = column.cast(wide)
    ends = pc.min_max(column).as_py()
    if ends["min"] is None or max(-ends["min"], ends["max"]) <= LARGEST_EXACT_FLOAT:
        return column.cast(pa.float64()).to_pandas()
    return column.to_pandas(types_mapper=_NULLABLE.get)
