"""Nothing that means 'no value' slips through as a number."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toy_survey import FILE, failure, raw, survey
from zladder.catalogs.standardize import standardize


def test_declared_sentinels_become_nan_and_inf():
    frame, counts = standardize(
        raw(
            u=[-9999.0, 99.0, 20.0], eu=[-9999.0, 99.0, 0.3],
            g=np.array([17, np.nan, 19.0], dtype=np.float32), zs=[99.0, 0.2, -9999],
        ),
        survey(sentinels={-9999: "not_observed", "99.0": "not_detected", "nan": "not_observed"}),
        FILE, "all",
    )  # fmt: skip
    np.testing.assert_array_equal(frame["mag_u"], [np.nan, np.inf, 20.0])
    np.testing.assert_array_equal(frame["mag_err_u"], np.float32([np.nan, np.inf, 0.3]))
    np.testing.assert_array_equal(frame["mag_g"], [17.0, np.nan, 19.0])
    # A redshift is there or not: any sentinel is NaN.
    np.testing.assert_array_equal(frame["z_true"], np.float32([np.nan, 0.2, np.nan]))
    assert counts["sentinels"] == {
        "u": {"-9999 (not_observed)": 1, "99 (not_detected)": 1},
        "eu": {"-9999 (not_observed)": 1, "99 (not_detected)": 1},
        "g": {"nan (not_observed)": 1},
        "zs": {"-9999 (not_observed)": 1, "99 (not_detected)": 1},
    }
    assert counts["rows_out"] == 3


def test_yaml_nan_and_inf_as_sentinels():
    settings = survey(sentinels={float("nan"): "not_observed", float("inf"): "not_detected"})
    frame, _ = standardize(raw(u=[np.nan, np.inf, 20.0]), settings, FILE, "all")
    np.testing.assert_array_equal(frame["mag_u"], [np.nan, np.inf, 20.0])


def test_sentinel_is_compared_in_the_columns_own_type():
    table = raw(u=np.array([-99.9, 19, 20], dtype=np.float32))  # -99.9 is not exact in float32
    frame, _ = standardize(table, survey(sentinels={-99.9: "not_observed"}), FILE, "all")
    np.testing.assert_array_equal(frame["mag_u"], [np.nan, 19, 20])


def test_sentinels_in_extra_columns():
    table = raw(
        **{"u-g": [-99.0, 1.0, np.nan], "type": np.array([0, -9, -99]), "name": list("abc")}
    )
    settings = survey(extra_columns=["u-g", "type", "name"], sentinels={-99: "not_observed"})
    frame, counts = standardize(table, settings, FILE, "all")
    np.testing.assert_array_equal(frame["u-g"], [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(frame["type"], [0, -9, np.nan])
    assert frame["name"].tolist() == list("abc")
    assert counts["sentinels"] == {n: {"-99 (not_observed)": 1} for n in ("u-g", "type")}


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("u", -9999.0, "a magnitude between 0 and 50, or a declared sentinel"),
        ("u", 99.0, "a magnitude between 0 and 50, or a declared sentinel"),
        ("g", 0.0, "a magnitude between 0 and 50, or a declared sentinel"),
        ("g", 50.0, "a magnitude between 0 and 50, or a declared sentinel"),
        ("g", np.nan, "a magnitude between 0 and 50, or a declared sentinel"),
        ("g", np.inf, "a magnitude between 0 and 50, or a declared sentinel"),
        ("eu", 0.0, "an error above 0, or a declared sentinel"),
        ("eu", -0.1, "an error above 0, or a declared sentinel"),
        ("eu", 99.0, "an error above 0, or a declared sentinel"),
        ("zs", np.nan, "a finite number, or a declared sentinel"),
        ("zs", -999.0, "a finite number, or a declared sentinel"),
    ],
)
def test_undeclared_sentinel(column, value, expected):
    values = raw()[column].tolist()
    values[1] = values[2] = value
    error = failure(raw(**{column: values}), survey(sentinels={-1.5: "not_observed"}))
    assert error.file == str(FILE)
    assert error.place.startswith(f"column '{column}' (")
    assert error.place.endswith("), row 2")
    assert error.expected == expected
    assert error.found == f"{value} (and 1 rows more)"
    key = "nan" if np.isnan(value) else value
    assert f"sentinels: {{{key}: not_observed}}" in error.hint


def test_position_has_no_sentinel():
    error = failure(raw(RA=[0.0, np.nan, 1.0]), survey(sentinels={"nan": "not_observed"}))
    assert error.place == "column 'RA' (ra), row 2"
    assert (error.expected, error.found) == ("a finite position", "nan")
    assert "no sentinels" in error.hint
