"""Every format gives the same table, bit for bit, and says exactly what is wrong with a file."""

from __future__ import annotations

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from tests.table_files import (
    BIG,
    COLOUR,
    IDS,
    MAG,
    NAMES,
    WRITERS,
    failure,
    write_whitespace,
)
from zladder.tables.read import read_table


@pytest.fixture(params=list(WRITERS))
def table_file(request, tmp_path):
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def test_same_values_in_every_format(table_file):
    frame = read_table(table_file)
    assert set(frame.columns) == {"object_id", "u-g", "mag", "name"}
    assert frame["object_id"].dtype == np.int64
    assert frame["object_id"].tolist() == IDS.tolist()
    np.testing.assert_array_equal(frame["u-g"], COLOUR)
    np.testing.assert_array_equal(frame["mag"], MAG)
    assert frame["name"].tolist() == NAMES
    assert all(
        column.dtype.isnative for column in (frame["u-g"].to_numpy(), frame["mag"].to_numpy())
    )


def test_only_wanted_columns_in_their_order(table_file):
    frame = read_table(table_file, columns=["mag", "u-g", "mag"])
    assert list(frame.columns) == ["mag", "u-g"]
    assert len(frame) == 3


def test_missing_column_names_the_nearest(table_file):
    error = failure(read_table, table_file, columns=["u-g", "object_di"])
    assert error.file == str(table_file)
    assert error.place == "column 'object_di'"
    assert "u-g" in error.found
    assert "mag" in error.found
    assert error.hint == "did you mean 'object_id'?"


def test_declared_format_beats_the_suffix(tmp_path):
    path = tmp_path / "catalogue.tbl"
    write_whitespace(path)
    assert read_table(path, "whitespace")["object_id"].tolist() == IDS.tolist()


@pytest.mark.parametrize("value", [2**63 + 5, 2**64 - 1])
def test_unsigned_ids_above_2_63(tmp_path, value):
    column = np.array([value, 3], dtype=np.uint64)
    (tmp_path / "t.csv").write_text(f"id\n{value}\n3\n")
    fits.BinTableHDU.from_columns([fits.Column("id", "K", bzero=2**63, array=column)]).writeto(
        tmp_path / "t.fits"
    )
    pq.write_table(pa.table({"id": column}), tmp_path / "t.pq")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["id"] = column
    for name in ("t.csv", "t.fits", "t.pq", "t.h5"):
        assert read_table(tmp_path / name)["id"].tolist() == [value, 3], name


def test_gaps_in_integers_never_cost_bits(tmp_path):
    (tmp_path / "t.csv").write_text(f"id,n\n{BIG},1\n,\n")
    pq.write_table(
        pa.table({"id": pa.array([BIG, None]), "n": pa.array([1, None])}), tmp_path / "t.pq"
    )
    masked = Table(
        {"id": np.ma.MaskedArray([BIG, 0], [0, 1]), "n": np.ma.MaskedArray([1, 0], [0, 1])}
    )
    masked.write(tmp_path / "t.fits")
    from_table(masked).to_xml(str(tmp_path / "t.vot"))
    for name in ("t.csv", "t.pq", "t.fits", "t.vot"):
        frame = read_table(tmp_path / name)
        assert frame["id"].iloc[0] == BIG, name
        assert frame["id"].isna().tolist() == [False, True], name
        assert frame["n"].dtype == np.float64, name
        np.testing.assert_array_equal(frame["n"], [1.0, np.nan])


def test_nulls_of_scaled_fits_integers_are_missing(tmp_path):
    # -32768 in the file; TSCAL 0.001 would make it -32.768
    raw = fits.BinTableHDU.from_columns([fits.Column("z", "I", array=np.array([500, -32768, 7]))])
    raw.header["TSCAL1"], raw.header["TNULL1"] = 0.001, -32768
    raw.writeto(tmp_path / "t.fits")
    found = read_table(tmp_path / "t.fits")["z"].to_numpy(dtype=float)
    np.testing.assert_allclose(found, [0.5, np.nan, 0.007])


