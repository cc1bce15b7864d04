"""Every format gives the same table, bit for bit, and says exactly what is wrong with a file."""

from __future__ import annotations

import gzip

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from zladder.provenance.errors import BadInput
from zladder.tables.check import require_numbers
from zladder.tables.read import read_table

BIG = 2**60 + 1  # a float64 would make it 2**60
IDS = np.array([BIG, BIG + 1, 17], dtype=np.int64)
COLOUR = np.array([1.5, -0.25, np.nan])
MAG = np.array([17.25, 18.5, 19.0], dtype=np.float32)
NAMES = ["a", "bb", "c"]


def text_rows(blank):
    rows = [
        f"{i}{blank}{c}{blank}{m}{blank}{n}"
        for i, c, m, n in zip(IDS, COLOUR, MAG, NAMES, strict=True)
    ]
    return "\n".join(rows) + "\n"


def write_csv(path):
    path.write_text("object_id,u-g,mag,name\n" + text_rows(","))


def write_whitespace(path):
    path.write_text("#object_id  u-g\tmag name \n" + text_rows("  "))


def write_gz(path):
    path.write_bytes(gzip.compress(("# object_id u-g mag name\n" + text_rows(" ")).encode()))


def astropy_table():
    return Table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES})


def write_fits(path):
    # An unknown unit makes astropy warn; that is no fault of the values.
    table = astropy_table()
    columns = fits.ColDefs(
        [
            fits.Column("object_id", "K", array=table["object_id"]),
            fits.Column("u-g", "D", array=table["u-g"], unit="magnitudes of sorts"),
            fits.Column("mag", "E", array=table["mag"]),
            fits.Column("name", "2A", array=NAMES),
            fits.Column("apertures", "3E", array=np.zeros((3, 3))),
        ]
    )
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(np.zeros((4, 4))),
        fits.BinTableHDU.from_columns(columns),
    ]
    fits.HDUList(hdus).writeto(path)


def write_parquet(path):
    pq.write_table(
        pa.table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES, "list": [[1]] * 3}),
        path,
    )


def write_votable(path):
    from_table(astropy_table()).to_xml(str(path))


def fill_hdf5(group):
    group["object_id"] = IDS
    group["u-g"] = COLOUR.astype(">f8")
    group["mag"] = MAG[:, None]
    group["name"] = np.array(NAMES, dtype="S2")
    group["image"] = np.zeros((3, 5, 4, 4))


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        fill_hdf5(file)


def write_hdf5_group(path):
    with h5py.File(path, "w") as file:
        fill_hdf5(file.create_group("photometry"))


WRITERS = {
    "t.csv": write_csv,
    "t.txt": write_whitespace,
    "t.train": write_whitespace,
    "t.dat.gz": write_gz,
    "t.fits": write_fits,
    "t.fits.gz": write_fits,
    "t.parquet": write_parquet,
    "t.vot": write_votable,
    "t.h5": write_hdf5,
    "t.hdf5": write_hdf5_group,
}


@pytest.fixture(params=list(WRITERS))
def table_file(request, tmp_path):
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def failure(call, *args, **kwargs):
    with pytest.raises(BadInput) as caught:
        call(*args, **kwargs)
    return caught.value


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


