"""A table that is cut off, of another format or with a flipped bit is refused, not read."""

from __future__ import annotations

import gzip

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from tests.table_files import (
    failure,
)
from zladder.tables.read import read_table


def long_table(path):
    table = Table({"id": np.arange(5000), "x": np.random.default_rng(1).normal(size=5000)})
    if path.suffix == ".parquet":
        pq.write_table(pa.table({name: table[name].data for name in table.colnames}), path)
    elif path.suffix in (".vot", ".xml"):
        kind = "binary2" if path.suffix == ".xml" else "tabledata"
        from_table(table).to_xml(str(path), tabledata_format=kind)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name in table.colnames:
                file[name] = table[name].data
    elif path.name.endswith(".csv.gz"):
        text = "id,x\n" + "".join(f"{i},{x}\n" for i, x in table.iterrows())
        path.write_bytes(gzip.compress(text.encode()))
    else:
        table.write(path)


WHOLE = {
    "t.parquet": "a whole Parquet file",
    "t.fits": "a whole FITS file",
    "t.fits.gz": "a whole FITS file",
    "t.vot": "a whole VOTable",
    "t.xml": "a whole VOTable",
    "t.h5": "a whole HDF5 file",
    "t.csv.gz": "a whole gzip file",
}


# The first kilobytes hold headers; 0.999 loses only the last bytes, where astropy merely warns.
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95, 0.999])
@pytest.mark.parametrize("name", list(WHOLE))
def test_truncated(tmp_path, name, kept):
    path = tmp_path / name
    long_table(path)
    assert len(read_table(path)) == 5000
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    error = failure(read_table, path, columns=["x"])
    assert (error.file, error.expected) == (str(path), WHOLE[name])
    assert error.found


def test_truncated_fits_is_noticed_without_the_words_of_astropy(tmp_path, monkeypatch):
    path = tmp_path / "t.fits"
    long_table(path)
    content = path.read_bytes()
    path.write_bytes(content[:-2000])
    monkeypatch.setattr("zladder.tables.fits._DAMAGE", ())
    error = failure(read_table, path)
    assert (error.place, error.expected) == ("file", "a whole FITS file")
    assert error.found == f"{len(content) - 2000} of {len(content)} bytes"


@pytest.mark.parametrize("name", ["t.parquet", "t.fits", "t.vot", "t.h5"])
def test_another_format_under_the_suffix(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"this is a letter, not a table\n" * 400)
    assert failure(read_table, path).expected == WHOLE[name]


def test_flipped_bit_in_fits_with_checksum(tmp_path):
    path = tmp_path / "t.fits"
    fits.BinTableHDU(Table({"x": np.arange(100.0)})).writeto(path, checksum=True)
    content = bytearray(path.read_bytes())
    content[-2800] ^= 1
    path.write_bytes(bytes(content))
    error = failure(read_table, path)
    assert error.expected == "a whole FITS file"
    assert "hecksum" in error.found


def test_flipped_bit_in_parquet_with_checksum(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table({"x": np.random.default_rng(1).normal(size=1000)})
    pq.write_table(table, path, write_page_checksum=True, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(bytes(content))
    error = failure(read_table, path)
    assert (error.place, error.expected) == ("file", "a whole Parquet file")
