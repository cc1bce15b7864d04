"""From a survey's native table to the standard one: names, units, sentinels, identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.catalogs.column_map import CONTENT, TEXT, column_map, limits, survey_file
from zladder.catalogs.extinction import rescaled_extinctions
from zladder.catalogs.identity import content_ids, doubled_rows, native_ids, text_ids
from zladder.catalogs.numbers import extra_column, standard_numbers
from zladder.catalogs.photometry import require_units
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.catalogs.column_map import MappedColumn

KINDS = ("spec", "photo", "mock")


def standardize(
    raw: pd.DataFrame, survey: Mapping[str, Any], file: Path, part: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the standard table of one native table of N rows, and what happened on the way.

    Magnitudes: inf where not detected (a declared sentinel, or a flux <= 0), NaN where not
    observed. Every other column: NaN for any declared sentinel. Positions and identifiers have
    no sentinels; extra columns are not checked for undeclared ones.

    Parameters
    ----------
    raw
        The native table, as ``read_table`` gives it.
    survey
        ``columns``; optional ``bands, extra_columns, sentinels, limits, kind, version,
        duplicates, name``, ``stored_extinction_per_ebv`` with ``extinction_per_ebv``.
    file
        Where the table came from, for messages.
    part
        The part of the survey, written into the column ``part``.

    Returns
    -------
    tuple
        The table, and the counts of `standardize_rows` with ``duplicates`` and ``rows_out``.

    Raises
    ------
    BadInput
        As `standardize_rows` and `doubled_rows`.
    """
    frame, counts = standardize_rows(raw, survey, file, part)
    doubled = doubled_rows(frame["object_id"].to_numpy(), [(file, len(raw))], survey)
    frame = frame.loc[~doubled].reset_index(drop=True)
    return frame, {**counts, "duplicates": int(doubled.sum()), "rows_out": len(frame)}


def standardize_rows(
    raw: pd.DataFrame, survey: Mapping[str, Any], file: Path, part: str, first_row: int = 0
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return some rows of a part in standard columns, and counts; duplicates are left in.

    Parameters
    ----------
    raw, survey, file, part
        As for :func:`standardize`.
    first_row
        Rows of the file that stand before these.

    Returns
    -------
    tuple
        The table, and ``rows_in`` with the counts of `standard_numbers`.

    Raises
    ------
    BadInput
        Missing column, text in a number, undeclared NaN, inf or sentinel, position off the
        sphere, bad object_id, or settings that do not fit together.
    """
    identity, *columns = column_map(survey)  # object_id stands first in every column map
    require_units(columns, survey)
    for column in (identity, *columns):
        if column.native:
            require_column(column.native, list(raw.columns), file)
    numbers, counts = standard_numbers(raw, columns, survey, file, first_row)
    numbers = rescaled_extinctions(numbers, survey)
    out: dict[str, Any] = {"object_id": _ids(raw, identity, numbers, file, first_row)}
    for name in numbers.columns:
        out[name] = numbers[name].to_numpy()
    for name, mag in limits(survey).items():
        out[name] = np.full(len(raw), mag, dtype=np.float32)
    out.update(_label(survey, part, len(raw), out))
    for name in survey.get("extra_columns", []):
        out[name] = extra_column(raw, name, survey, counts, file).array
    out["part"] = pd.array([part] * len(raw), dtype="str")
    return pd.DataFrame(out), {"rows_in": len(raw), **counts}


def _ids(
    raw: pd.DataFrame, identity: MappedColumn, numbers: pd.DataFrame, file: Path, first_row: int
) -> np.ndarray:
    if identity.made_of == CONTENT:
        return content_ids(numbers)
    make = text_ids if identity.made_of == TEXT else native_ids
    return make(raw[identity.native], identity.native, file, first_row)


def _label(
    survey: Mapping[str, Any], part: str, rows: int, out: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is known of the labels beside their value, if the survey has any."""
    if "z_true" not in survey["columns"]:
        return {}
    kind = survey.get("kind", "none")
    if kind not in KINDS:
        raise BadInput(survey_file(survey), "kind", " or ".join(KINDS), f"'{kind}'",
                       "say what kind of redshift z_true is")  # fmt: skip
    unknown = np.full(rows, np.nan, dtype=np.float32)
    origin = f"{survey.get('name', 'survey')}/{part} {survey.get('version', '')}".strip()
    return {
        "z_true_err": out.get("z_true_err", unknown),
        "z_true_kind": pd.array([kind] * rows, dtype="str"),
        "z_true_origin": pd.array([origin] * rows, dtype="str"),
    }
