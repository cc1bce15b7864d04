"""Parquet tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from zladder.provenance.errors import BadInput
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def parquet_batches(
    path: Path, columns: Sequence[str] | None, batch_rows: int | None
) -> Iterator[pa.Table]:
    """Yield the flat columns wanted (all when None) in batches, or at once.

    Page checksums, if there are any, are verified.

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
            if batch_rows is None:
                yield file.read(columns=chosen).select(chosen)
                return
            # One group after the other: over a whole file pyarrow keeps what it has read.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(batch_rows, row_groups=[group], columns=chosen):
                    yield pa.Table.from_batches([batch]).select(chosen)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(path, "file", "a whole Parquet file", str(error).splitlines()[0],
                       "cut off, damaged or not Parquet: fetch it again") from error  # fmt: skip
