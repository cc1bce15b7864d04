"""Who is who: identifiers of 64 bits, made of a row's content where a table has none."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from zladder.catalogs.column_map import survey_file
from zladder.catalogs.repeats import repeated
from zladder.provenance.errors import BadInput
from zladder.tables.arrow import LARGEST_EXACT_FLOAT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RULES = ("refuse", "keep", "keep_first", "drop_all")


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


def text_ids(column: pd.Series, native: str, file: Path, first_row: int) -> np.ndarray:
    """Return the 63-bit BLAKE2b of each row's text (UTF-8): shape (N,), int64, never negative.

    An integer counts as its decimal digits, so that a table gives the same ids whether its format
    holds them as numbers or as text.

    Raises
    ------
    BadInput
        A missing id, or a fraction.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        _refuse(file, native, first_row + int(np.argmax(missing)), "nothing")
    if column.dtype.kind == "f":
        column = pd.Series(native_ids(column, native, file, first_row))
    words = (str(word).strip().encode() for word in column)
    digests = b"".join(blake2b(word, digest_size=8).digest() for word in words)
    return (np.frombuffer(digests, dtype="<u8") >> np.uint64(1)).astype(np.int64)


def native_ids(column: pd.Series, native: str, file: Path, first_row: int) -> np.ndarray:
    """Return the ids of a native column as int64, shape (N,).

    Raises
    ------
    BadInput
        A missing id, text, a fraction, or an integer that int64 cannot hold.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        _refuse(file, native, first_row + int(np.argmax(missing)), "nothing")
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
        _refuse(file, native, first_row + row, f"'{values[row]}'")
    return values.astype(np.int64)


def _refuse(file: Path, native: str, row: int, found: str) -> NoReturn:
    raise BadInput(file, f"column '{native}' (object_id), row {row + 1}",
                   "an integer of at most 63 bits, never through a float", found,
                   f"make ids of this text, object_id: {{native: {native}, from: text}}, or of "
                   "the rows' content, {from: content}")  # fmt: skip


def doubled_rows(
    ids: np.ndarray, origins: Sequence[tuple[Path, int]], survey: Mapping[str, Any]
) -> np.ndarray:
    """Return which rows are taken out so that every object stands once: bool (N,).

    Parameters
    ----------
    ids
        object_id of all rows, the parts of a survey one below the other.
    origins
        File and number of rows of each part, in that order.
    survey
        ``duplicates``: ``keep_first`` keeps the first of several rows, ``drop_all`` none of them;
        ``keep`` all of them (the sample decides, after its cuts).

    Raises
    ------
    BadInput
        An object_id twice when the survey does not say what to do; names the id and both rows.
    """
    rule = survey.get("duplicates", "refuse")
    if rule not in RULES:
        raise BadInput(survey_file(survey), "duplicates", "keep, keep_first or drop_all",
                       f"'{rule}'", "leave it out to refuse duplicates")  # fmt: skip
    if rule == "keep":
        return np.zeros(len(ids), dtype=bool)
    doubled = repeated(ids, keep_first=rule != "drop_all")
    if rule == "refuse" and doubled.any():
        _refuse_duplicate(ids, doubled, origins)
    return doubled


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
