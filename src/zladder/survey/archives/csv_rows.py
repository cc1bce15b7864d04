"""Rows of an archive's CSV as text, one at a time: numbers of 64 bits never become floats."""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING

from zladder.survey.archives.manners import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def rows_of(path: Path) -> Iterator[list[str]]:
    """Yield the names of the columns, then each row, every value as the archive wrote it.

    SkyServer opens with a line ``#Table1``, HSC puts ``# `` before the first column: neither
    belongs to the table.

    Raises
    ------
    Trouble
        An answer without columns, or with a row of another length: it was cut off.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        lines = (line for line in csv.reader(stream) if line)
        first = next(lines, [])
        if len(first) == 1 and first[0].lower().startswith("#table"):
            first = next(lines, [])
        if not first:
            message = "the answer holds no table"
            raise Trouble(message)
        columns = [first[0].lstrip("# "), *first[1:]]
        for number, row in enumerate(chain([columns], lines)):
            if len(row) != len(columns):
                found = f"{len(row)} of {len(columns)} fields"
                message = f"row {number} of the answer has {found}: was it cut off?"
                raise Trouble(message)
            yield row


def copy_rows(answer: Path, table: Path, columns: list[str] | None) -> tuple[list[str], int]:
    """Write an answer as plain CSV; return its columns and how many rows there are.

    With `columns` it is appended to a table that has these, without their names.

    Raises
    ------
    ValueError
        If it has other columns.
    """
    rows, n_rows = rows_of(answer), 0
    names = next(rows)
    if columns not in (None, names):
        message = f"{names}"
        raise ValueError(message)
    with table.open("w" if columns is None else "a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if columns is None:
            writer.writerow(names)
        for row in rows:
            writer.writerow(row)
            n_rows += 1
    return names, n_rows
