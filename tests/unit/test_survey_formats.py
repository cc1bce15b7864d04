"""A survey means the same in every format: ids, sentinels, units and the frame of its positions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.survey_files import DESCRIBED, FORMATS, write_native
from tests.toy_survey import BIG, survey
from zladder.catalogs.native import read_survey
from zladder.provenance.errors import BadInput

ROWS = {
    "id": np.array([BIG, BIG + 1, 3]),
    "RA": [10.0, 200.5, 359.0],
    "DEC": [-45.0, 0.0, 60.0],
    "zs": [0.1, 0.2, 0.3],
    "u": [18.0, 19.0, 20.0],
    "g": [17.0, 18.0, 19.0],
    "eu": [0.1, 0.2, 0.3],
    "eg": [0.01, 0.02, 0.03],
}


def read(folder, kind, rows=None, units=None, frame=None, **settings):
    path = write_native(folder, kind, ROWS | (rows or {}), units, frame)
    return read_survey({"all": path}, survey(file_format=kind, **settings))


def refusal(folder, kind, *, rows=None, units=None, frame=None, **settings):
    with pytest.raises(BadInput) as caught:
        read(folder, kind, rows, units, frame, **settings)
    assert caught.value.file == str(next(folder.iterdir()))
    return caught.value


@pytest.mark.parametrize("kind", FORMATS)
def test_integers_of_64_bits_stay_what_they_are(tmp_path, kind):
    # SDSS's specObjID is above 2^63 in some releases; a VOTable holds such a number as text.
    above = np.array([2**63 + 5, 2**64 - 1, 7], dtype=np.uint64)
    small = np.array([-9999, 5, 2**62 + 1])
    rows = {"specObjID": above, "best": small}
    settings = {"extra_columns": ["specObjID", "best"], "sentinels": {-9999: "not_observed"}}
    frame, counts = read(tmp_path, kind, rows, **settings)
    assert frame["object_id"].tolist() == [BIG, BIG + 1, 3]
    assert [int(value) for value in frame["specObjID"]] == above.tolist()
    assert frame["best"].isna().tolist() == [True, False, False]
    assert frame["best"].iloc[2] == 2**62 + 1  # a gap beside it costs no bit
    assert counts["parts"]["all"]["sentinels"]["best"] == {"-9999 (not_observed)": 1}


@pytest.mark.parametrize("kind", FORMATS)
def test_identifiers_that_are_text_or_above_63_bits(tmp_path, kind):
    made = {"columns": {"object_id": {"native": "name", "from": "text"}}}
    text = ["VIPERS-1", "VIPERS-2", "zCOSMOS-1"]
    first, _ = read(tmp_path, kind, {"name": text}, **made)
    turned = {name: np.asarray(column)[::-1] for name, column in {**ROWS, "name": text}.items()}
    second, _ = read(tmp_path / "..", kind, turned, **made)
    assert first["object_id"].is_unique
    assert (first["object_id"] >= 0).all()
    assert first["object_id"].tolist() == second["object_id"].tolist()[::-1]
    # Pinned: BLAKE2b of the UTF-8, 8 bytes, little-endian, shifted right by one bit.
    from hashlib import blake2b

    digest = blake2b(b"VIPERS-1", digest_size=8).digest()
    assert first["object_id"].iloc[0] == int.from_bytes(digest, "little") >> 1
    above = np.array([2**63 + 5, 2**63 + 6, 2**64 - 1], dtype=np.uint64)
    digits, _ = read(tmp_path, kind, {"name": above}, **made)
    digest = blake2b(str(2**63 + 5).encode(), digest_size=8).digest()
    assert digits["object_id"].iloc[0] == int.from_bytes(digest, "little") >> 1


SENTINELS = {
    "-9999": "not_observed", "-99.9": "not_observed", "-99": "not_observed", "99": "not_detected",
    "nan": "not_observed", "inf": "not_detected",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sentinels_are_two_different_things_in_every_format(tmp_path, kind, dtype):
    n = 7
    rows = {name: np.resize(column, n) for name, column in ROWS.items()}
    rows["id"] = np.arange(n)
    rows["u"] = np.array([-9999, -99.9, -99, 99, np.nan, np.inf, 20.5], dtype=dtype)
    rows["zs"] = np.array([0.1, 0.1, 0.1, 0.1, 99, np.inf, 0.1], dtype=dtype)
    frame, counts = read(tmp_path, kind, rows, sentinels=SENTINELS, limits_mag={"u": 26.3})
    nan, inf = np.nan, np.inf
    np.testing.assert_array_equal(frame["mag_u"], np.float32([nan, nan, nan, inf, nan, inf, 20.5]))
    assert frame["z_true"].isna().tolist() == [False] * 4 + [True, True, False]
    np.testing.assert_array_equal(frame["mag_limit_u"], np.float32([26.3] * n))
    assert counts["parts"]["all"]["sentinels"]["u"] == {
        "-9999 (not_observed)": 1, "-99.9 (not_observed)": 1, "-99 (not_observed)": 1,
        "99 (not_detected)": 1, "nan (not_observed)": 1, "inf (not_detected)": 1,
    }  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("value", [-9999, -99.9, -99, 99, np.nan, np.inf])
def test_each_of_them_is_refused_where_it_is_not_declared(tmp_path, kind, value):
    declared = {key: word for key, word in SENTINELS.items() if float(key) != value}
    if np.isnan(value):
        declared.pop("nan")
    error = refusal(tmp_path, kind, rows={"u": [18.0, value, 19.0]}, sentinels=declared)
    assert error.place == "column 'u' (mag_u), row 2"
    assert "sentinels: {" in error.hint


def test_a_flux_that_was_not_detected_and_its_limit_as_a_column(tmp_path):
    flux = {"native": "u", "unit": "nanomaggy"}
    columns = {
        "mag_u": flux, "mag_err_u": {"native": "eu", "unit": "nanomaggy"},
        "mag_limit_u": {"native": "depth", "unit": "nanomaggy"},
    }  # fmt: skip
    rows = {"u": [1.0, -0.5, 100.0], "depth": [1.0, 10.0, -99.0]}
    frame, _ = read(tmp_path, "fits", rows, columns=columns, sentinels={-99: "not_observed"})
    np.testing.assert_allclose(frame["mag_u"], [22.5, np.inf, 17.5])
    np.testing.assert_allclose(frame["mag_limit_u"], [22.5, 20.0, np.nan])
    error = refusal(tmp_path / ".", "csv", rows=rows | {"depth": [1.0, 0.0, 1.0]}, columns=columns)
    assert (error.place, error.found) == ("column 'depth' (mag_limit_u), row 2", "0.0")


@pytest.mark.parametrize(
    ("changes", "place", "found"),
    [
        ({"limits_mag": {"w": 25.0}}, "limits_mag.w", "'w'"),
        ({"limits_mag": {"u": 25.0}, "columns": {"mag_limit_u": "u"}}, "limits_mag.u",
         "two: a column too"),
    ],
)  # fmt: skip
def test_limits_that_do_not_fit(tmp_path, changes, place, found):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, "csv", **changes)
    assert (caught.value.file, caught.value.place, caught.value.found) == (
        "survey 'toy'", place, found,
    )  # fmt: skip


@pytest.mark.parametrize("kind", DESCRIBED)
def test_a_units_contradiction_names_file_and_column(tmp_path, kind):
    error = refusal(tmp_path, kind, units={"RA": "deg", "DEC": "rad"})
    assert (error.place, error.expected, error.found) == (
        "column 'DEC'", "the unit deg", "the unit rad",
    )  # fmt: skip
    assert "dec: {native: DEC, unit: rad}" in error.hint
    error = refusal(tmp_path, kind, units={"zs": "km / s"})
    assert (error.place, error.expected) == ("column 'zs'", "no unit")


@pytest.mark.parametrize("kind", FORMATS)
def test_declared_radians_are_converted_and_agree_with_the_file(tmp_path, kind):
    rows = {name: np.deg2rad(ROWS[name]) for name in ("RA", "DEC")}
    columns = {name: {"native": name.upper(), "unit": "rad"} for name in ("ra", "dec")}
    units = {"RA": "rad", "DEC": "rad", "u": "mag", "g": "mag(AB)"}
    frame, counts = read(tmp_path, kind, rows, units, columns=columns)
    np.testing.assert_allclose(frame["ra"], ROWS["RA"], rtol=1e-14)
    np.testing.assert_allclose(frame["dec"], ROWS["DEC"], rtol=1e-14)
    assert counts["parts"]["all"]["warnings"] == []


@pytest.mark.parametrize("kind", FORMATS)
def test_undeclared_positions_that_may_be_radians_are_warned_of(tmp_path, kind):
    rows = {"RA": [0.1, 3.0, 6.2], "DEC": [-1.5, 0.0, 1.2]}
    _, counts = read(tmp_path, kind, rows)
    [warning] = counts["parts"]["all"]["warnings"]
    assert "'RA' and 'DEC' were read as degrees" in warning
    assert "unit: rad" in warning
    degrees = {name: {"native": name.upper(), "unit": "deg"} for name in ("ra", "dec")}
    for settings, units in (({"columns": degrees}, None), ({}, {"RA": "deg", "DEC": "deg"})):
        if units and kind == "csv":
            continue
        _, counts = read(tmp_path, kind, rows, units, **settings)
        assert counts["parts"]["all"]["warnings"] == []
    _, counts = read(tmp_path, kind, rows | {"RA": [0.1, 3.0, 6.3]})
    assert counts["parts"]["all"]["warnings"] == []


def test_a_unit_that_nobody_can_read(tmp_path):
    units = {"u": "mags of sorts"}
    assert refusal(tmp_path, "fits", units=units).found == "the unit mags of sorts"
    columns = {"mag_u": {"native": "u", "unit": "mag"}}
    (tmp_path / "own.fits").unlink()
    _, counts = read(tmp_path, "fits", None, units, columns=columns)
    [warning] = counts["parts"]["all"]["warnings"]
    assert "'mags of sorts' is not understood; taken as 'mag'" in warning


@pytest.mark.parametrize("kind", FORMATS)
def test_right_ascensions_around_zero_are_wrapped_and_counted(tmp_path, kind):
    rows = {"RA": [-180.0, -1e-20, 360.0]}
    frame, counts = read(tmp_path, kind, rows)
    assert frame["ra"].tolist() == [180.0, 0.0, 0.0]
    assert counts["parts"]["all"]["ra_wrapped"] == 3
    assert counts["parts"]["all"]["range_deg"]["ra"] == [-180.0, 360.0]
    error = refusal(tmp_path, kind, rows={"DEC": [0.0, 1.0, 90.001]})
    assert (error.place, error.expected, error.found) == (
        "column 'dec', row 3", "-90 <= dec <= 90 degrees", "90.001",
    )  # fmt: skip


@pytest.mark.parametrize("kind", DESCRIBED)
@pytest.mark.parametrize(
    ("frame", "place", "found"),
    [
        ({"EQUINOX": "1950.0"}, "equinox of the positions", "1950"),
        ({"RADESYS": "FK4"}, "frame of the positions", "FK4"),
    ],
)
def test_another_equinox_or_frame_is_refused(tmp_path, kind, frame, place, found):
    error = refusal(tmp_path, kind, frame=frame)
    assert error.place == place
    assert found in error.found
    assert "J2000" in error.hint


@pytest.mark.parametrize("kind", DESCRIBED)
def test_icrs_and_fk5_of_2000_are_read(tmp_path, kind):
    for frame in ({"RADESYS": "ICRS"}, {"RADESYS": "FK5", "EQUINOX": "2000.0"}):
        table, counts = read(tmp_path, kind, frame=frame)
        assert len(table) == 3
        assert counts["parts"]["all"]["warnings"] == []


def test_the_old_word_of_fits_for_equinox_counts(tmp_path):
    assert refusal(tmp_path, "fits", frame={"EPOCH": "1950.0"}).place == "equinox of the positions"


def test_parts_of_two_epochs_are_not_joined_and_of_two_systems_warned_of(tmp_path):
    files = {}
    for part, frame in {"a": {"EPOCH": "J2016.0"}, "b": {"EPOCH": "J2015.5"}}.items():
        (tmp_path / part).mkdir()
        rows = ROWS | {"id": ROWS["id"] + (1000 if part == "b" else 0)}
        files[part] = write_native(tmp_path / part, "votable", rows, None, frame)
    settings = survey(file_format="votable")
    with pytest.raises(BadInput) as caught:
        read_survey(files, settings)
    error = caught.value
    assert (error.file, error.place) == (str(files["b"]), "epoch of the positions")
    assert error.expected == f"J2016.0, as {files['a']} has"
    _, counts = read_survey({"a": files["a"]}, settings)
    assert "epoch J2016.0" in counts["parts"]["a"]["warnings"][0]
    for part, system in {"a": "ICRS", "b": "FK5"}.items():
        rows = ROWS | {"id": ROWS["id"] + (1000 if part == "b" else 0)}
        write_native(tmp_path / part, "votable", rows, None, {"RADESYS": system})
    _, counts = read_survey(files, settings)
    assert "is in ICRS" in counts["parts"]["a"]["warnings"][0]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_integers_with_gaps(tmp_path, kind):
    table = pa.table({
        **{name: pa.array(column) for name, column in ROWS.items()},
        "n": pa.array([1, None, BIG]), "few": pa.array([None, 2, 3]),
    })  # fmt: skip
    path = tmp_path / f"own.{kind}"
    if kind == "csv":
        table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get).to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    frame, _ = read_survey({"all": path}, survey(file_format=kind, extra_columns=["n", "few"]))
    assert frame["n"].iloc[2] == BIG
    assert frame["n"].isna().tolist() == [False, True, False]
    np.testing.assert_array_equal(frame["few"].to_numpy(dtype=float), [np.nan, 2, 3])
    ids = table.drop_columns("id").append_column("id", pa.array([1, None, BIG]))
    if kind == "parquet":
        pq.write_table(ids, path)
        with pytest.raises(BadInput) as caught:
            read_survey({"all": path}, survey(file_format=kind))
        assert caught.value.place == "column 'id' (object_id), row 2"
        assert caught.value.found == "nothing"


def test_every_label_says_its_kind_its_error_and_where_it_comes_from(tmp_path):
    files = {part: write_native(tmp_path, kind, ROWS | {"id": ROWS["id"] + 10 * i})
             for i, (part, kind) in enumerate({"a": "csv"}.items())}  # fmt: skip
    frame, _ = read_survey(files, survey(file_format="csv", version="DR12", kind="photo"))
    assert frame["z_true_kind"].tolist() == ["photo"] * 3
    assert frame["z_true_origin"].tolist() == ["toy/a DR12"] * 3
    assert frame["z_true_err"].dtype == np.float32
    assert frame["z_true_err"].isna().all()
    mapped = survey(file_format="csv", columns={"z_true_err": "eg"})
    frame, _ = read_survey(files, mapped)
    np.testing.assert_array_equal(frame["z_true_err"], np.float32(ROWS["eg"]))
    assert frame["z_true_origin"].tolist() == ["toy/a"] * 3
