"""Native tables become standard ones, as the survey's settings say, if these fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.toy_survey import BIG, FILE, failure, raw, survey
from zladder.catalogs.column_map import native_columns
from zladder.catalogs.standardize import standardize
from zladder.provenance.errors import BadInput


def test_standard_names_types_and_order():
    frame, counts = standardize(raw(), survey(extra_columns=["u-g"]), FILE, "train")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "object_id": "int64", "ra": "float64", "dec": "float64", "z_true": "float32",
        "mag_u": "float32", "mag_g": "float32", "mag_err_u": "float32", "mag_err_g": "float32",
        "z_true_err": "float32", "z_true_kind": "str", "z_true_origin": "str",
        "u-g": "float64", "part": "str",
    }  # fmt: skip
    assert frame["object_id"].tolist() == [BIG, BIG + 1, 3]
    assert frame["part"].tolist() == ["train"] * 3
    assert frame["z_true_kind"].tolist() == ["spec"] * 3
    assert frame["ra"].tolist() == [0.0, 359.5, 99.0]  # 99 degrees is a place, no sentinel
    np.testing.assert_array_equal(frame["mag_u"], np.float32([18, 19, 20]))
    assert counts == {
        "rows_in": 3, "sentinels": {}, "flux_not_positive": {}, "duplicates": 0, "rows_out": 3,
        "ra_wrapped": 0, "range_deg": {"ra": [0.0, 359.5], "dec": [-90.0, 90.0]},
    }  # fmt: skip


def test_native_columns_are_all_that_must_be_read():
    settings = survey(columns={"object_id": {"from": "content"}}, extra_columns=["u-g", "u"])
    assert native_columns(settings) == ["RA", "DEC", "zs", "u", "g", "eu", "eg", "u-g"]


def test_extra_columns_keep_their_types():
    table = raw(flag=[True, False, True], many=pd.array([BIG, None, 1], dtype="Int64"))
    frame, _ = standardize(table, survey(extra_columns=["flag", "many"]), FILE, "all")
    assert frame["flag"].dtype == bool
    assert frame["many"].iloc[0] == BIG


@pytest.mark.parametrize(
    ("column", "value", "place", "expected"),
    [
        ("RA", 360.5, "column 'ra', row 3", "-180 <= ra <= 360 degrees"),
        ("RA", -180.5, "column 'ra', row 3", "-180 <= ra <= 360 degrees"),
        ("DEC", 90.5, "column 'dec', row 3", "-90 <= dec <= 90 degrees"),
        ("DEC", -99.0, "column 'dec', row 3", "-90 <= dec <= 90 degrees"),
    ],
)
def test_position_off_the_sphere(column, value, place, expected):
    error = failure(raw(**{column: [1.0, 2.0, value]}), survey())
    assert (error.file, error.place, error.expected) == (str(FILE), place, expected)
    assert error.found == f"{value}"


def test_missing_column_and_text_in_a_number():
    error = failure(raw().rename(columns={"eu": "e_u"}), survey())
    assert (error.place, error.expected) == ("column 'eu'", "a column 'eu'")
    assert "e_u" in error.found
    assert error.hint == "did you mean 'e_u'?"
    error = failure(raw(u=["18", "faint", "20"]), survey())
    assert error.place == "column 'u', row 2"
    assert (error.expected, error.found) == ("a number", "'faint'")
    assert failure(raw(), survey(extra_columns=["g-r"])).place == "column 'g-r'"


@pytest.mark.parametrize(
    ("changes", "place", "expected", "found"),
    [
        ({"columns": {"mag_w": "w"}}, "columns.mag_w", "a standard column", "'mag_w'"),
        ({"columns": {"redshift": "zs"}}, "columns.redshift", "a standard column", "'redshift'"),
        ({"columns": {"mag_g": None}}, "columns", "'mag_g' in the column map", None),
        ({"columns": {"object_id": None}}, "columns", "'object_id' in the column map", None),
        ({"columns": {"mag_u": {"unit": "nJy"}}}, "columns.mag_u", "the name of a native column",
         "{'unit': 'nJy'}"),
        ({"extra_columns": ["part"]}, "extra_columns", "names of native columns",
         "'part', a standard column"),
        ({"sentinels": {"none": "not_observed"}}, "sentinels", "numbers, or nan", "'none'"),
        ({"sentinels": {-99: "missing"}}, "sentinels.-99", "not_observed or not_detected",
         "'missing'"),
        ({"kind": "none"}, "kind", "spec or photo or mock", "'none'"),
        ({"duplicates": "keep_last"}, "duplicates", "keep, keep_first or drop_all",
         "'keep_last'"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit(changes, place, expected, found):
    error = failure(raw(), survey(**changes))
    assert error.file == "survey 'toy'"
    assert (error.place, error.expected) == (place, expected)
    assert found is None or error.found == found


def test_misspelt_standard_column_has_a_hint():
    assert failure(raw(), survey(columns={"z_treu": "zs"})).hint == "did you mean 'z_true'?"


def test_labels_only_and_photometry_only():
    labels = {
        "columns": {"object_id": "id", "z_true": "zs", "ra": "RA", "dec": "DEC"},
        "kind": "photo",
    }
    frame, _ = standardize(raw(), labels, FILE, "all")
    labels = ["z_true", "z_true_err", "z_true_kind", "z_true_origin"]
    assert list(frame.columns) == ["object_id", "ra", "dec", *labels, "part"]
    assert frame["z_true_err"].isna().all()
    frame, _ = standardize(raw(), survey(columns={"z_true": None}, kind="none"), FILE, "all")
    assert not {"z_true", "z_true_kind"} & set(frame.columns)


def test_extinctions_are_standard_columns():
    table = raw(a_u=[0.1, 0.2, -99.0])
    settings = survey(columns={"extinction_u": "a_u"}, sentinels={-99: "not_detected"})
    frame, _ = standardize(table, settings, FILE, "all")
    np.testing.assert_array_equal(frame["extinction_u"], np.float32([0.1, 0.2, np.nan]))


@pytest.mark.parametrize("mapped", [[], ["mag_u"]])
def test_a_survey_of_images_has_all_its_magnitudes_or_none(mapped):
    columns = {"object_id": {"from": "content"}, "ra": "RA", "dec": "DEC", "mag_u": "u"}
    chosen = {name: columns[name] for name in ("object_id", "ra", "dec", *mapped)}
    document = {"name": "toy", "bands": ["u", "g"], "columns": chosen}
    with pytest.raises(BadInput) as caught:
        native_columns(document)
    assert caught.value.expected == f"'mag_{'g' if mapped else 'u'}' in the column map"
    pictured = document | {"pictured": True}
    if mapped:
        with pytest.raises(BadInput):
            native_columns(pictured)
    else:
        assert native_columns(pictured) == ["RA", "DEC"]
