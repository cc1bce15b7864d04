"""Writing a table whose columns are standard ones: units and UCDs follow from their names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zladder.tables.columns import ucds_of, units_of
from zladder.tables.write import labelled_schema, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa


def write_standard(
    frame: pd.DataFrame, path: Path, metadata: Mapping[str, Any] | None = None
) -> None:
    """Write a table by `write_table` with the units and UCDs of its standard columns."""
    names = list(frame.columns)
    write_table(frame, path, units_of(names), ucds_of(names), metadata or {})


def standard_schema(schema: pa.Schema, metadata: Mapping[str, Any]) -> pa.Schema:
    """Return a Parquet schema with the units and UCDs of its standard columns."""
    note = json.dumps(metadata, sort_keys=True, allow_nan=False)
    return labelled_schema(schema, units_of(schema.names), ucds_of(schema.names), note)
