"""Read the native tables of a survey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.catalogs.column_map import native_columns
from zladder.catalogs.standardize import standardize_parts
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd


def read_survey(
    parts: Mapping[str, Path], survey: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (standard table, counts) of all parts of a survey.

    Parameters
    ----------
    parts
        {part: native file}.
    survey
        The survey's settings (config/surveys/NAME.yaml).

    Raises
    ------
    BadInput
        As `read_table` and `standardize_parts` do.
    """
    wanted = native_columns(survey)
    tables = [
        (read_table(path, survey["file_format"], wanted, survey.get("names")), path, part)
        for part, path in parts.items()
    ]
    return standardize_parts(tables, survey)
