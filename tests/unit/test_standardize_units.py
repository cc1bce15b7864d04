"""Fluxes become AB magnitudes and angles degrees; units that do not fit are refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.toy_survey import FILE, failure, raw, survey
from zladder.catalogs.standardize import standardize

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


def test_widths_of_the_psf_are_taken_in_arcsec_alone():
    columns = {"psf_fwhm_arcsec_u": {"native": "psffwhm_u", "unit": "arcsec"}}
    table = raw(psffwhm_u=[1.3, 1.5, -9999.0])
    settings = survey(columns=columns, sentinels={-9999: "not_observed"})
    frame, _ = standardize(table, settings, FILE, "all")
    np.testing.assert_allclose(frame["psf_fwhm_arcsec_u"], [1.3, 1.5, np.nan], rtol=1e-6)
    columns["psf_fwhm_arcsec_u"]["unit"] = "pix"
    error = failure(table, survey(columns=columns))
    assert (error.place, error.expected) == ("columns.psf_fwhm_arcsec_u", "the unit 'arcsec'")


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
