"""FITS binary tables."""

from __future__ import annotations

import gzip
import io
import re
import warnings
import zlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.tables.arrow import arrow_table
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

# astropy only warns of these; all its other warnings (units, keywords) do no harm to the values.
_DAMAGE = ("truncated", "checksum verification failed", "datasum verification failed")

_SCALAR = re.compile(r"1?[LBIJKED]|\d*A")  # TFORM of a column with one value (or one text) a row


def fits_batches(
    path: Path, columns: Sequence[str] | None, batch_rows: int | None
) -> Iterator[pa.Table]:
    """Yield columns of the first binary table (all with one value a row when None) in batches.

    Columns of arrays are not read. Integers with TNULL become masked. The file is mapped into
    memory, not read into it, unless it is compressed.

    Raises
    ------
    BadInput
        No binary table, a truncated or damaged file (CHECKSUM and DATASUM are verified where
        the file has them), a missing column.
    """
    with ExitStack() as stack:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                source, size = _source(path)
                hdus = stack.enter_context(fits.open(source, checksum=True))
                table = _table(path, hdus)
                _require_all_bytes(path, table, size)
                scalar = [col.name for col in table.columns if _SCALAR.fullmatch(col.format)]
                chosen = chosen_columns(scalar, columns, path)
                data = table.data
        except (OSError, EOFError, zlib.error, TypeError, ValueError, KeyError) as error:
            _refuse(path, str(error) or type(error).__name__, error)
        for warning in caught:
            if any(word in str(warning.message).lower() for word in _DAMAGE):
                _refuse(path, str(warning.message), None)
        described = {name: table.columns[name] for name in chosen}
        step = batch_rows or max(len(data), 1)
        for start in range(0, max(len(data), 1), step):
            yield _batch(data[start : start + step], described)


def _source(path: Path) -> tuple[Path | io.BytesIO, int]:
    """Return what to open, and how many bytes it has."""
    if path.suffix != ".gz":
        return path, path.stat().st_size
    # astropy takes a cut gzip file for a file that ends early; gzip itself does not.
    content = gzip.decompress(path.read_bytes())
    return io.BytesIO(content), len(content)


def _table(path: Path, hdus: fits.HDUList) -> fits.BinTableHDU:
    table = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)), None)
    if table is None:
        raise BadInput(path, "extensions", "a binary table",
                       f"{len(hdus)} without one", "is this an image file?")  # fmt: skip
    return table


def _batch(rows: fits.FITS_rec, described: Mapping[str, fits.Column]) -> pa.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = {name: np.asarray(rows.field(name)) for name in described}
        stored = rows.view(np.ndarray)
    missing = {name: _missing(column, stored[name]) for name, column in described.items()}
    for name, gone in missing.items():
        if gone is not None and values[name].dtype.kind == "f":  # integers that TSCAL turned
            values[name] = np.where(gone, np.nan, values[name])
    return arrow_table(values, missing)


def _require_all_bytes(path: Path, hdu: fits.BinTableHDU, size: int) -> None:
    place = hdu.fileinfo()
    end = place["datLoc"] + place["datSpan"]
    if size < end:
        _refuse(path, f"{size} of {end} bytes", None)


def _missing(column: fits.Column, stored: np.ndarray) -> np.ndarray | None:
    """Return where TNULL stands, which counts in the stored integers, before TZERO and TSCAL."""
    if column.null is None or stored.dtype.kind not in "iu":
        return None
    return np.asarray(stored == int(column.null))


def _refuse(path: Path, found: str, cause: Exception | None) -> NoReturn:
    raise BadInput(path, "file", "a whole FITS file", found.splitlines()[0],
                   "cut off, damaged or not FITS: fetch it again") from cause  # fmt: skip
