"""Who is who: identifiers of 64 bits, made of a row's content where a table has none."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from zladder.catalogs.column_map import survey_file
from zladder.provenance.errors import BadInput
from zladder.tables.arrow import LARGEST_EXACT_FLOAT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RULES = ("refuse", "keep_first", "drop_all")


def content_ids(numbers: pd.DataFrame) -> np.ndarray:
    """Return the 63-bit BLAKE2b of each row's standard numbers: shape (N,), int64, never negative.

    Columns count in the order of their names, so that the same galaxy has the same id in two
    files whatever their order of columns.
    """
    matrix = numbers[sorted(numbers.columns)].to_numpy(dtype="<f8") + 0.0  # -0.0 becomes 0.0
    matrix[np.isnan(matrix)] = np.nan  # one NaN among the many bit patterns
    rows = np.ascontiguousarray(matrix)
    digests = b"".join(blake2b(row, digest_size=8).digest() for row in rows)
    return (np.frombuffer(digests, dtype="<u8") >> np.uint64(1)).astype(np.int64)


def native_ids(column: pd.Series, native: str, file: Path) -> np.ndarray:
    """Return the ids of a native column as int64, shape (N,).

    Raises
    ------
    BadInput
        A missing id, text, a fraction, or an integer that int64 cannot hold.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        _refuse(file, native, int(np.argmax(missing)), "nothing")
    if column.dtype.kind in "iu":
        values = column.to_numpy(dtype=column.dtype.name.lower())
        wrong = values > np.iinfo(np.int64).max if values.dtype.kind == "u" else values != values
    elif column.dtype.kind == "f":
        values = column.to_numpy()
        wrong = (values % 1 != 0) | (np.abs(values) > LARGEST_EXACT_FLOAT)
    else:
        values, wrong = column.to_numpy(), np.ones(len(column), dtype=bool)
    if wrong.any():
        row = int(np.argmax(wrong))
        _refuse(file, native, row, f"'{values[row]}'")
    return values.astype(np.int64)


def _refuse(file: Path, native: str, row: int, found: str) -> NoReturn:
    raise BadInput(file, f"column '{native}' (object_id), row {row + 1}",
                   "an integer of at most 63 bits, never through a float", found,
                   "make ids of the rows' content: object_id: {from: content}")  # fmt: skip


def resolve_duplicates(
    frame: pd.DataFrame, origins: Sequence[tuple[Path, int]], survey: Mapping[str, Any]
) -> tuple[pd.DataFrame, int]:
    """Return the frame with every object once, and how many rows were taken out.

    Parameters
    ----------
    frame
        The standard table; the parts of a survey one below the other.
    origins
        File and number of rows of each part, in that order.
    survey
        ``duplicates``: ``keep_first`` keeps the first of several rows, ``drop_all`` none of them.

    Raises
    ------
    BadInput
        An object_id twice when the survey does not say what to do; names the id and both rows.
    """
    rule = survey.get("duplicates", "refuse")
    if rule not in RULES:
        raise BadInput(survey_file(survey), "duplicates", "keep_first or drop_all",
                       f"'{rule}'", "leave it out to refuse duplicates")  # fmt: skip
    keep = False if rule == "drop_all" else "first"
    doubled = frame["object_id"].duplicated(keep=keep).to_numpy()
    if rule == "refuse" and doubled.any():
        _refuse_duplicate(frame["object_id"].to_numpy(), doubled, origins)
    return frame.loc[~doubled].reset_index(drop=True), int(doubled.sum())


def _refuse_duplicate(
    ids: np.ndarray, doubled: np.ndarray, origins: Sequence[tuple[Path, int]]
) -> NoReturn:
    second = int(np.argmax(doubled))
    first = int(np.argmax(ids == ids[second]))
    (file_a, row_a), (file_b, row_b) = _origin(first, origins), _origin(second, origins)
    raise BadInput(
        file_b, f"object_id {ids[second]}, row {row_b}", "every object once",
        f"the same id in row {row_a} of {file_a} ({int(doubled.sum())} such rows in all)",
        "remove them, or declare duplicates: keep_first (or drop_all) in the survey",
    )  # fmt: skip


def _origin(row: int, origins: Sequence[tuple[Path, int]]) -> tuple[Path, int]:
    """Return the file and the row in it (from 1) of a row of the parts together (from 0)."""
    ends = np.cumsum([length for _, length in origins])
    part = int(np.searchsorted(ends, row, side="right"))
    return origins[part][0], row - int(ends[part]) + origins[part][1] + 1
