"""Read the native tables of a survey, some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from zladder.catalogs.column_map import column_map, native_columns
from zladder.catalogs.described import require_j2000, require_one_frame, require_same_units
from zladder.catalogs.identity import doubled_rows
from zladder.catalogs.positions import suspicious_positions
from zladder.catalogs.standardize import standardize_rows
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.arrow import to_frame
from zladder.tables.read import table_batches
from zladder.tables.standard import standard_schema
from zladder.tables.units import Description, describe
from zladder.tables.write import ROW_GROUP_ROWS, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd


def read_survey(
    parts: Mapping[str, Path], survey: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (standard table, counts) of all parts of a survey, in memory.

    Raises
    ------
    BadInput
        As `SurveyReader` does.
    """
    reader = SurveyReader(parts, survey)
    table = pa.concat_tables(list(reader.batches()))
    doubled, counts = reader.finish()
    return to_frame(table.filter(pa.array(~doubled))), counts


def write_survey(
    parts: Mapping[str, Path],
    survey: Mapping[str, Any],
    path: Path,
    batch_rows: int = ROW_GROUP_ROWS,
) -> dict[str, Any]:
    """Write the standard table of all parts of a survey as Parquet; return the counts.

    Memory grows with the rows only by what finds their duplicates (identifiers and their order: 45
    to 70 bytes a row were measured), unless a file is a VOTable or a compressed FITS table, which
    are held whole; of a FITS table the mapped pages count too. Where duplicates are taken out the
    table is written twice.

    Raises
    ------
    BadInput
        As `SurveyReader` does.
    """
    reader = SurveyReader(parts, survey, batch_rows)
    batches = reader.batches()
    first = next(batches)
    schema = standard_schema(first.schema, {"survey": survey["name"]})
    with parquet_writer(path, schema) as write:
        write(first)
        for batch in batches:
            write(batch)
    doubled, counts = reader.finish()
    if doubled.any():
        _rewrite(path, schema, ~doubled)
    return counts


class SurveyReader:
    """The parts of a survey in standard columns, in batches, and what happened on the way.

    Parameters
    ----------
    parts
        {part: native file}.
    survey
        The survey's settings (config/surveys/NAME.yaml).
    batch_rows
        Rows that are held at a time; the table does not depend on it.

    Raises
    ------
    BadInput
        As `table_batches`, `standardize_rows`, `require_same_units`, `require_j2000`,
        `require_one_frame` and `doubled_rows` do.
    """

    def __init__(
        self,
        parts: Mapping[str, Path],
        survey: Mapping[str, Any],
        batch_rows: int = ROW_GROUP_ROWS,
    ) -> None:
        self.parts, self.survey, self.batch_rows = parts, survey, batch_rows
        self._ids: list[np.ndarray] = []
        self._counts: dict[str, dict[str, Any]] = {}
        self._said: dict[str, Description] = {}

    def batches(self) -> Iterator[pa.Table]:
        """Yield the rows of all parts, one below the other, duplicates among them."""
        for part, path in self.parts.items():
            for raw in self._native(path):
                if part not in self._said:  # a file that gave its first rows is no damaged one
                    self._said[part] = describe(path, self.survey["file_format"])
                    self._counts[part] = self._described(path, self._said[part])
                counts = self._counts[part]
                first_row = counts.get("rows_in", 0)
                frame, new = standardize_rows(to_frame(raw), self.survey, path, part, first_row)
                _add(counts, new)
                self._ids.append(frame["object_id"].to_numpy())
                extra = {name: raw.schema.field(name).type for name in self._extra_columns()}
                yield _as_arrow(frame, extra)

    def finish(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Return which rows are taken out as duplicates, bool (N,), and the counts.

        The counts are ``rows_in``, ``duplicates``, ``rows_out`` of all parts together, with
        ``parts``: name -> the counts of each and its ``warnings``.
        """
        for part, counts in self._counts.items():
            found = suspicious_positions(
                counts.get("range_deg", {}), column_map(self.survey), set(self._said[part].units)
            )
            counts["warnings"] += found
        frames = {part: (self.parts[part], said.frame) for part, said in self._said.items()}
        first = next(iter(self._counts.values()))
        first["warnings"] += require_one_frame(frames) if self._has_positions() else []
        ids = np.concatenate(self._ids)
        self._ids.clear()
        origins = [(self.parts[part], counts["rows_in"]) for part, counts in self._counts.items()]
        doubled = doubled_rows(ids, origins, self.survey)
        n_doubled = int(doubled.sum())
        together = {
            "rows_in": len(ids),
            "duplicates": n_doubled,
            "rows_out": len(ids) - n_doubled,
        }
        return doubled, {**together, "parts": self._counts}

    def _native(self, path: Path) -> Iterator[pa.Table]:
        wanted, names = native_columns(self.survey), self.survey.get("names")
        return table_batches(path, self.survey["file_format"], wanted, names, self.batch_rows)

    def _described(self, path: Path, said: Description) -> dict[str, Any]:
        """Return the first counts of a part: the warnings of what its file says."""
        warnings = require_same_units(column_map(self.survey), said.units, path)
        if self._has_positions():
            warnings += require_j2000(said.frame, path)
        return {"warnings": warnings}

    def _extra_columns(self) -> list[str]:
        return list(self.survey.get("extra_columns", []))

    def _has_positions(self) -> bool:
        return {"ra", "dec"} <= set(self.survey["columns"])


def _as_arrow(frame: pd.DataFrame, extra: Mapping[str, pa.DataType]) -> pa.Table:
    """Return a standard table; whole numbers of extra columns have their type in the file.

    An integer column with gaps is one of integers with gaps in every batch, whether this batch has
    gaps or not.
    """
    columns = {}
    for name in frame.columns:
        series, kind = frame[name], extra.get(name)
        if kind is not None and pa.types.is_integer(kind):
            gaps = series.isna().to_numpy()
            filled = series.where(~gaps, 0).to_numpy(dtype=kind.to_pandas_dtype())
            columns[name] = pa.array(filled, mask=gaps if gaps.any() else None)
        elif series.dtype.kind in "iufb" and isinstance(series.dtype, np.dtype):
            columns[name] = pa.array(series.to_numpy(), from_pandas=False)
        else:
            columns[name] = pa.array(series, from_pandas=True)
    return pa.table(columns)


def _add(total: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Add the counts of some rows to those of the rows before them."""
    for key, value in new.items():
        if key == "range_deg":
            known = total.setdefault(key, {})
            for name, (low, high) in value.items():
                before = known.get(name, [low, high])
                known[name] = [min(low, before[0]), max(high, before[1])]
        elif isinstance(value, dict):
            _add(total.setdefault(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value


def _rewrite(path: Path, schema: pa.Schema, stays: np.ndarray) -> None:
    """Write the table again with the rows that stay."""
    with whole_or_nothing([path]) as [second], parquet_writer(second, schema) as write:
        start = 0
        for batch in table_batches(path, "parquet", None, None, ROW_GROUP_ROWS):
            write(batch.filter(pa.array(stays[start : start + len(batch)])))
            start += len(batch)