def test_nulls_of_votable_floats_are_missing(tmp_path):
    table = Table({"z": np.array([0.5, -999.0, 0.25]), "n": np.array([1, -999, 3])})
    table.write(tmp_path / "t.vot", format="votable")
    text = (tmp_path / "t.vot").read_text()
    for kind in ("double", "long"):
        line = next(row for row in text.splitlines() if f'datatype="{kind}"' in row)
        filled = line.replace("/>", '><VALUES null="-999"/></FIELD>')
        text = text.replace(line, filled)
    assert text.count('null="-999"') == 2
    (tmp_path / "t.vot").write_text(text)
    frame = read_table(tmp_path / "t.vot")
    for name, values in (("z", [0.5, np.nan, 0.25]), ("n", [1, np.nan, 3])):
        np.testing.assert_allclose(frame[name].to_numpy(dtype=float, na_value=np.nan), values)


def test_missing_file_and_folder(tmp_path):
    error = failure(read_table, tmp_path / "none.csv")
    assert (error.place, error.expected, error.found) == ("file", "a file", "no such file")
    (tmp_path / "folder.csv").mkdir()
    assert failure(read_table, tmp_path / "folder.csv").found == "a folder"


def test_unknown_suffix_and_format(tmp_path):
    path = tmp_path / "t.doc"
    path.write_text("a\n1\n")
    error = failure(read_table, path)
    assert error.place == "suffix"
    assert ".parquet" in error.expected
    assert error.found == "'.doc'"
    error = failure(read_table, path, "vottable")
    assert (error.place, error.found) == ("format", "'vottable'")
    assert error.hint == "did you mean 'votable'?"


@pytest.mark.parametrize("name", list(WRITERS))
def test_zero_bytes(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    error = failure(read_table, path)
    assert (error.file, error.place, error.expected) == (str(path), "file", "a table")
    assert error.found == "an empty file (0 bytes)"


def test_zero_rows(tmp_path):
    empty = Table({"a": np.zeros(0), "b": np.zeros(0, dtype=int)})
    (tmp_path / "t.csv").write_text("a,b\n")
    (tmp_path / "t.txt").write_text("#a b\n\n")
    empty.write(tmp_path / "t.fits")
    pq.write_table(pa.table({"a": pa.array([], pa.float64())}), tmp_path / "t.parquet")
    from_table(empty).to_xml(str(tmp_path / "t.vot"))
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["a"] = np.zeros(0)
    for name in ("t.csv", "t.txt", "t.fits", "t.parquet", "t.vot", "t.h5"):
        error = failure(read_table, tmp_path / name)
        assert (error.place, error.expected, error.found) == ("rows", "at least one row", "none"), (
            name
        )


def test_doubled_column_names(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,a\n1,2,3\n")
    (tmp_path / "t.txt").write_text("#a b a\n1 2 3\n")
    columns = [pa.array([1]), pa.array([2]), pa.array([3])]
    pq.write_table(pa.Table.from_arrays(columns, names=["a", "b", "a"]), tmp_path / "t.parquet")
    Table({"a": [1], "b": [2], "c": [3]}).write(tmp_path / "t.fits")
    with fits.open(tmp_path / "t.fits", mode="update") as hdus:
        hdus[1].header["TTYPE3"] = "a"
    document = from_table(Table({"a": [1], "b": [2], "c": [3]}))
    document.get_first_table().fields[2].name = "a"
    document.to_xml(str(tmp_path / "t.vot"))
    for name in ("t.csv", "t.txt", "t.parquet", "t.fits", "t.vot"):
        error = failure(read_table, tmp_path / name, columns=["b"])
        assert (error.place, error.expected) == ("column 'a'", "column names that differ"), name
        assert error.found == "'a' twice"


def test_fits_without_a_table(tmp_path):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "t.fits")
    error = failure(read_table, tmp_path / "t.fits")
    assert (error.place, error.expected) == ("extensions", "a binary table")


def test_hdf5_columns_of_different_lengths(tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["a"], file["b"] = np.zeros(3), np.zeros(4)
    error = failure(read_table, tmp_path / "t.h5")
    assert (error.place, error.expected, error.found) == (
        "dataset 'b'", "3 rows, as 'a' has", "4 rows",
    )  # fmt: skip
    assert len(read_table(tmp_path / "t.h5", columns=["b"])) == 4
