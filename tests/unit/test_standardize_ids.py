"""Identifiers of 63 bits, given or made of the content, and every object once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.toy_survey import BIG, FILE, failure, raw, survey
from zladder.catalogs.native import read_survey
from zladder.catalogs.standardize import standardize
from zladder.provenance.errors import BadInput

CONTENT = {"columns": {"object_id": {"from": "content"}}}


def test_content_ids_are_the_same_in_any_order_of_rows_and_columns():
    settings = survey(**CONTENT)
    first, _ = standardize(raw(), settings, FILE, "a")
    turned = raw().iloc[::-1, ::-1].reset_index(drop=True)
    second, _ = standardize(turned, settings, FILE, "b")
    assert first["object_id"].tolist() == second["object_id"].tolist()[::-1]
    assert first["object_id"].dtype == np.int64
    assert (first["object_id"] >= 0).all()
    assert first["object_id"].is_unique


def test_content_ids_do_not_see_the_files_precision_or_extra_columns():
    settings = survey(**CONTENT)
    text, _ = standardize(raw(u=[18.123456, 19.0, 20.0]), settings, FILE, "a")
    binary = raw(u=np.float32([18.123456, 19.0, 20.0]), extra=[1.0, 2.0, 3.0])
    table, _ = standardize(binary, survey(**CONTENT, extra_columns=["extra"]), FILE, "a")
    assert text["object_id"].tolist() == table["object_id"].tolist()


def test_content_id_is_this_number():
    # Pinned: ids of earlier results must not change. BLAKE2b, 8 bytes, of (0, 0.5) as <f8 in the
    # order dec, ra, shifted right by one bit.
    settings = {"columns": {"object_id": {"from": "content"}, "ra": "RA", "dec": "DEC"}}
    frame = pd.DataFrame({"RA": [0.5], "DEC": [-0.0]})
    from hashlib import blake2b

    digest = blake2b(np.array([0.0, 0.5], dtype="<f8").tobytes(), digest_size=8).digest()
    expected = int.from_bytes(digest, "little") >> 1
    assert standardize(frame, settings, FILE, "a")[0]["object_id"].tolist() == [expected]


@pytest.mark.parametrize(
    ("ids", "row", "found"),
    [
        (["a1", "b2", "c3"], 1, "'a1'"),
        ([1.0, 2.5, 3.0], 2, "'2.5'"),
        ([1.0, 2.0, float(2**53 + 2)], 3, "'9007199254740994.0'"),
        ([1.0, np.nan, 3.0], 2, "nothing"),
        (np.array([1, 2, 2**63 + 5], dtype=np.uint64), 3, f"'{2**63 + 5}'"),
        (pd.array([1, None, BIG], dtype="Int64"), 2, "nothing"),
        ([True, False, True], 1, "'True'"),
    ],
)
def test_ids_that_are_no_63_bit_integers(ids, row, found):
    error = failure(raw(id=ids), survey())
    assert error.place == f"column 'id' (object_id), row {row}"
    assert error.expected.startswith("an integer of at most 63 bits")
    assert error.found == found
    assert "from: content" in error.hint


@pytest.mark.parametrize(
    "ids",
    [[1.0, 2.0, 3.0], np.array([1, 2, 3], dtype=np.uint64), pd.array([1, 2, 3], dtype="Int64")],
)
def test_ids_of_other_types(ids):
    frame, _ = standardize(raw(id=ids), survey(), FILE, "all")
    assert frame["object_id"].dtype == np.int64
    assert frame["object_id"].tolist() == [1, 2, 3]


def test_duplicates_are_refused_with_both_rows():
    error = failure(raw(id=[7, BIG, BIG]), survey())
    assert (error.file, error.place) == (str(FILE), f"object_id {BIG}, row 3")
    assert error.expected == "every object once"
    assert error.found == f"the same id in row 2 of {FILE} (1 such rows in all)"
    assert "duplicates: keep_first" in error.hint


def test_the_same_row_twice_is_a_duplicate_by_content():
    table = pd.concat([raw(), raw().iloc[[1]]], ignore_index=True)
    assert ", row 4" in failure(table, survey(**CONTENT)).place


def parts(folder, **tables):
    """Write each table as the part of its name."""
    for part, table in tables.items():
        table.to_csv(folder / f"{part}.csv", index=False)
    return {part: folder / f"{part}.csv" for part in tables}


def test_duplicates_across_parts_are_refused(tmp_path):
    files = parts(tmp_path, train=raw(), test=raw(id=[8, 9, BIG + 1]))
    with pytest.raises(BadInput) as caught:
        read_survey(files, survey(file_format="csv"))
    error = caught.value
    assert (error.file, error.place) == (str(files["test"]), f"object_id {BIG + 1}, row 3")
    assert f"row 2 of {files['train']}" in error.found


@pytest.mark.parametrize(
    ("rule", "kept", "mags", "removed"),
    [
        ("keep_first", [1, 2, 5, 6], [18, 19, 18, 19], 2),
        ("drop_all", [1, 5, 6], [18, 18, 19], 3),
        ("keep", [1, 2, 2, 5, 6, 2], [18, 19, 20, 18, 19, 20], 0),
    ],
)
def test_declared_duplicates_across_parts(tmp_path, rule, kept, mags, removed):
    # 2 stands twice in the first part and once in the second: drop_all must not keep the third.
    files = parts(tmp_path, train=raw(id=[1, 2, 2]), test=raw(id=[5, 6, 2]))
    frame, counts = read_survey(files, survey(duplicates=rule, file_format="csv"))
    assert frame["object_id"].tolist() == kept
    assert frame["mag_u"].tolist() == mags
    assert frame.index.tolist() == list(range(len(kept)))
    totals = {name: counts[name] for name in ("rows_in", "duplicates", "rows_out")}
    assert totals == {"rows_in": 6, "duplicates": removed, "rows_out": 6 - removed}
    assert {part: c["rows_in"] for part, c in counts["parts"].items()} == {"train": 3, "test": 3}
