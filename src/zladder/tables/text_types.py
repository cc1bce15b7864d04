"""Which type the columns of a text table have: one for all blocks of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# In order of preference; a column that is none of these stays text.
KINDS = (pa.int64(), pa.uint64(), pa.float64(), pa.bool_())


def kinds_of(blocks: Iterable[pa.Table]) -> dict[str, pa.DataType]:
    """Return, for each column, the first kind that the values of all blocks can be read as."""
    left: dict[str, list[pa.DataType]] = {}
    for block in blocks:
        for name in block.column_names:
            left[name] = _readable(block[name], left.get(name, list(KINDS)))
    return {name: kinds[0] if kinds else pa.string() for name, kinds in left.items()}


def typed(block: pa.Table, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the block with its columns, which are text, read as these kinds."""
    return pa.table({name: _as_kind(block[name], kinds[name]) for name in block.column_names})


def _as_kind(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if kind == pa.string():
        return column
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return pc.cast(_bare(column), kind)


def _readable(column: pa.ChunkedArray, kinds: list[pa.DataType]) -> list[pa.DataType]:
    found = [kind for kind in kinds if _can(column, kind)]
    if found or not kinds:
        return found
    bare = _bare(column)
    return [kind for kind in kinds if _can(bare, kind)]


def _can(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        pc.cast(column, kind)
    except pa.ArrowInvalid:
        return False
    return True


def _bare(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the text without blanks around it and without a leading plus."""
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
