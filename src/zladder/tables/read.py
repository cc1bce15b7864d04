"""Reading a table of objects in any of six formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from zladder.provenance.errors import BadInput, nearest_hint
from zladder.tables.arrow import to_frame
from zladder.tables.formats import SUFFIXES, format_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd


def read_table(
    path: Path,
    file_format: str | None = None,
    columns: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read a table of N objects; values as they stand in the file, sentinels too.

    Integers keep their 64 bits, byte strings become text, the byte order is this machine's.

    Parameters
    ----------
    path
        The file.
    file_format
        ``csv``, ``whitespace``, ``fits``, ``parquet``, ``votable`` or ``hdf5``; by suffix if None.
    columns
        The columns wanted, in their order; all that hold one value a row if None.
    names
        Names of all columns, for a text file whose own header line is missing or wrong.

    Raises
    ------
    BadInput
        With file, place, what was expected, what was found and a hint: a missing file, an unknown
        format, a missing or doubled column, ragged rows, a damaged file, a table without rows.
    """
    tables = list(table_batches(path, file_format, columns, names, None))
    return to_frame(pa.concat_tables(tables))


def table_batches(
    path: Path,
    file_format: str | None,
    columns: Sequence[str] | None,
    names: Sequence[str] | None,
    batch_rows: int | None,
) -> Iterator[pa.Table]:
    """Yield a table as `read_table` reads it, some rows at a time, as Arrow holds them.

    All batches have the same columns and types; none is empty. Memory does not grow with the
    rows, but for VOTable and compressed FITS, which are held whole.

    Parameters
    ----------
    path, file_format, columns, names
        As for :func:`read_table`.
    batch_rows
        Rows of a batch, all when None. Blocks of a text file are 32 MB whatever this says.

    Raises
    ------
    BadInput
        As :func:`read_table`, when the batch at fault is reached.
    """
    kind = file_format or format_of(path)
    if kind not in SUFFIXES:
        raise BadInput(path, "format", f"one of {', '.join(SUFFIXES)}", f"'{kind}'",
                       nearest_hint(kind, SUFFIXES, "correct the survey's format"))  # fmt: skip
    require_file(path)
    if names is not None and kind not in ("csv", "whitespace"):
        raise BadInput(path, "names", "names for a text file only", f"a {kind} file",
                       "take 'names' out of the survey")  # fmt: skip
    n_rows = 0
    for table in _batches(path, kind, columns, names, batch_rows):
        n_rows += table.num_rows
        if table.num_rows:
            yield table
    if n_rows == 0:
        raise BadInput(path, "rows", "at least one row", "none",
                       "an empty table cannot be used: is this the right file?")  # fmt: skip


def require_file(path: Path) -> None:
    """Return if there is a file that is not empty.

    Raises
    ------
    BadInput
        No such file, a folder, or a file of 0 bytes.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise BadInput(path, "file", "a file", found,
                       "check the path, and the folder of the data (ZLADDER_DATA)")  # fmt: skip
    if path.stat().st_size == 0:
        raise BadInput(path, "file", "a table", "an empty file (0 bytes)",
                       "fetch or make it again")  # fmt: skip


def _batches(
    path: Path,
    kind: str,
    columns: Sequence[str] | None,
    names: Sequence[str] | None,
    batch_rows: int | None,
) -> Iterator[pa.Table]:
    # Each reader is imported when it is needed: most programs read Parquet, and a workflow of
    # many short jobs must not pay for FITS, VOTable and HDF5 in each of them.
    if kind in ("csv", "whitespace"):
        from zladder.tables.text import text_batches

        return text_batches(path, "," if kind == "csv" else " ", columns, names)
    if kind == "fits":
        from zladder.tables.fits import fits_batches

        return fits_batches(path, columns, batch_rows)
    if kind == "votable":
        from zladder.tables.votable import votable_batches

        return votable_batches(path, columns, batch_rows)
    if kind == "hdf5":
        from zladder.tables.hdf5 import hdf5_batches

        return hdf5_batches(path, columns, batch_rows)
    from zladder.tables.parquet import parquet_batches

    return parquet_batches(path, columns, batch_rows)
