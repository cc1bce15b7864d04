"""Columns that must hold numbers: text among them is found with its row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.table_files import (
    BIG,
    failure,
)
from zladder.tables.check import require_numbers
from zladder.tables.read import read_table


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
