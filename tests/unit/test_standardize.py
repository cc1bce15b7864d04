"""Native tables become standard ones; nothing that means 'no value' slips through as a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.column_map import native_columns
from zladder.catalogs.standardize import standardize, standardize_parts
from zladder.provenance.errors import BadInput

FILE = Path("survey/table.csv")
BIG = 2**60 + 1


def survey(**changes):
    settings = {
        "name": "toy",
        "bands": ["u", "g"],
        "columns": {
            "object_id": "id",
            "ra": "RA",
            "dec": "DEC",
            "z_true": "zs",
            "mag_u": "u",
            "mag_g": "g",
            "mag_err_u": "eu",
            "mag_err_g": "eg",
        },
        "kind": "spec",
    }
    columns = {**settings["columns"], **changes.pop("columns", {})}
    columns = {name: source for name, source in columns.items() if source is not None}
    return {**settings, "columns": columns, **changes}


def raw(**changes):
    table = {
        "id": np.array([BIG, BIG + 1, 3]),
        "RA": [0.0, 359.5, 99.0],
        "DEC": [-90.0, 90.0, 0.0],
        "zs": [0.1, 0.2, 0.3],
        "u": [18.0, 19.0, 20.0],
        "g": [17.0, 18.0, 19.0],
        "eu": [0.1, 0.2, 0.3],
        "eg": [0.01, 0.02, 0.03],
        "u-g": [1.0, 1.0, 1.0],
    }
    return pd.DataFrame({**table, **changes})


def failure(frame, settings):
    with pytest.raises(BadInput) as caught:
        standardize(frame, settings, FILE, "all")
    return caught.value


def test_standard_names_types_and_order():
    frame, counts = standardize(raw(), survey(extra_columns=["u-g"]), FILE, "train")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "object_id": "int64", "ra": "float64", "dec": "float64", "z_true": "float32",
        "mag_u": "float32", "mag_g": "float32", "mag_err_u": "float32", "mag_err_g": "float32",
        "z_true_kind": "str", "u-g": "float64", "part": "str",
    }  # fmt: skip
    assert frame["object_id"].tolist() == [BIG, BIG + 1, 3]
    assert frame["part"].tolist() == ["train"] * 3
    assert frame["z_true_kind"].tolist() == ["spec"] * 3
    assert frame["ra"].tolist() == [0.0, 359.5, 99.0]  # 99 degrees is a place, no sentinel
    np.testing.assert_array_equal(frame["mag_u"], np.float32([18, 19, 20]))
    assert counts == {
        "rows_in": 3, "sentinels": {}, "flux_not_positive": {}, "duplicates": 0, "rows_out": 3,
    }  # fmt: skip


def test_native_columns_are_all_that_must_be_read():
    settings = survey(columns={"object_id": {"from": "content"}}, extra_columns=["u-g", "u"])
    assert native_columns(settings) == ["RA", "DEC", "zs", "u", "g", "eu", "eg", "u-g"]


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


def test_extra_columns_keep_their_types():
    table = raw(flag=[True, False, True], many=pd.array([BIG, None, 1], dtype="Int64"))
    frame, _ = standardize(table, survey(extra_columns=["flag", "many"]), FILE, "all")
    assert frame["flag"].dtype == bool
    assert frame["many"].iloc[0] == BIG


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


@pytest.mark.parametrize(
    ("column", "value", "place", "expected"),
    [
        ("RA", 360.0, "column 'ra', row 3", "0 <= ra < 360 degrees"),
        ("RA", -0.5, "column 'ra', row 3", "0 <= ra < 360 degrees"),
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


# ---- units -------------------------------------------------------------------------------------

FLUX = {
    "mag_u": {"native": "u", "unit": "nanomaggy"},
    "mag_err_u": {"native": "eu", "unit": "nanomaggy"},
}


def test_fluxes_become_ab_magnitudes():
    # One nanomaggy is 22.5 mag, 100 are 17.5; an error of 1 % is 0.0108574 mag.
    table = raw(u=[1.0, 100.0, -0.5], eu=[0.01, 1.0, 0.4])
    frame, counts = standardize(table, survey(columns=FLUX), FILE, "all")
    np.testing.assert_allclose(frame["mag_u"], [22.5, 17.5, np.inf])
    np.testing.assert_allclose(frame["mag_err_u"], [0.010857362, 0.010857362, np.inf], rtol=1e-6)
    assert counts["flux_not_positive"] == {"u": 1}


@pytest.mark.parametrize(
    ("unit", "per_nanomaggy"), [("nJy", 3631), ("uJy", 3.631), ("Jy", 3.631e-6)]
)
def test_flux_units(unit, per_nanomaggy):
    columns = {name: {**source, "unit": unit} for name, source in FLUX.items()}
    table = raw(u=np.array([1.0, 100.0, 1.0]) * per_nanomaggy, eu=np.full(3, per_nanomaggy))
    frame, _ = standardize(table, survey(columns=columns), FILE, "all")
    np.testing.assert_allclose(frame["mag_u"], [22.5, 17.5, 22.5], rtol=1e-7)
    np.testing.assert_allclose(frame["mag_err_u"], np.array([1, 0.01, 1]) * 1.0857362, rtol=1e-6)


def test_sentinels_in_fluxes():
    settings = survey(columns=FLUX, sentinels={-99: "not_observed", -98: "not_detected"})
    table = raw(u=[-99.0, -98.0, 99.0], eu=[-99.0, 0.5, -98.0])  # a flux of 99 is a flux
    frame, counts = standardize(table, settings, FILE, "all")
    np.testing.assert_allclose(frame["mag_u"], [np.nan, np.inf, 22.5 - 2.5 * np.log10(99)])
    np.testing.assert_array_equal(frame["mag_err_u"], [np.nan, np.inf, np.inf])
    assert counts["flux_not_positive"] == {}  # declared ones are counted as sentinels
    assert counts["sentinels"]["u"] == {"-99 (not_observed)": 1, "-98 (not_detected)": 1}


def test_flux_that_looks_like_a_sentinel():
    error = failure(raw(u=[1.0, -99.0, 1.0], eu=[1.0, 1, 1]), survey(columns=FLUX))
    assert error.place == "column 'u' (mag_u), row 2"
    assert (error.expected, error.found) == ("a finite number, or a declared sentinel", "-99.0")


@pytest.mark.parametrize(("unit", "factor"), [("rad", np.pi / 180), ("hourangle", 1 / 15)])
def test_angles_become_degrees(unit, factor):
    columns = {name: {"native": name.upper(), "unit": unit} for name in ("ra", "dec")}
    table = raw(RA=np.array([10.0, 20, 30]) * factor, DEC=np.array([-45.0, 0, 45]) * factor)
    frame, _ = standardize(table, survey(columns=columns), FILE, "all")
    np.testing.assert_allclose(frame["ra"], [10, 20, 30], rtol=1e-14)
    np.testing.assert_allclose(frame["dec"], [-45, 0, 45], rtol=1e-14)


@pytest.mark.parametrize(
    ("columns", "place", "expected", "found"),
    [
        ({"mag_u": {"native": "u", "unit": "erg"}}, "columns.mag_u",
         "mag, nanomaggy, or a unit as nJy", "'erg'"),
        ({"ra": {"native": "RA", "unit": "mag"}}, "columns.ra",
         "an angle, as deg, rad, hourangle", "'mag'"),
        ({"z_true": {"native": "zs", "unit": "km/s"}}, "columns.z_true", "the unit ''", "'km/s'"),
        ({"mag_u": FLUX["mag_u"]}, "columns.mag_err_u", "a flux error, as 'mag_u' is a flux",
         "'mag'"),
        ({"mag_err_u": FLUX["mag_err_u"]}, "columns.mag_err_u",
         "a magnitude error, as 'mag_u' is a magnitude", "'nanomaggy'"),
    ],
)  # fmt: skip
def test_units_that_do_not_fit(columns, place, expected, found):
    error = failure(raw(), survey(columns=columns))
    assert error.file == "survey 'toy'"
    assert (error.place, error.expected, error.found) == (place, expected, found)


# ---- the survey's settings ---------------------------------------------------------------------


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
        ({"duplicates": "keep_last"}, "duplicates", "keep_first or drop_all", "'keep_last'"),
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
    assert list(frame.columns) == ["object_id", "ra", "dec", "z_true", "z_true_kind", "part"]
    frame, _ = standardize(raw(), survey(columns={"z_true": None}, kind="none"), FILE, "all")
    assert not {"z_true", "z_true_kind"} & set(frame.columns)


def test_extinctions_are_standard_columns():
    table = raw(a_u=[0.1, 0.2, -99.0])
    settings = survey(columns={"extinction_u": "a_u"}, sentinels={-99: "not_detected"})
    frame, _ = standardize(table, settings, FILE, "all")
    np.testing.assert_array_equal(frame["extinction_u"], np.float32([0.1, 0.2, np.nan]))


# ---- identifiers -------------------------------------------------------------------------------

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


def test_duplicates_across_parts_are_refused():
    tables = [(raw(), Path("a.csv"), "train"), (raw(id=[8, 9, BIG + 1]), Path("b.csv"), "test")]
    with pytest.raises(BadInput) as caught:
        standardize_parts(tables, survey())
    error = caught.value
    assert (error.file, error.place) == ("b.csv", f"object_id {BIG + 1}, row 3")
    assert "row 2 of a.csv" in error.found


@pytest.mark.parametrize(
    ("rule", "kept", "mags", "removed"),
    [("keep_first", [1, 2, 5, 6], [18, 19, 18, 19], 2), ("drop_all", [1, 5, 6], [18, 18, 19], 3)],
)
def test_declared_duplicates_across_parts(rule, kept, mags, removed):
    # 2 stands twice in the first part and once in the second: drop_all must not keep the third.
    tables = [(raw(id=[1, 2, 2]), FILE, "train"), (raw(id=[5, 6, 2]), FILE, "test")]
    frame, counts = standardize_parts(tables, survey(duplicates=rule))
    assert frame["object_id"].tolist() == kept
    assert frame["mag_u"].tolist() == mags
    assert frame.index.tolist() == list(range(len(kept)))
    totals = {name: counts[name] for name in ("rows_in", "duplicates", "rows_out")}
    assert totals == {"rows_in": 6, "duplicates": removed, "rows_out": 6 - removed}
    assert {part: c["rows_in"] for part, c in counts["parts"].items()} == {"train": 3, "test": 3}
