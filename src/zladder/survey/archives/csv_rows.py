"""Rows of an archive's CSV as text: numbers of 64 bits never become floats."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zladder.survey.archives.manners import Trouble

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Rows:
    """Columns and rows, every value as the archive wrote it."""

    columns: list[str]
    values: list[list[str]] = field(repr=False)


def read_rows(path: Path) -> Rows:
    """Return the rows of an answer.

    SkyServer opens with a line ``#Table1``, HSC puts ``# `` before the first column: neither
    belongs to the table.

    Raises
    ------
    Trouble
        An answer without columns, or with a row of another length: it was cut off.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        lines = [line for line in csv.reader(stream) if line]
    if lines and len(lines[0]) == 1 and lines[0][0].lower().startswith("#table"):
        del lines[0]
    if not lines:
        message = "the answer holds no table"
        raise Trouble(message)
    columns = [lines[0][0].lstrip("# "), *lines[0][1:]]
    for number, row in enumerate(lines[1:], start=1):
        if len(row) != len(columns):
            message = (
                f"row {number} of the answer has {len(row)} of {len(columns)} fields: cut off?"
            )
            raise Trouble(message)
    return Rows(columns, lines[1:])


def write_rows(path: Path, rows: Rows, *, append: bool = False) -> None:
    """Write rows as plain CSV with one line of names, or append them without."""
    with path.open("a" if append else "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if not append:
            writer.writerow(rows.columns)
        writer.writerows(rows.values)
