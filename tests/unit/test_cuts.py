"""Cuts keep what they say, the cut-flow adds up, and a bad cut is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.catalogs.cuts import CUTFLOW_COLUMNS, apply_cuts
from zladder.provenance.errors import BadInput


def frame():
    return pd.DataFrame(
        {
            "object_id": [1, 2, 3, 4, 5, 6],
            "mag_r": [15.0, 16.0, 17.0, 18.0, np.nan, np.inf],
            "u-g": [0.5, 1.5, np.nan, 2.5, 1.0, 1.0],
            "z_true": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            "flag": [True, True, True, False, True, True],
            "kind": ["spec", "spec", "photo", "spec", "spec", "spec"],
            "peak_2": [np.nan, 1.0, np.nan, 2.0, np.nan, np.nan],
            "many": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
        }
    )


def kept(*cuts):
    named = [{"name": f"cut {i}", **cut} for i, cut in enumerate(cuts)]
    return apply_cuts(frame(), named, "t")[0]["object_id"].tolist()


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("mag_r < 17.5", [1, 2, 3]),
        ("0 < mag_r < 16.5 and z_true > 0.1", [2]),
        ("`u-g` < 2", [1, 2, 5, 6]),
        ("`u-g` - 1 > 0 or z_true < 0.15", [1, 2, 4]),
        ("abs(z_true - 0.3) < 0.15", [2, 3, 4]),
        ("log10(z_true) < -0.5", [1, 2, 3]),
        ("flag", [1, 2, 3, 5, 6]),
        ("flag == True and kind == 'spec'", [1, 2, 5, 6]),
        ("kind in ['photo']", [3]),
        ("many > 2", [3, 4, 5, 6]),
        ("mag_r > 16.5", [3, 4, 6]),  # inf, observed but not detected, is fainter than all
        ("not (mag_r < 17.5)", [4, 6]),  # a NaN is never kept, also where 'not' would make it true
        ("mag_r != 15", [2, 3, 4, 6]),
        ("mag_r - mag_r != 1", [1, 2, 3, 4]),  # inf - inf is NaN
        ("(object_id & 4) == 0", [1, 2, 3]),  # a bit mask
        ("object_id & 4 == 0", [1, 2, 3]),  # & binds closer
        ("(object_id & 4) != 0 or (object_id & 1) == 1", [1, 3, 4, 5, 6]),
        ("(z_true > 0.15) & (z_true < 0.45)", [2, 3, 4]),
        ("~flag", [4]),
        ("not flag", [4]),
        ("kind not in ['photo'] and 0 < z_true <= 0.2", [1, 2]),
        ("-z_true < -0.45", [5, 6]),
    ],
)
def test_expressions(expression, rows):
    assert kept({"keep": expression}) == rows


def test_finite_and_missing():
    assert kept({"finite": ["mag_r"]}) == [1, 2, 3, 4]
    assert kept({"finite": ["mag_r", "u-g"]}) == [1, 2, 4]
    assert kept({"finite": ["many"]}) == [1, 3, 4, 5, 6]
    assert kept({"missing": ["peak_2"]}) == [1, 3, 5, 6]


def test_hand_counted_cut_flow():
    cuts = [
        {"name": "bright", "keep": "mag_r < 17.5"},
        {"name": "blue", "keep": "`u-g` < 1"},
    ]
    selected, flow = apply_cuts(frame(), cuts, "t")
    assert selected["object_id"].tolist() == [1]
    assert selected.index.tolist() == [0]
    assert list(flow.columns) == CUTFLOW_COLUMNS
    assert flow.to_dict("records") == [
        # of 6: 4 is too faint, 6 is not detected, 5 is NaN
        {"cut": "bright", "description": "mag_r < 17.5", "n_in": 6, "n_out": 3,
         "fraction": 0.5, "n_lost": 3, "n_lost_alone": 3, "n_lost_nan": 1},
        # of 1, 2, 3: 2 is too red, 3 is NaN; alone it would keep only 1
        {"cut": "blue", "description": "`u-g` < 1", "n_in": 3, "n_out": 1,
         "fraction": 1 / 3, "n_lost": 2, "n_lost_alone": 5, "n_lost_nan": 1},
    ]  # fmt: skip


def test_descriptions_of_column_cuts():
    _, flow = apply_cuts(frame(), [{"name": "a", "finite": ["mag_r", "u-g"]}], "t")
    assert flow["description"].tolist() == ["finite: mag_r, u-g"]
    # 3 and 5 are NaN, 6 is inf
    assert flow[["n_lost", "n_lost_nan"]].to_numpy().tolist() == [[3, 2]]


def test_no_cuts():
    selected, flow = apply_cuts(frame(), [], "t")
    pd.testing.assert_frame_equal(selected, frame())
    assert list(flow.columns) == CUTFLOW_COLUMNS
    assert len(flow) == 0


def test_index_of_the_input_does_not_matter():
    shuffled = frame().set_index(np.array([5, 5, 3, 0, 1, 9]))
    selected, _ = apply_cuts(shuffled, [{"name": "a", "keep": "z_true > 0.25"}], "t")
    assert selected["object_id"].tolist() == [3, 4, 5, 6]


numbers = st.lists(
    st.one_of(st.floats(-5, 5), st.just(np.nan), st.just(np.inf)), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(numbers, st.lists(st.floats(-4, 4), min_size=1, max_size=4))
def test_cut_flow_adds_up(values, limits):
    table = pd.DataFrame({"a": [0.0, *values], "b": np.arange(len(values) + 1)})
    cuts = [
        {"name": str(i), "keep": f"a < {abs(limit)} or b == 0"} for i, limit in enumerate(limits)
    ]
    selected, flow = apply_cuts(table, cuts, "t")
    assert flow["n_in"].iloc[0] == len(table)
    assert (flow["n_in"] - flow["n_out"] == flow["n_lost"]).all()
    assert (flow["n_in"].to_numpy()[1:] == flow["n_out"].to_numpy()[:-1]).all()
    assert flow["n_out"].iloc[-1] == len(selected)
    assert (flow["n_lost"] <= flow["n_lost_alone"]).all()
    assert flow["n_lost_nan"].sum() == table["a"].isna().sum()
    limit = min(abs(limit) for limit in limits)
    expected = [b for a, b in zip(table["a"], table["b"], strict=True) if a < limit or b == 0]
    assert selected["b"].tolist() == expected


def failure(*cuts):
    with pytest.raises(BadInput) as caught:
        apply_cuts(frame(), cuts, "sample.parquet")
    assert caught.value.file == "sample.parquet"
    return caught.value


@pytest.mark.parametrize("cut", [{"keep": "`u-q` < 1"}, {"finite": ["u-q"]}, {"missing": ["u-q"]}])
def test_unknown_column(cut):
    error = failure({"name": "blue", **cut})
    assert error.place == "cut 'blue', column 'u-q'"
    assert error.expected == "a column 'u-q'"
    assert "mag_r" in error.found
    assert error.hint == "did you mean 'u-g'?"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("mag_r <", "invalid syntax"),
        ("mag_r = 3", "invalid syntax"),
        ("kind < 3", "comparison"),
        ("mag_r.max() < 3", "function ''"),
        ("__import__('os')", "function '__import__'"),
        ("@frame < 3", "invalid syntax"),
        ("[x for x in mag_r] == 3", "ListComp"),
    ],
)
def test_expressions_that_cannot_be_read(expression, found):
    error = failure({"name": "odd", "keep": expression})
    assert error.place == "cut 'odd'"
    assert error.expected == "a condition over columns"
    assert expression in error.found
    assert found in error.found


@pytest.mark.parametrize(
    ("expression", "found"),
    [("mag_r", "float64 from 'mag_r'"), ("mag_r + 1", "float64"), ("1 < 2", "bool from '1 < 2'")],
)
def test_expressions_that_are_no_condition(expression, found):
    error = failure({"name": "odd", "keep": expression})
    assert (error.place, error.expected) == ("cut 'odd'", "a condition, true or false in each row")
    assert error.found.startswith(found)


def test_cut_that_leaves_nothing():
    error = failure({"name": "a", "keep": "mag_r < 16.5"}, {"name": "far", "keep": "z_true > 1"})
    assert (error.place, error.expected) == ("cut 'far'", "a cut that leaves some rows")
    assert error.found == "0 of 2 rows left"
    assert "z_true > 1" in error.hint


def test_two_cuts_of_one_name():
    cut = {"name": "a", "keep": "z_true > 0"}
    error = failure(cut, cut)
    assert (error.place, error.found) == ("cut 'a'", "this name twice")


@pytest.mark.parametrize("cut", [{}, {"keep": "z_true > 0", "finite": ["z_true"]}])
def test_cut_of_two_kinds_or_none(cut):
    error = failure({"name": "a", **cut})
    assert (error.place, error.expected) == ("cut 'a'", "one of keep, finite, missing, duplicates")
    assert error.found.startswith("the keys name")


@pytest.mark.parametrize(
    "expression", ["z_true > 0 & mag_r < 17", "object_id and flag", "not object_id"]
)
def test_operators_that_bind_closer_than_meant_are_refused_with_the_way_to_write_it(expression):
    with pytest.raises(BadInput) as caught:
        kept({"keep": expression})
    said = f"{caught.value.found} {caught.value.hint}"
    assert "compare it, as in x == 1" in said or "write `and`" in said
