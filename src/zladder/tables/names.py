"""The names of a table's columns, without reading the table where its format allows that."""

from __future__ import annotations

import gzip
import warnings
import zlib
from typing import TYPE_CHECKING

from zladder.provenance.errors import BadInput, require_known
from zladder.tables.formats import SUFFIXES, format_of
from zladder.tables.read import require_file
from zladder.tables.text import fitting_names, read_content, read_header, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def column_names(
    path: Path, file_format: str | None = None, names: Sequence[str] | None = None
) -> list[str]:
    """Return the names of all columns of a table as they stand in its file.

    Of a text file the header and one row are read, of FITS, Parquet and HDF5 the schema; a
    VOTable is parsed. Columns that hold more than one value a row are named too.

    Parameters
    ----------
    path, file_format, names
        As for `zladder.tables.read.read_table`.

    Raises
    ------
    BadInput
        A missing or damaged file; a text header that is not there or does not fit the first row.
    """
    kind = file_format or format_of(path)
    require_known(kind, SUFFIXES, path, "format")
    require_file(path)
    if kind in ("csv", "whitespace"):
        return _text_names(path, "," if kind == "csv" else " ", names)
    try:
        return _schema_names(path, kind)
    except Exception as error:  # what is raised for damage differs from library to library
        found = (str(error) or type(error).__name__).splitlines()[0]
        hint = "cut off, damaged or of another format: fetch it again"
        raise BadInput(path, "file", f"a whole {kind} file with a table", found, hint) from error


def _schema_names(path: Path, kind: str) -> list[str]:
    if kind == "parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    if kind == "fits":
        from astropy.io import fits

        with warnings.catch_warnings(), fits.open(path) as hdus:
            warnings.simplefilter("ignore")  # read_table says what is damaged
            return list(
                next(hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)).columns.names
            )
    if kind == "hdf5":
        import h5py

        from zladder.tables.hdf5 import column_datasets, table_group

        with h5py.File(path, "r") as file:
            return list(column_datasets(table_group(file)))
    from astropy.io import votable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fields = votable.parse(path, verify="ignore").get_first_table().fields
    return [field.name for field in fields]


def _text_names(path: Path, delimiter: str, names: Sequence[str] | None) -> list[str]:
    try:
        head = _head(path)
        header, start = read_header(path, head, delimiter, names)
        rows = [
            words for line in head[start:].splitlines() if (words := split_words(line, delimiter))
        ]
    except (UnicodeDecodeError, OSError, EOFError, zlib.error):
        read_content(path)  # says which byte is no text
        raise
    return fitting_names(path, header, rows[0]) if rows else header


def _head(path: Path) -> bytes:
    """Return a text file's lines up to the second that is neither empty nor a comment."""
    lines, n_plain = [], 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        for line in stream:
            lines.append(line)
            n_plain += bool(line.strip()) and not line.lstrip().startswith(b"#")
            if n_plain == 2:
                break
    return b"".join(lines).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
