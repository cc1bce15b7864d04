"""Parquet tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from zladder.provenance.errors import BadInput
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_parquet(path: Path, columns: Sequence[str] | None) -> pa.Table:
    """Return the flat columns wanted (all when None); page checksums, if any, are verified.

    Raises
    ------
    BadInput
        A truncated or damaged file, a missing column, or one that holds lists.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
            chosen = chosen_columns(flat, columns, path)
            return file.read(columns=chosen).select(chosen)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(path, "file", "a whole Parquet file", str(error).splitlines()[0],
                       "cut off, damaged or not Parquet: fetch it again") from error  # fmt: skip
