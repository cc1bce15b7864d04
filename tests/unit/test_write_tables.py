"""A written table says its units, comes back exactly, and is the same file each time."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits, votable
from astropy.io.votable import ucd as votable_ucd

from zladder.provenance.errors import BadInput
from zladder.tables.columns import (
    BAND_WORDS,
    STANDARD,
    standard_column,
    standard_names,
    ucds_of,
    units_of,
)
from zladder.tables.read import read_table
from zladder.tables.units import read_metadata, read_units
from zladder.tables.write import write_table

BIG = 2**60 + 1


def frame():
    return pd.DataFrame(
        {
            "object_id": np.array([BIG, 7, -3], dtype=np.int64),
            "ra": [10.0, 359.9999999999, 0.0],
            "mag_u": np.array([17.25, np.inf, np.nan], dtype=np.float32),
            "u-g": [1.5, np.nan, -np.inf],
            "flags": np.array([0, 2**31, 2**32 - 1], dtype=np.uint32),
            "primary": [True, False, True],
            "part": ["train", "test", "x"],
            "count": pd.array([1, None, BIG], dtype="Int64"),
        }
    )


def write(path, table=None, metadata=None):
    table = frame() if table is None else table
    metadata = {"b": [1, 2], "a": "§"} if metadata is None else metadata
    write_table(table, path, units_of(table.columns), ucds_of(table.columns), metadata)
    return path


def test_parquet_comes_back_exactly(tmp_path):
    path = write(tmp_path / "t.parquet")
    back = read_table(path)
    expected = frame()
    assert back.dtypes.astype(str).to_dict() == expected.dtypes.astype(str).to_dict()
    pd.testing.assert_frame_equal(back, expected)
    assert read_metadata(path) == {"a": "§", "b": [1, 2]}


@pytest.mark.parametrize("name", ["t.parquet", "t.fits", "t.vot"])
def test_units_are_written_and_read(tmp_path, name):
    path = write(tmp_path / name)
    assert read_units(path) == {"ra": "deg", "mag_u": "mag"}


def test_text_has_no_units(tmp_path):
    (tmp_path / "t.csv").write_text("ra\n1\n")
    assert read_units(tmp_path / "t.csv") == {}


def test_ucds_stand_in_every_format(tmp_path):
    import pyarrow.parquet as pq

    schema = pq.read_schema(write(tmp_path / "t.parquet"))
    assert schema.field("mag_u").metadata == {b"unit": b"mag", b"ucd": b"phot.mag;em.opt.U"}
    header = fits.getheader(write(tmp_path / "t.fits"), "OBJECTS")
    assert header["TTYPE3"] == "mag_u"
    assert header["TUCD3"] == "phot.mag;em.opt.U"
    table = votable.parse(write(tmp_path / "t.vot")).get_first_table()
    assert table.get_field_by_id("mag_u").ucd == "phot.mag;em.opt.U"


@pytest.mark.parametrize("name", ["t.parquet", "t.fits", "t.vot"])
def test_same_input_same_bytes(tmp_path, name):
    first = sha256(write(tmp_path / name).read_bytes()).hexdigest()
    (tmp_path / "again").mkdir()
    second = write(tmp_path / "again" / name, metadata={"a": "§", "b": [1, 2]})
    assert sha256(second.read_bytes()).hexdigest() == first
    other = write(tmp_path / "again" / name, metadata={"a": "other"})
    assert sha256(other.read_bytes()).hexdigest() != first


@pytest.mark.parametrize("name", ["t.fits", "t.vot"])
def test_border_formats_keep_ids_and_mark_missing_magnitudes(tmp_path, name):
    back = read_table(write(tmp_path / name))
    assert list(back.columns) == list(frame().columns)
    assert back["object_id"].tolist() == [BIG, 7, -3]
    assert back["mag_u"].tolist() == [17.25, 99.0, -99.0]  # not detected, not observed
    np.testing.assert_array_equal(back["u-g"], [1.5, np.nan, -np.inf])  # no magnitude: as it is
    assert back["flags"].tolist() == [0, 2**31, 2**32 - 1]
    assert back["primary"].tolist() == [True, False, True]
    assert back["part"].tolist() == ["train", "test", "x"]
    assert back["count"].isna().tolist() == [False, True, False]
    assert back["count"].iloc[2] == BIG


def test_border_formats_say_what_the_marks_mean(tmp_path):
    note = json.loads(fits.getheader(write(tmp_path / "t.fits"), 1)["ZLADDER"])
    assert note["sentinels"] == {"99.0": "not_detected", "-99.0": "not_observed"}
    assert note["b"] == [1, 2]
    infos = votable.parse(write(tmp_path / "t.vot")).get_first_table().infos
    assert "not_detected" in {info.name: info.value for info in infos}["zladder"]


def test_fits_is_valid_with_a_long_note_and_checksums(tmp_path):
    path = write(tmp_path / "t.fits", metadata={"card": "x" * 5000})
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        assert hdus[1].header["DATASUM"] != "0"
        # By default astropy writes the time there, and no two files are alike.
        assert hdus[1].header.comments["CHECKSUM"] == "of the data and header"
        assert json.loads(hdus[1].header["ZLADDER"])["card"] == "x" * 5000


def test_damaged_parquet_of_ours_is_noticed(tmp_path):
    table = pd.DataFrame({"x": np.random.default_rng(1).normal(size=5000)})
    path = write(tmp_path / "t.parquet", table)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadInput, match="a whole Parquet file"):
        read_table(path)


def test_every_standard_column_has_valid_unit_and_ucd():
    names = standard_names("ugrizy")
    assert len(names) == len(set(names)) == len(STANDARD) + 6 * 6
    for name in names:
        column = standard_column(name)
        assert column.name == name
        assert votable_ucd.check_ucd(column.ucd, check_controlled_vocabulary=True), column.ucd
        u.Unit(column.unit, format="fits")
        assert column.description
        if column.dtype != "str":
            assert np.dtype(column.dtype).name == column.dtype


def test_patterns_and_band_words():
    assert standard_column("mag_err_g").ucd == "stat.error;phot.mag;em.opt.B"
    assert standard_column("mag_err_g").description == "error of the AB magnitude in g"
    assert standard_column("flux_z_njy").unit == "nJy"
    assert standard_column("mag_Ks").ucd == "phot.mag;em.opt"  # a band without a word of its own
    assert standard_column("magnitude") is None
    assert set(BAND_WORDS) == set("ugrizy")
    assert len([name for name in STANDARD if name.startswith("z_q")]) == 21


def test_units_of_leaves_out_what_has_none():
    assert units_of(["object_id", "ra", "u-g", "mag_r"]) == {"ra": "deg", "mag_r": "mag"}
    assert ucds_of(["object_id", "u-g"]) == {"object_id": "meta.id;meta.main"}


def test_text_suffix_is_refused(tmp_path):
    with pytest.raises(BadInput) as caught:
        write(tmp_path / "t.csv")
    error = caught.value
    assert (error.file, error.place) == (str(tmp_path / "t.csv"), "suffix")
    assert (error.expected, error.found) == ("one of .parquet, .fits, .vot", "'.csv'")
    assert not (tmp_path / "t.csv").exists()


def test_unit_of_an_absent_column_is_a_defect(tmp_path):
    with pytest.raises(ValueError, match="mag_g"):
        write_table(frame(), tmp_path / "t.parquet", {"mag_g": "mag"}, {}, {})


@pytest.mark.parametrize("name", ["t.fits", "t.vot"])
def test_text_beyond_ascii_is_refused_at_the_border(tmp_path, name):
    table = pd.DataFrame({"part": ["a", "é"]})
    with pytest.raises(BadInput) as caught:
        write(tmp_path / name, table)
    error = caught.value
    assert (error.place, error.expected) == ("column 'part', row 2", "ASCII text")
    assert error.found == "'é'"
    assert read_table(write(tmp_path / "t.parquet", table))["part"].tolist() == ["a", "é"]


def test_unsigned_64_bits_do_not_fit_in_votable(tmp_path):
    table = pd.DataFrame({"id": np.array([2**63 + 1], dtype=np.uint64)})
    with pytest.raises(BadInput) as caught:
        write(tmp_path / "t.vot", table)
    assert (caught.value.place, caught.value.found) == ("column 'id'", str(2**63 + 1))
    assert read_table(write(tmp_path / "t.fits", table))["id"].tolist() == [2**63 + 1]