def test_booleans_signs_blanks_and_no_value_words(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("flag,x,empty\nTrue, +1.5,\nFalse,null,\n")
    frame = read_table(path)
    assert frame["flag"].tolist() == [True, False]
    np.testing.assert_array_equal(frame["x"], [1.5, np.nan])
    assert frame["empty"].isna().all()


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n")
    frame = read_table(path)
    assert list(frame.columns) == ["a", "b"]
    assert frame["b"].tolist() == ["x", "y"]


def test_header_under_comments(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("# made by a survey, 2020-01-01\na b\n1 2\n")
    assert read_table(path).to_dict("list") == {"a": [1], "b": [2]}


# A header line that lacks a name: real public files have this defect.
def test_header_that_names_too_few_columns(tmp_path):
    path = tmp_path / "t.train"
    path.write_text("#zs u g\n0.1 18 17 0.01\n0.2 19 18 0.02\n")
    error = failure(read_table, path)
    assert error.place == "header"
    assert error.expected == "4 column names, as row 1 has values"
    assert error.found == "3: zs u g"
    assert "names: [...]" in error.hint
    frame = read_table(path, names=["zs", "u", "g", "eu"], columns=["eu", "zs"])
    assert frame.to_dict("list") == {"eu": [0.01, 0.02], "zs": [0.1, 0.2]}


@pytest.mark.parametrize("first", ["", "x y\n", "#x y\n", "#x\n"])
def test_declared_names_replace_the_header(tmp_path, first):
    path = tmp_path / "t.txt"
    path.write_text(first + "1 2\n3 4\n")
    assert read_table(path, names=["a", "b"]).to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_declared_names_of_the_wrong_number(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("x y\n1 2\n")
    error = failure(read_table, path, names=["a"])
    # The plain header line counts as the first row here: it has as many values as the others.
    assert (error.place, error.found) == ("header", "1: a")


def test_names_are_for_text_only(tmp_path):
    write_parquet(tmp_path / "t.parquet")
    error = failure(read_table, tmp_path / "t.parquet", names=["a"])
    assert (error.place, error.found) == ("names", "a parquet file")


def test_no_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,2\n3,4\n")
    error = failure(read_table, path)
    assert error.place == "line 1"
    assert error.expected == "a header line with the column names"
    assert "1 2" in error.found


@pytest.mark.parametrize("name", ["t.csv", "t.txt"])
@pytest.mark.parametrize(("row", "number"), [("5", 1), ("5,6,7", 3)])
def test_ragged_row(tmp_path, name, row, number):
    path = tmp_path / name
    text = f"a,b\n1,2\n\n3,4\n{row}\n7,8\n"  # the blank line is no row
    path.write_text(text if name == "t.csv" else text.replace(",", " "))
    error = failure(read_table, path)
    assert error.file == str(path)
    assert error.place == "row 3"
    assert error.expected == "2 values"
    assert error.found.startswith(f"{number}: '5")


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


@pytest.mark.parametrize("name", ["t.csv", "t.txt"])
def test_bytes_that_are_not_text(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"name\nG\xfcnther\n")
    error = failure(read_table, path)
    assert (error.place, error.expected, error.found) == (
        "byte 7",
        "text in UTF-8",
        "the byte 0xfc",
    )


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


def test_text_in_a_number_is_found_with_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,mag\n1,17.5\n2,\n3,17.4x\n4,n.a.\n")
    frame = read_table(path)
    error = failure(require_numbers, frame, ["id", "mag"], path)
    assert error.file == str(path)
    assert error.place == "column 'mag', row 3"
    assert (error.expected, error.found) == ("a number", "'17.4x'")


def test_require_numbers_converts_and_keeps_integers():
    frame = pd.DataFrame({"id": [BIG, 2], "x": ["1.5", None], "name": ["a", "b"]})
    checked = require_numbers(frame, ["id", "x"], "t")
    assert checked["id"].tolist() == [BIG, 2]
    np.testing.assert_array_equal(checked["x"].to_numpy(dtype=float), [1.5, np.nan])
    assert frame["x"].tolist()[0] == "1.5"  # the caller's frame is left alone


def test_require_numbers_refuses_truth_values():
    error = failure(require_numbers, pd.DataFrame({"x": [True, False]}), ["x"], "t")
    assert (error.place, error.found) == ("column 'x', row 1", "'True'")


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_rows_keep_their_order_across_blocks(tmp_path, rows):
    path = tmp_path / "t.txt"
    values = np.arange(rows * 1000)
    path.write_text("#n\n" + "\n".join(map(str, values)) + "\n")
    np.testing.assert_array_equal(read_table(path)["n"], values)
