"""Which type the columns of a text table have: one for all blocks of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

# In order of preference; a column that is none of these stays text.
KINDS = (pa.int64(), pa.uint64(), pa.float64(), pa.bool_())
_LARGEST_INT64 = 2**63 - 1
_FIRST_ROWS = 256


def narrowed(left: dict[str, list[pa.DataType]], block: pa.Table) -> dict[str, pa.DataType]:
    """Return, for each column, the first kind that the values of all blocks can be read as.

    Parameters
    ----------
    left
        For each column the kinds that the blocks before this one leave; narrowed in place.
    block
        The next rows; its columns are text, or were parsed as the kind returned before.
    """
    for name in block.column_names:
        left[name] = _readable(block[name], left.get(name, list(KINDS)))
    return {name: kinds[0] if kinds else pa.string() for name, kinds in left.items()}


def typed(block: pa.Table, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the block with its columns, where they are text, read as these kinds."""
    return pa.table({name: _as_kind(block[name], kinds[name]) for name in block.column_names})


def _as_kind(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return pc.cast(_bare(column), kind)


def _readable(column: pa.ChunkedArray, kinds: list[pa.DataType]) -> list[pa.DataType]:
    """Return those of the kinds that all values can be read as."""
    if column.type != pa.string():
        whole = pa.types.is_integer(column.type)
        return _of_integers(column, kinds) if whole else [k for k in kinds if k == column.type]
    found = _of_text(column, kinds)
    return found if found or not kinds else _of_text(_bare(column), kinds)


def _of_text(column: pa.ChunkedArray, kinds: list[pa.DataType]) -> list[pa.DataType]:
    integers = _cast(column, pa.int64()) if pa.int64() in kinds else None
    if integers is not None:
        return _of_integers(integers, kinds)
    return [kind for kind in kinds if _cast(column, kind) is not None]


def _of_integers(column: pa.ChunkedArray, kinds: list[pa.DataType]) -> list[pa.DataType]:
    """Return what whole numbers can be read as beside themselves: their ends say it."""
    ends = pc.min_max(column).as_py()
    low, high = ends["min"] or 0, ends["max"] or 0
    fits = {
        pa.int64(): high <= _LARGEST_INT64, pa.uint64(): low >= 0, pa.float64(): True,
        pa.bool_(): low >= 0 and high <= 1,
    }  # fmt: skip
    return [kind for kind in kinds if fits[kind]]


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        # What cannot be read costs fifteen times as much: a look at the first rows saves it.
        pc.cast(column.slice(0, _FIRST_ROWS), kind)
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _bare(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the text without blanks around it and without a leading plus."""
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
