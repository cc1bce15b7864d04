"""VOTable files."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

import numpy as np
from astropy.io import votable

from zladder.provenance.errors import BadInput
from zladder.tables.arrow import arrow_table
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa


def votable_batches(
    path: Path, columns: Sequence[str] | None, batch_rows: int | None
) -> Iterator[pa.Table]:
    """Yield columns of the first table (all with one value a row when None) in batches.

    The document is parsed whole: its memory grows with its rows.

    Raises
    ------
    BadInput
        No table, a truncated or damaged file, a missing column.
    """
    try:
        with warnings.catch_warnings():
            # Units and UCDs outside the standard are common and do no harm to the values.
            warnings.simplefilter("ignore")
            table = votable.parse(path, verify="ignore").get_first_table()
            array = table.array
    except (ExpatError, IndexError, ValueError, TypeError, OSError, EOFError) as error:
        raise BadInput(path, "file", "a whole VOTable", str(error).splitlines()[0],
                       "cut off, damaged or not a VOTable: fetch it again") from error  # fmt: skip
    ids = {field.name: field.ID for field in table.fields}
    if array.dtype.names is None:
        return
    flat = [f.name for f in table.fields if _one_value_a_row(f, array)]
    chosen = chosen_columns(flat, columns, path)
    step = batch_rows or max(len(array), 1)
    for start in range(0, max(len(array), 1), step):
        rows = array[start : start + step]
        values = {name: np.asarray(rows.data[ids[name]]) for name in chosen}
        missing = {name: np.asarray(rows.mask[ids[name]]) for name in chosen}
        for name, gone in missing.items():
            if values[name].dtype.kind == "f":  # an empty cell, or the field's own null
                values[name] = np.where(gone, np.nan, values[name])
        floats = {name for name in chosen if values[name].dtype.kind == "f"}
        yield arrow_table(
            values, {name: None if name in floats else missing[name] for name in chosen}
        )


def _one_value_a_row(field: votable.tree.Field, array: np.ma.MaskedArray) -> bool:
    return field.datatype in ("char", "unicodeChar") or (
        array.dtype[field.ID].kind != "O" and array.dtype[field.ID].shape == ()
    )
