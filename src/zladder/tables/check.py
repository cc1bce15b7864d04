"""Checks that every reader of tables makes, and the check that a column holds numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MOST_NAMES_SHOWN = 40  # a real catalogue has hundreds of columns


def listed(names: Iterable[str]) -> str:
    """Return the names in one line, cut after the first forty."""
    names = list(names)
    more = f", … ({len(names)} in all)" if len(names) > MOST_NAMES_SHOWN else ""
    return ", ".join(names[:MOST_NAMES_SHOWN]) + more


def chosen_columns(present: Sequence[str], wanted: Sequence[str] | None, file: Path) -> list[str]:
    """Return the columns to read, each once, in the order wanted.

    Raises
    ------
    BadInput
        A name stands twice in the file's header, or a wanted column is not in the file.
    """
    seen: set[str] = set()
    for name in present:
        if name in seen:
            raise BadInput(
                file, f"column '{name}'", "column names that differ", f"'{name}' twice",
                "rename one of them in the file, or declare all names in the survey",
            )  # fmt: skip
        seen.add(name)
    if wanted is None:
        return list(present)
    for name in wanted:
        require_column(name, present, file)
    return list(dict.fromkeys(wanted))


def require_column(name: str, present: Sequence[str], file: Path | str) -> None:
    """Raise BadInput, with the nearest name, when a column is not there."""
    if name not in present:
        hint = nearest_hint(name, present, "check the survey's column map")
        raise BadInput(file, f"column '{name}'", f"a column '{name}'",
                       f"the columns {listed(present)}", hint)  # fmt: skip


def require_numbers(
    frame: pd.DataFrame, columns: Sequence[str], file: Path, first_row: int = 0
) -> pd.DataFrame:
    """Return a copy of the frame whose named columns hold numbers (integers stay integers).

    A missing value counts as a number (NaN): whether it may be there is the survey's to say.
    `first_row` rows stand in the file before these.

    Raises
    ------
    BadInput
        A column is missing, or holds text; with the first such row (from 1) and its text.
    """
    frame = frame.copy(deep=False)
    for name in columns:
        require_column(name, list(frame.columns), file)
        column = frame[name]
        if pd.api.types.is_bool_dtype(column):
            _refuse(file, name, first_row + 1, column.iloc[0])
        if not pd.api.types.is_numeric_dtype(column):
            frame[name] = _numbers(column, file, name, first_row)
    return frame


def require_positions(frame: pd.DataFrame, file: Path) -> None:
    """Refuse a galaxy whose `ra` or `dec` (deg, numbers) is not finite.

    Raises
    ------
    BadInput
        With the first such row (from 1), and how many there are.
    """
    positions = frame[["ra", "dec"]].to_numpy(np.float64, na_value=np.nan)
    nowhere = ~np.isfinite(positions).all(axis=1)
    if nowhere.any():
        raise BadInput(file, f"columns ra, dec, row {int(np.argmax(nowhere)) + 1}", "a position",
                       f"none ({int(nowhere.sum())} such rows)",
                       "add a cut to the sample: {name: placed, finite: [ra, dec]}")  # fmt: skip


def _numbers(column: pd.Series, file: Path, name: str, first_row: int) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = np.flatnonzero((numbers.isna() & column.notna()).to_numpy())
    if bad.size:
        _refuse(file, name, first_row + int(bad[0]) + 1, column.iloc[bad[0]])
    return numbers


def _refuse(file: Path, name: str, row: int, value: object) -> NoReturn:
    raise BadInput(file, f"column '{name}', row {row}", "a number", f"'{value}'",
                   "correct the value, or map another column")  # fmt: skip
