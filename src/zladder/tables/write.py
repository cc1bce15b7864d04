"""Writing a table of objects: Parquet inside, FITS and VOTable at the border."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zladder.provenance.errors import BadInput
from zladder.tables.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

METADATA_KEY = b"zladder"  # of the JSON text in the Parquet schema


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
    # from_pandas=False: NaN (not observed) stays NaN and does not become a gap.
    arrays = [pa.array(_values(frame[name]), from_pandas=False) for name in frame.columns]
    fields = [
        pa.field(name, array.type, metadata=_labels(name, units, ucds))
        for name, array in zip(frame.columns, arrays, strict=True)
    ]
    schema = pa.schema(fields, metadata={METADATA_KEY: note.encode()})
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        path,
        compression="zstd",
        version="2.6",
        row_group_size=1 << 20,
        write_page_checksum=True,  # damage is then noticed when the table is read
    )


def _values(column: pd.Series) -> Any:
    """Return the bare array where the type has no gaps, else the column."""
    return column.to_numpy() if column.dtype.kind in "iufb" and _is_numpy(column) else column


def _is_numpy(column: pd.Series) -> bool:
    return type(column.dtype).__module__.startswith("numpy")


def _labels(name: str, units: Mapping[str, str], ucds: Mapping[str, str]) -> dict[str, str]:
    labels = {"unit": units.get(name, ""), "ucd": ucds.get(name, "")}
    return {key: value for key, value in labels.items() if value}
