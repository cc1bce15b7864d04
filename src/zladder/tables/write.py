"""Writing a table of objects: Parquet inside, FITS and VOTable at the border."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zladder.provenance.errors import BadInput
from zladder.tables.arrow import from_frame
from zladder.tables.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

METADATA_KEY = b"zladder"  # of the JSON text in the Parquet schema
ROW_GROUP_ROWS = 1 << 18  # held at once by who writes or reads a part


def write_table(
    frame: pd.DataFrame,
    path: Path,
    units: Mapping[str, str],
    ucds: Mapping[str, str],
    metadata: Mapping[str, Any],
) -> None:
    """Write a table of N rows, without its index; the same input gives the same bytes.

    NaN and inf are kept as they are in Parquet. In FITS and VOTable magnitudes use the border's
    convention: 99.0 not detected, -99.0 not observed, said in the header.

    Parameters
    ----------
    frame
        Columns of one value a row.
    path
        The file; its suffix chooses Parquet, FITS or VOTable.
    units, ucds
        Column name -> unit (FITS spelling) and UCD1+; a column may be in neither.
    metadata
        What else to say of the table; must be JSON.

    Raises
    ------
    BadInput
        Another suffix.
    ValueError
        A unit or UCD for a column that is not in the frame.
    """
    strangers = sorted((set(units) | set(ucds)) - set(frame.columns))
    if strangers:
        message = f"units or UCDs for columns that are not in the table: {strangers}"
        raise ValueError(message)
    note = json.dumps(metadata, sort_keys=True, allow_nan=False)
    kind = format_of(path)
    if kind == "parquet":
        _write_parquet(frame, path, units, ucds, note)
    elif kind == "fits":
        from zladder.tables.border import write_fits

        write_fits(frame, path, units, ucds, note)
    elif kind == "votable":
        from zladder.tables.border import write_votable

        write_votable(frame, path, units, ucds, note)
    else:
        raise BadInput(path, "suffix", "one of .parquet, .fits, .vot", f"'{path.suffix}'",
                       "Parquet keeps units and types exactly")  # fmt: skip


def _write_parquet(
    frame: pd.DataFrame, path: Path, units: Mapping[str, str], ucds: Mapping[str, str], note: str
) -> None:
    table = from_frame(frame)
    schema = labelled_schema(table.schema, units, ucds, note)
    with parquet_writer(path, schema) as write:
        write(table)


def labelled_schema(
    schema: pa.Schema, units: Mapping[str, str], ucds: Mapping[str, str], note: str
) -> pa.Schema:
    """Return the columns with unit and UCD in each field, and the note (JSON) of the table."""
    fields = [pa.field(f.name, f.type, metadata=_labels(f.name, units, ucds)) for f in schema]
    return pa.schema(fields, metadata={METADATA_KEY: note.encode()})


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Give a function that writes the next rows of a table with these columns.

    The same rows give the same bytes however many are written at a time.
    """
    options: Any = {"compression": "zstd", "version": "2.6", "write_page_checksum": True}
    waiting: list[pa.Table] = []
    # The checksums let damage be noticed when the table is read.
    with pq.ParquetWriter(path, schema, **options) as writer:

        def write(table: pa.Table) -> None:
            waiting.append(table.cast(schema))
            while sum(map(len, waiting)) >= ROW_GROUP_ROWS:
                whole = pa.concat_tables(waiting)
                waiting[:] = [whole.slice(ROW_GROUP_ROWS)]
                writer.write_table(whole.slice(0, ROW_GROUP_ROWS).combine_chunks())

        yield write
        rest = pa.concat_tables(waiting) if waiting else schema.empty_table()
        if len(rest) or not waiting:
            writer.write_table(rest.combine_chunks(), row_group_size=ROW_GROUP_ROWS)


def _labels(name: str, units: Mapping[str, str], ucds: Mapping[str, str]) -> dict[str, str]:
    labels = {"unit": units.get(name, ""), "ucd": ucds.get(name, "")}
    return {key: value for key, value in labels.items() if value}
