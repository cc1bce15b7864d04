"""Text tables: which line is the header, what a row is, and which bytes are text."""

from __future__ import annotations

import numpy as np
import pytest

from tests.table_files import (
    failure,
    write_parquet,
)
from zladder.tables.read import read_table


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


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_rows_keep_their_order_across_blocks(tmp_path, rows):
    path = tmp_path / "t.txt"
    values = np.arange(rows * 1000)
    path.write_text("#n\n" + "\n".join(map(str, values)) + "\n")
    np.testing.assert_array_equal(read_table(path)["n"], values)


def test_a_sentence_above_the_header_is_no_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("# made by me, for you, today\nra,dec,name\n1.5,2,a\n")
    assert list(read_table(path).columns) == ["ra", "dec", "name"]
    path.write_text("# ra dec\n1.5 2\n")
    assert list(read_table(path, "whitespace").columns) == ["ra", "dec"]


def test_lines_of_comment_among_the_rows_are_left_out(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,ra\n1,1.5\n#2,2.5\n3,3.5\n# the end, of it\n")
    frame = read_table(path)
    assert frame["id"].tolist() == [1, 3]
    assert frame["id"].dtype.kind == "i"
