"""Sentinels: numbers that stand for 'no number', declared by the survey; all others are refused.

They mean one of two things. ``not_detected``: the telescope looked and saw nothing; the magnitude
is inf, fainter than any, and `mag_limit_{band}` says how faint at least where the survey knows it.
``not_observed``: nobody looked, or what was seen cannot be used; the magnitude is NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.catalogs.column_map import survey_file
from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.catalogs.column_map import MappedColumn

MEANINGS = {"not_observed": np.nan, "not_detected": np.inf}
# What public catalogues write for a missing number, with either sign.
SUSPECTS = (99.0, 99.9, 99.99, 999.0, 9999.0)
FAINTEST_MAG = 50.0  # no survey reaches it: 0 < mag < 50 as in the selection of GalaxiesML


def declared_sentinels(survey: Mapping[str, Any]) -> dict[float, str]:
    """Return value -> meaning; the key ``nan`` declares NaN and empty fields.

    Raises
    ------
    BadInput
        A key that is no number, or an unknown meaning.
    """
    found: dict[float, str] = {}
    for key, meaning in survey.get("sentinels", {}).items():
        try:
            value = float(key)
        except (TypeError, ValueError):
            raise BadInput(survey_file(survey), "sentinels", "numbers, or nan",
                           f"'{key}'", "as in -99.0: not_observed") from None  # fmt: skip
        if meaning not in MEANINGS:
            hint = nearest_hint(str(meaning), MEANINGS, "choose one of them")
            raise BadInput(survey_file(survey), f"sentinels.{key}", " or ".join(MEANINGS),
                           f"'{meaning}'", hint)  # fmt: skip
        found[value] = meaning
    return found


def find_sentinels(values: np.ndarray, declared: Mapping[float, str]) -> dict[float, np.ndarray]:
    """Return sentinel -> rows, shape (N,) bool, for the sentinels that occur.

    The comparison is made in the column's own type: 99.9 in float32 is not 99.9 in float64.
    """
    own_type = values.dtype if values.dtype.kind == "f" else np.dtype(float)
    found = {}
    for sentinel in declared:
        like = np.asarray(sentinel, dtype=own_type)
        hits = np.isnan(values) if math.isnan(sentinel) else values == like
        if hits.any():
            found[sentinel] = hits
    return found


def require_plausible(
    column: MappedColumn, values: np.ndarray, declared: np.ndarray, file: Path, first_row: int
) -> None:
    """Raise BadInput at the first value that no galaxy can have and that nobody declared.

    Parameters
    ----------
    column
        The column; a magnitude that comes as a flux may be negative or large.
    values
        Shape (N,), native numbers.
    declared
        Shape (N,), bool: True for declared sentinels, which are not looked at.
    file, first_row
        The table's file, and the rows that stand in it before these, for the message.
    """
    expected, bad = _implausible(column, values)
    rows = np.flatnonzero(bad & ~declared)
    if rows.size:
        value = values[rows[0]]
        key = "nan" if np.isnan(value) else str(value)
        more = f" (and {rows.size - 1} rows more)" if rows.size > 1 else ""
        raise BadInput(
            file, f"column '{column.native}' ({column.name}), row {first_row + rows[0] + 1}",
            expected, f"{value}{more}",
            _position_hint(column) or "if it means 'no value', declare it in the survey: "
            f"sentinels: {{{key}: not_observed}} (or not_detected)",
        )  # fmt: skip


def _implausible(column: MappedColumn, values: np.ndarray) -> tuple[str, np.ndarray]:
    never = ~np.isfinite(values)
    if column.name in ("ra", "dec"):  # 99 degrees is a place like any other
        return "a finite position", never
    suspects = np.asarray(SUSPECTS, dtype=values.dtype)  # 99.9 in float32 is not that in float64
    if column.is_flux:  # so is a flux of 99, but hardly one of -99 to the last digit
        never = never | np.isin(values, -suspects)
    else:
        never = never | np.isin(np.abs(values), suspects)
    if column.name.startswith("mag_limit_") and column.is_flux:
        return "a limit above 0, or a declared sentinel", never | (values <= 0)
    if column.name.startswith("mag_err_"):
        return "an error above 0, or a declared sentinel", never | (values <= 0)
    if column.name.startswith("mag_") and not column.is_flux:
        expected = f"a magnitude between 0 and {FAINTEST_MAG:g}, or a declared sentinel"
        return expected, never | (values <= 0) | (values >= FAINTEST_MAG)
    return "a finite number, or a declared sentinel", never


def _position_hint(column: MappedColumn) -> str:
    positions = column.name in ("ra", "dec")
    return "positions have no sentinels: take these rows out of the file" if positions else ""
