"""A table is the same however many rows are read, standardised or written at a time."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.survey_files import FORMATS, write_native
from tests.table_files import WRITERS, failure
from tests.toy_survey import survey
from zladder.catalogs.native import read_survey, write_survey
from zladder.tables.arrow import to_frame
from zladder.tables.read import read_table, table_batches
from zladder.tables.rows import take_rows
from zladder.tables.text import text_batches
from zladder.tables.write import ROW_GROUP_ROWS, parquet_writer

N = 41


def rows(n=N):
    draw = np.random.default_rng(3)
    table = {
        "id": np.arange(n) + 2**60, "RA": draw.uniform(-180, 180, n),
        "DEC": draw.uniform(-90, 90, n), "zs": draw.uniform(0, 1, n),
        "u": draw.uniform(15, 25, n), "g": draw.uniform(15, 25, n),
        "eu": draw.uniform(0.01, 0.1, n), "eg": draw.uniform(0.01, 0.1, n),
        "n": np.where(np.arange(n) % 13 == 12, -99, 2**62 + np.arange(n)),
        "few": np.where(np.arange(n) == n - 1, -99, np.arange(n)),
        "name": np.array([f"galaxy {i}" for i in range(n)]),
    }  # fmt: skip
    table["u"][n - 1] = 99.0
    return table


@pytest.mark.parametrize("name", list(WRITERS))
@pytest.mark.parametrize("batch_rows", [1, 2, 1000])
def test_batches_are_the_table(tmp_path, name, batch_rows):
    WRITERS[name](tmp_path / name)
    batches = list(table_batches(tmp_path / name, None, None, None, batch_rows))
    assert all(batch.schema == batches[0].schema for batch in batches)
    if "csv" not in name and not name.endswith((".txt", ".train", ".gz")):
        assert [len(batch) for batch in batches] == [1] * 3 if batch_rows == 1 else True
    whole = to_frame(pa.concat_tables(batches))
    pd.testing.assert_frame_equal(whole, read_table(tmp_path / name))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".txt"])
@pytest.mark.parametrize("block_bytes", [1, 7, 60, 10**6])
def test_a_text_column_has_one_type_in_all_blocks(tmp_path, suffix, block_bytes):
    blank = " " if suffix == ".txt" else ","
    lines = ["i,big,f,flag,word,gap,plus"]
    lines += [f"{k},{k},{k},True,{k},{'' if blank == ',' else 'nan'},{k}" for k in range(9)]
    lines += [f"-3,{2**63 + 5},0.5,False,x1,7,+8", "", "4,1,-2e3,True,2,3,5"]
    content = "\n".join(lines).replace(",", blank).encode()
    path = tmp_path / f"t{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    table = pa.concat_tables(list(text_batches(path, blank, None, None, block_bytes)))
    assert table.schema.types == [
        pa.int64(), pa.uint64(), pa.float64(), pa.bool_(), pa.string(), pa.int64(), pa.float64(),
    ]  # fmt: skip
    assert table["i"].to_pylist() == [*range(9), -3, 4]
    assert table["big"].to_pylist() == [*range(9), 2**63 + 5, 1]
    assert table["word"].to_pylist() == [*map(str, range(9)), "x1", "2"]
    assert table["gap"].to_pylist() == [None] * 9 + [7, 3]
    assert table["plus"].to_pylist() == [*range(9), 8, 5]


@pytest.mark.parametrize("block_bytes", [1, 5, 10**6])
def test_what_is_wrong_with_a_text_file_is_found_at_its_own_place(tmp_path, block_bytes):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,4\n\n5,6\n7\n8,9\n")
    error = failure(lambda: list(text_batches(path, ",", None, None, block_bytes)))
    assert (error.place, error.expected) == ("row 4", "2 values")
    path.write_bytes(b"a,b\n1,2\n3,\xfc\n")
    error = failure(lambda: list(text_batches(path, ",", None, None, block_bytes)))
    assert (error.place, error.found) == ("byte 11", "the byte 0xfc")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_catalogue_does_not_depend_on_the_batches(tmp_path, kind):
    files = {"one": write_native(tmp_path, kind, rows())}
    settings = survey(
        name="toy", file_format=kind, extra_columns=["n", "few", "name"],
        sentinels={-99: "not_observed", 99: "not_detected"},
    )  # fmt: skip
    written = {}
    for batch_rows in (1, 7, 1000):
        path = tmp_path / f"{batch_rows}.parquet"
        counts = write_survey(files, settings, path, batch_rows)
        written[batch_rows] = (path.read_bytes(), counts)
    assert written[1] == written[7] == written[1000]
    frame, counts = read_survey(files, settings)
    assert counts == written[1][1]
    pd.testing.assert_frame_equal(read_table(path), frame)
    assert frame["n"].dtype == pd.Int64Dtype()  # above 2^53, with gaps
    assert frame["n"].isna().sum() == 3
    assert (counts["rows_in"], counts["parts"]["one"]["ra_wrapped"]) == (
        N,
        int((rows()["RA"] < 0).sum()),
    )


@pytest.mark.parametrize("rule", ["keep_first", "drop_all", "keep", "refuse"])
def test_duplicates_far_apart_in_the_file_are_found(tmp_path, rule):
    table = rows()
    table["id"][N - 1] = table["id"][2]
    files = {"one": write_native(tmp_path, "csv", table)}
    settings = survey(
        name="toy", file_format="csv", duplicates=rule, sentinels={99: "not_detected"}
    )
    path = tmp_path / "out.parquet"
    if rule == "refuse":
        error = failure(write_survey, files, settings, path, 5)
        assert (error.file, error.place) == (str(files["one"]), f"object_id {2**60 + 2}, row {N}")
        assert "row 3 of" in error.found
        return
    counts = write_survey(files, settings, path, 5)
    expected = pd.Series(table["id"])
    if rule != "keep":
        expected = expected.drop_duplicates(keep="first" if rule == "keep_first" else False)
    assert read_table(path)["object_id"].tolist() == expected.tolist()
    assert counts["rows_out"] == len(expected)
    assert list(tmp_path.glob(".partial*")) == []


@pytest.mark.parametrize("batch_rows", [3, 1000])
def test_a_bad_row_has_its_own_number_in_any_batch(tmp_path, batch_rows):
    settings = survey(name="toy", file_format="parquet", sentinels={99: "not_detected"})
    for column, value, words in (
        ("u", -99.0, "row 18"), ("DEC", 91.0, "row 18"), ("id", -1, None),
    ):  # fmt: skip
        table = rows()
        table[column][17] = value
        files = {"one": write_native(tmp_path, "parquet", table)}
        if words:
            error = failure(write_survey, files, settings, tmp_path / "out.parquet", batch_rows)
            assert error.place.endswith(words)
    text = survey(name="toy", file_format="parquet", columns={"object_id": "name"},
                  sentinels={99: "not_detected"})  # fmt: skip
    error = failure(write_survey, files, text, tmp_path / "out.parquet", batch_rows)
    assert error.place == "column 'name' (object_id), row 1"


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """A Parquet file of 50 rows in groups of 7."""
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("rows") / "t.parquet"
    table = pa.table({"a": np.arange(50), "b": [f"b{i}" for i in range(50)]})
    pq.write_table(table, path, row_group_size=7)
    return path


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=st.lists(st.integers(0, 49), max_size=60))
def test_rows_are_taken_in_the_order_asked_for(grouped, asked):
    taken = take_rows(grouped, np.array(asked, dtype=np.int64), ["b", "a"])
    assert taken.column_names == ["b", "a"]
    assert taken["a"].to_pylist() == asked
    assert taken["b"].to_pylist() == [f"b{i}" for i in asked]


def test_a_row_that_is_not_there_is_refused(grouped):
    error = failure(take_rows, grouped, np.array([3, 50]), ["a"])
    assert (error.file, error.place, error.expected) == (str(grouped), "row 51", "one of 50 rows")


@pytest.mark.parametrize("step", [1000, ROW_GROUP_ROWS // 3, 10**6])
def test_the_same_rows_give_the_same_bytes_however_many_are_written_at_once(tmp_path, step):
    n = 2 * ROW_GROUP_ROWS + 17
    table = pa.table({"a": np.arange(n), "b": np.arange(n) % 7})
    for path, rows_at_once in ((tmp_path / "whole", n), (tmp_path / "parts", step)):
        with parquet_writer(path, table.schema) as write:
            for start in range(0, n, rows_at_once):
                write(table.slice(start, rows_at_once))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
