"""The numbers of a native table in standard units, with their sentinels understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.catalogs.photometry import (
    degrees_per,
    magnitude,
    magnitude_error,
    nanomaggies_per,
)
from zladder.catalogs.positions import on_sphere
from zladder.catalogs.psf_width import replace_moments, without_widths
from zladder.catalogs.sentinels import declared_sentinels, find_sentinels, require_plausible
from zladder.tables.arrow import LARGEST_EXACT_FLOAT
from zladder.tables.check import require_column, require_numbers
from zladder.tables.columns import standard_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.catalogs.column_map import MappedColumn

NOT_DETECTED_NMGY = 0.0  # becomes a magnitude of inf, as every flux <= 0 does


def standard_numbers(
    raw: pd.DataFrame,
    columns: Sequence[MappedColumn],
    survey: Mapping[str, Any],
    file: Path,
    first_row: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the columns, N rows, in standard units and types, and counts.

    The counts are ``sentinels`` (native column -> sentinel -> rows), ``flux_not_positive``
    (native column -> rows that became not detected), those of `without_widths` and
    `replace_moments`, ``ra_wrapped`` (rows whose RA was below 0 or 360) and ``range_deg`` (ra and
    dec -> least and most). `first_row` rows stand in the file before these.

    Raises
    ------
    BadInput
        A missing column, text in a number, an undeclared sentinel, a position off the sphere.
    """
    raw = require_numbers(raw, list(dict.fromkeys(c.native for c in columns)), file, first_row)
    counts: dict[str, Any] = {"sentinels": {}, "flux_not_positive": {}}
    declared = declared_sentinels(survey)
    read = {c.name: _read(raw[c.native], c, declared, counts, file, first_row) for c in columns}
    counts |= on_sphere(read, file, first_row)
    flux = {c.name for c in columns if c.is_flux}
    without_widths(read, columns, counts)
    standard = {}
    for name, values in replace_moments(read, columns, counts).items():
        described = standard_column(name)
        dtype = described.dtype if described else "float64"
        standard[name] = (_as_magnitude(name, read) if name in flux else values).astype(dtype)
    return pd.DataFrame(standard, index=raw.index), counts


def extra_column(
    raw: pd.DataFrame, name: str, survey: Mapping[str, Any], counts: dict[str, Any], file: Path
) -> pd.Series:
    """Return a native column under its own name; declared sentinels in numbers become NaN.

    It is not looked through for undeclared ones: only cuts use it.
    """
    require_column(name, list(raw.columns), file)
    column = raw[name]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column
    declared = declared_sentinels(survey)
    found = find_sentinels(_floats(column), declared)
    _count(counts, name, found, declared)
    if found and column.dtype.kind in "iu" and column.abs().max() > LARGEST_EXACT_FLOAT:
        column = column.astype("UInt64" if column.dtype.kind == "u" else "Int64")
    for rows in found.values():
        column = column.mask(rows)
    return column


def _floats(column: pd.Series) -> np.ndarray:
    """Return shape (N,) in the column's own float type, others as float64."""
    kept = isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"
    return column.to_numpy() if kept else column.to_numpy(dtype=np.float64, na_value=np.nan)


def _read(
    native: pd.Series,
    column: MappedColumn,
    declared: Mapping[float, str],
    counts: dict[str, Any],
    file: Path,
    first_row: int,
) -> np.ndarray:
    """Return float64, shape (N,), in degrees, nanomaggies or as it was; sentinels understood."""
    values = _floats(native)
    found = {} if column.name in ("ra", "dec") else find_sentinels(values, declared)
    known = np.zeros(len(values), dtype=bool)
    for rows in found.values():
        known |= rows
    require_plausible(column, values, known, file, first_row)
    _count(counts, column.native, found, declared)
    result = values.astype(np.float64) * _scale(column)
    if column.is_flux and not column.name.startswith(("mag_err_", "mag_limit_")):
        n_negative = int(((result <= 0) & ~known).sum())
        counts["flux_not_positive"].update({column.native: n_negative} if n_negative else {})
    for sentinel, rows in found.items():
        result[rows] = _meaning(column, declared[sentinel])
    return result


def _scale(column: MappedColumn) -> float:
    factor: float | None = 1.0
    if column.name in ("ra", "dec"):
        factor = degrees_per(column.unit)
    elif column.is_flux:
        factor = nanomaggies_per(column.unit)
    return factor or 1.0


def _meaning(column: MappedColumn, meaning: str) -> float:
    measured = column.name.startswith("mag_") and not column.name.startswith("mag_limit_")
    if meaning == "not_observed" or not measured:
        return np.nan  # a redshift, an extinction, a limit or a width can only be there or not
    is_flux = column.is_flux and not column.name.startswith("mag_err_")
    return NOT_DETECTED_NMGY if is_flux else np.inf


def _as_magnitude(name: str, read: Mapping[str, np.ndarray]) -> np.ndarray:
    if name.startswith("mag_err_"):
        return magnitude_error(read[name.replace("mag_err_", "mag_")], read[name])
    return magnitude(read[name])


def _count(
    counts: dict[str, Any],
    native: str,
    found: Mapping[float, np.ndarray],
    declared: Mapping[float, str],
) -> None:
    if found:
        counts["sentinels"][native] = {
            f"{sentinel:g} ({declared[sentinel]})": int(rows.sum())
            for sentinel, rows in found.items()
        }
