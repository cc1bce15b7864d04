"""From a survey's native table to the standard one: names, units, sentinels, identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.catalogs.column_map import column_map, survey_file
from zladder.catalogs.extinction import rescaled_extinctions
from zladder.catalogs.identity import content_ids, native_ids, resolve_duplicates
from zladder.catalogs.numbers import extra_column, standard_numbers
from zladder.catalogs.photometry import require_units
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
        ``columns``; optional ``bands, extra_columns, sentinels, kind, duplicates, name``,
        ``stored_extinction_per_ebv`` with ``extinction_per_ebv``.
    file
        Where the table came from, for messages.
    part
        The part of the survey, written into the column ``part``.

    Returns
    -------
    tuple
        The table, and counts: ``rows_in``, ``sentinels`` (native column -> value -> rows),
        ``flux_not_positive`` (native column -> rows), ``duplicates``, ``rows_out``.

    Raises
    ------
    BadInput
        Missing column, text in a number, undeclared NaN, inf or sentinel, position off the
        sphere, bad or doubled object_id, or settings that do not fit together.
    """
    frame, counts = standardize_parts([(raw, file, part)], survey)
    together = {key: counts[key] for key in ("duplicates", "rows_out")}
    return frame, {**counts["parts"][part], **together}


def standardize_parts(
    tables: Sequence[tuple[pd.DataFrame, Path, str]], survey: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return all parts of a survey as one standard table in which every object stands once.

    Parameters
    ----------
    tables
        Native table, file and name of each part.
    survey
        As for :func:`standardize`.

    Returns
    -------
    tuple
        The table, and ``rows_in``, ``duplicates``, ``rows_out`` of all parts together, with
        ``parts``: name -> the counts of each.

    Raises
    ------
    BadInput
        As :func:`standardize`; and an object that stands in two parts.
    """
    done = [(part, *_one_part(raw, survey, file, part)) for raw, file, part in tables]
    frame = pd.concat([table for _, table, _ in done], ignore_index=True)
    origins = [(file, len(raw)) for raw, file, _ in tables]
    unique, n_doubled = resolve_duplicates(frame, origins, survey)
    counts = {"rows_in": len(frame), "duplicates": n_doubled, "rows_out": len(unique)}
    return unique, {**counts, "parts": {part: counted for part, _, counted in done}}


def _one_part(
    raw: pd.DataFrame, survey: Mapping[str, Any], file: Path, part: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    identity, *columns = column_map(survey)  # object_id stands first in every column map
    require_units(columns, survey)
    for column in (identity, *columns):
        if column.native:
            require_column(column.native, list(raw.columns), file)
    numbers, counts = standard_numbers(raw, columns, survey, file)
    numbers = rescaled_extinctions(numbers, survey)
    ids = native_ids(raw[identity.native], identity.native, file) if identity.native else None
    out: dict[str, Any] = {"object_id": content_ids(numbers) if ids is None else ids}
    for name in numbers.columns:
        out[name] = numbers[name].to_numpy()
    out.update(_kind(survey, len(raw)))
    for name in survey.get("extra_columns", []):
        out[name] = extra_column(raw, name, survey, counts, file).array
    out["part"] = pd.array([part] * len(raw), dtype="str")
    return pd.DataFrame(out), {"rows_in": len(raw), **counts}


def _kind(survey: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return the column z_true_kind, if the survey has labels."""
    if "z_true" not in survey["columns"]:
        return {}
    kind = survey.get("kind", "none")
    if kind not in KINDS:
        raise BadInput(survey_file(survey), "kind", " or ".join(KINDS), f"'{kind}'",
                       "say what kind of redshift z_true is")  # fmt: skip
    return {"z_true_kind": pd.array([kind] * rows, dtype="str")}
