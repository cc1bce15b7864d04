"""Tables of photometry in a file: exactly those that were built, refused where they do not fit."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from mock_sky import instrument, settings, small_sky, spectra

from zladder.config.instruments import tabulated_settings
from zladder.provenance.errors import BadInput
from zladder.survey.simulate import simulate_sky
from zladder.survey.tabulate import tabulate_photometry
from zladder.universe.instruments import make_instrument
from zladder.universe.photometry import PhotometryTable
from zladder.universe.photometry_file import read_tables, write_tables

INSTRUMENTS = tabulated_settings(settings())
SMALL = {"sdss": {**INSTRUMENTS["sdss"], "z_max": 0.1}}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photometry") / "photometry.h5"
    counts = tabulate_photometry(path, INSTRUMENTS)
    assert counts["sdss"] == 5
    return path


@cache
def damaged_bytes() -> bytes:
    return b"\x89HDF\r\n\x1a\n" + bytes(200)


def test_tables_come_back_exactly(file):
    tables = read_tables(file, INSTRUMENTS)
    assert set(tables) == {name for name in settings() if "filters" in str(settings()[name])}
    for name in ("hsc", "sdss"):
        for field in fields(PhotometryTable):
            built, read = getattr(instrument(name).table, field.name), getattr(
                tables[name], field.name)  # fmt: skip
            assert np.array_equal(built, read), field.name


def test_the_sky_is_the_same_with_the_file_as_without(file):
    asked = settings(n_photoz=300, n_specz=300, n_main=300)
    for name, table in simulate_sky(asked, 1, read_tables(file, INSTRUMENTS)).items():
        pd.testing.assert_frame_equal(table, small_sky()[name])


def test_an_instrument_takes_the_table_that_it_is_given(file):
    table = read_tables(file, INSTRUMENTS)["sdss"]
    assert make_instrument(spectra(), settings(), "sdss", table).table is table


def test_two_files_of_the_same_settings_are_equal(tmp_path):
    first, second = tmp_path / "1.h5", tmp_path / "2.h5"
    for path in (first, second):
        write_tables(path, spectra(), SMALL)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("changes", "place", "expected"),
    [
        ({"filters": {**SMALL["sdss"]["filters"], "r": "hsc2017-r2"}}, "sdss/filters", "hsc2017"),
        ({"z_max": 3.0}, "sdss/z_max", "at least 3"),
    ],
)
def test_tables_of_other_settings_are_refused(tmp_path, changes, place, expected):
    path = tmp_path / "photometry.h5"
    write_tables(path, spectra(), SMALL)
    with pytest.raises(BadInput) as caught:
        read_tables(path, {"sdss": {**SMALL["sdss"], **changes}})
    assert caught.value.place == place
    assert expected in caught.value.expected
    with pytest.raises(BadInput) as caught:
        read_tables(path, {"keck": SMALL["sdss"]})
    assert (caught.value.place, caught.value.found) == ("keck", "sdss")


def test_damaged_tables_are_refused(tmp_path):
    path = tmp_path / "photometry.h5"
    write_tables(path, spectra(), SMALL)
    whole = path.read_bytes()
    for content in (damaged_bytes(), whole[: len(whole) // 2], b"text"):
        path.write_bytes(content)
        with pytest.raises(BadInput) as caught:
            read_tables(path, SMALL)
        assert "tabulate_photometry" in caught.value.hint
    path.write_bytes(whole)
    with h5py.File(path, "r+") as open_file:
        open_file["sdss/log_light"][0, 0, 0, 0] = np.nan
    with pytest.raises(BadInput) as caught:
        read_tables(path, SMALL)
    assert caught.value.place == "sdss/log_light"
