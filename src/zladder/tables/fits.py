"""FITS binary tables."""

from __future__ import annotations

import gzip
import io
import re
import warnings
import zlib
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.tables.arrow import arrow_table
from zladder.tables.check import chosen_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

# astropy only warns of these; all its other warnings (units, keywords) do no harm to the values.
_DAMAGE = ("truncated", "checksum verification failed", "datasum verification failed")

_SCALAR = re.compile(r"1?[LBIJKED]|\d*A")  # TFORM of a column with one value (or one text) a row


def read_fits(path: Path, columns: Sequence[str] | None) -> pa.Table:
    """Return columns of the first binary table (all with one value a row when None).

    Columns of arrays are not read. Integers with TNULL become masked.

    Raises
    ------
    BadInput
        No binary table, a truncated or damaged file (CHECKSUM and DATASUM are verified where
        the file has them), a missing column.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table = _read(path, columns)
    except (OSError, EOFError, zlib.error, TypeError, ValueError, KeyError) as error:
        _refuse(path, str(error) or type(error).__name__, error)
    for warning in caught:
        if any(word in str(warning.message).lower() for word in _DAMAGE):
            _refuse(path, str(warning.message), None)
    return table


def _read(path: Path, columns: Sequence[str] | None) -> pa.Table:
    # astropy takes a cut gzip file for a file that ends early; gzip itself does not.
    packed = path.suffix == ".gz"
    source = io.BytesIO(gzip.decompress(path.read_bytes())) if packed else path
    size = source.getbuffer().nbytes if isinstance(source, io.BytesIO) else path.stat().st_size
    with fits.open(source, checksum=True) as hdus:
        hdu = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)), None)
        if hdu is None:
            raise BadInput(path, "extensions", "a binary table",
                           f"{len(hdus)} without one", "is this an image file?")  # fmt: skip
        _require_all_bytes(path, hdu, size)
        scalar = [col.name for col in hdu.columns if _SCALAR.fullmatch(col.format)]
        chosen = chosen_columns(scalar, columns, path)
        data = hdu.data
        values = {name: np.asarray(data.field(name)) for name in chosen}
        missing = {name: _missing(hdu.columns[name], values[name]) for name in chosen}
        return arrow_table(values, missing)


def _require_all_bytes(path: Path, hdu: fits.BinTableHDU, size: int) -> None:
    place = hdu.fileinfo()
    end = place["datLoc"] + place["datSpan"]
    if size < end:
        _refuse(path, f"{size} of {end} bytes", None)


def _missing(column: fits.Column, values: np.ndarray) -> np.ndarray | None:
    if column.null is None or values.dtype.kind not in "iu":
        return None
    offset = int(column.bzero or 0)  # TNULL counts in the stored integers, before TZERO
    return values == int(column.null) + offset


def _refuse(path: Path, found: str, cause: Exception | None) -> NoReturn:
    raise BadInput(path, "file", "a whole FITS file", found.splitlines()[0],
                   "cut off, damaged or not FITS: fetch it again") from cause  # fmt: skip
