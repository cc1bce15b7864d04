"""The names of a table's columns: those that reading gives, read from the header or schema."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from zladder.provenance.errors import BadInput
from zladder.tables.names import column_names
from zladder.tables.read import read_table


def names_of(path, *args):
    frame = pd.DataFrame({"id": [1, 2], "u-g": [0.5, 1.5]})
    if path.suffix == ".csv":
        path.write_text("# made by hand\n\nid,u-g\n1,0.5\n2,1.5\n", encoding="utf-8")
    elif path.suffix == ".gz":
        frame.to_csv(path, sep="\t", index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        kinds = {".fits": "fits", ".vot": "votable"}
        Table.from_pandas(frame).write(path, format=kinds[path.suffix])
    return column_names(path, *args)


@pytest.mark.parametrize("name", ["t.csv", "t.txt.gz", "t.parquet", "t.fits", "t.vot"])
def test_column_names_are_those_that_reading_gives(tmp_path, name):
    assert names_of(tmp_path / name) == ["id", "u-g"] == list(read_table(tmp_path / name))


def test_column_names_of_hdf5_are_those_of_its_only_group(tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["photometry/id"], file["photometry/u-g"] = [1, 2], [0.5, 1.5]
        file["image"] = np.zeros((2, 3))
    assert column_names(tmp_path / "t.h5") == ["id", "u-g"]


def test_column_names_do_not_read_the_rows(tmp_path):
    # The third row is no text: whoever reads it must refuse it.
    (tmp_path / "t.csv").write_bytes(b"id,u-g\n1,0.5\n\xff\xff\n")
    assert column_names(tmp_path / "t.csv") == ["id", "u-g"]
    with pytest.raises(BadInput, match="text in UTF-8"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("t.csv", b"id,u\xff\n1,2\n", ("byte 5", "text in UTF-8", "the byte 0xff")),
        ("t.csv", b"id,u\n1,2,3\n",
         ("header", "3 column names, as row 1 has values", "2: id u")),
        ("t.csv", b"1,2\n", ("line 1", "a header line with the column names", "numbers: 1 2 …")),
        ("t.txt.gz", b"id u\n1 2\n", ("end of file", "a whole gzip file", "Not a gzipped file")),
        ("t.parquet", b"PAR1", ("file", "a whole parquet file with a table", "Parquet")),
        ("t.fits", b"SIMPLE", ("file", "a whole fits file with a table", "")),
        ("t.vot", b"<VOTABLE>", ("file", "a whole votable file with a table", "")),
        ("t.h5", b"no", ("file", "a whole hdf5 file with a table", "file signature not found")),
    ],
)  # fmt: skip
def test_column_names_refuse_what_is_no_table(tmp_path, name, content, parts):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as caught:
        column_names(tmp_path / name)
    error, (place, expected, found) = caught.value, parts
    assert (error.file, error.place, error.expected) == (str(tmp_path / name), place, expected)
    assert error.found
    assert found in error.found


def test_column_names_of_an_unknown_format(tmp_path):
    (tmp_path / "t.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        column_names(tmp_path / "t.csv", "cvs")
    error = caught.value
    assert (error.place, error.found, error.hint) == ("format", "'cvs'", "did you mean 'csv'?")
