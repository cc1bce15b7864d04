"""Widths of the point-spread function from catalogues: moments as HSC lists them, and bad ones."""

from __future__ import annotations

from pathlib import Path

import galsim
import h5py
import numpy as np
import pytest
import yaml
from deep_files import HSC, HSC_BANDS
from deep_sky import asked, cutouts, objects, sky

from tests.toy_survey import FILE, failure, raw, survey
from zladder.catalogs.column_map import native_columns
from zladder.catalogs.native import read_survey
from zladder.catalogs.psf_width import fwhm_arcsec
from zladder.catalogs.standardize import standardize
from zladder.cutouts.cut import cut_stamps
from zladder.survey.catalogues import write_native
from zladder.survey.coadd import HSC_PIXEL_ARCSEC, hsc_coadd
from zladder.survey.painting import paint
from zladder.tables.columns import standard_column

SURVEYS = Path(__file__).parents[2] / "config/surveys"
MOMENTS = {"psf_fwhm_arcsec_u": {"moments": ["i11", "i22", "i12"]}}


def moments(i11, i22, i12):
    return raw(i11=np.array(i11, float), i22=np.array(i22, float), i12=np.array(i12, float))


def test_the_width_of_moments_by_hand():
    # Sigmas of 0.3 arcsec: 0.70645; of 0.4 and 0.225: again, as 0.4 * 0.225 = 0.09; and these
    # turned by 45 degrees: (0.16 + 0.050625) / 2, twice, and half of the difference.
    found = fwhm_arcsec(
        np.array([0.09, 0.16, 0.1053125]),
        np.array([0.09, 0.050625, 0.1053125]),
        np.array([0.0, 0.0, 0.0546875]),
    )
    np.testing.assert_allclose(found, 0.706446, rtol=1e-6)


def test_moments_of_no_ellipse_have_no_width_and_are_counted():
    table = moments([0.09, 0.0, -0.09], [0.09, 0.09, -0.09], [0.0, 0.0, 0.0])
    frame, counts = standardize(table, survey(columns=MOMENTS), FILE, "all")
    np.testing.assert_allclose(frame["psf_fwhm_arcsec_u"], [0.706446, np.nan, np.nan], rtol=1e-6)
    assert frame["psf_fwhm_arcsec_u"].dtype == standard_column("psf_fwhm_arcsec_u").dtype
    assert counts["moments_not_positive"] == {"i11": 2}
    assert not [name for name in frame if "moment" in name]
    # a negative determinant; one of 0; and a value that the survey declares to be none
    table = moments([0.09, 0.09, np.nan], [0.09, 0.09, 0.09], [0.1, 0.09, 0.0])
    settings = survey(columns=MOMENTS, sentinels={"nan": "not_observed"})
    frame, counts = standardize(table, settings, FILE, "all")
    assert frame["psf_fwhm_arcsec_u"].isna().all()
    assert counts["moments_not_positive"] == {"i11": 2}
    assert counts["sentinels"] == {"i11": {"nan (not_observed)": 1}}


def test_moments_that_are_no_numbers_are_refused():
    error = failure(moments([0.09, np.nan, 0.09], [0.09] * 3, [0.0] * 3), survey(columns=MOMENTS))
    assert error.place.startswith("column 'i11'")
    assert error.place.endswith("row 2")
    assert error.hint.endswith("sentinels: {nan: not_observed} (or not_detected)")
    error = failure(raw(i11=[0.09] * 3, i22=[0.09] * 3), survey(columns=MOMENTS))
    assert "i12" in error.place + error.found + error.expected


@pytest.mark.parametrize("width", [np.inf, np.nan, -9999.0])
def test_a_width_that_is_no_number_is_refused(width):
    columns = {"psf_fwhm_arcsec_u": "psffwhm_u"}
    error = failure(raw(psffwhm_u=[1.3, 1.2, width]), survey(columns=columns))
    assert error.place == "column 'psffwhm_u' (psf_fwhm_arcsec_u), row 3"
    assert error.expected == "a finite number, or a declared sentinel"


def test_widths_of_0_and_below_are_not_known_and_nothing_else_is_touched():
    settings = survey(
        columns={f"psf_fwhm_arcsec_{band}": f"psffwhm_{band}" for band in "ug"},
        extra_columns=["insideMask"], sentinels={-9999.0: "not_observed"},
    )  # fmt: skip
    table = raw(psffwhm_u=[0.0, 1.2, -1.2], psffwhm_g=[1.3, -9999.0, 1.1], insideMask=[0, 0, 1])
    frame, counts = standardize(table, settings, FILE, "all")
    np.testing.assert_array_equal(frame["psf_fwhm_arcsec_u"], np.float32([np.nan, 1.2, np.nan]))
    np.testing.assert_array_equal(frame["psf_fwhm_arcsec_g"], np.float32([1.3, np.nan, 1.1]))
    assert frame["insideMask"].tolist() == [0, 0, 1]
    assert counts["width_not_positive"] == {"psffwhm_u": 2}
    assert counts["sentinels"] == {"psffwhm_g": {"-9999 (not_observed)": 1}}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("mag_u", {"moments": ["i11", "i22", "i12"]}),
        ("psf_fwhm_arcsec_u", {"moments": ["i11", "i22"]}),
        ("psf_fwhm_arcsec_u", {"moments": ["i11", "i22", "i12"], "native": "w"}),
    ],
)
def test_a_map_of_moments_that_is_none_is_refused(name, source):
    error = failure(moments([1] * 3, [1] * 3, [0] * 3), survey(columns={name: source}))
    assert error.place == f"columns.{name}"
    assert error.hint == "psf_fwhm_arcsec_BAND: {moments: [NAME, NAME, NAME]}"


def test_units_of_moments():
    source = {"psf_fwhm_arcsec_u": {**MOMENTS["psf_fwhm_arcsec_u"], "unit": "pix2"}}
    error = failure(moments([1] * 3, [1] * 3, [0] * 3), survey(columns=source))
    assert (error.expected, error.found) == ("the unit 'arcsec2'", "'pix2'")


def painted_sigma_arcsec(fwhm_band: int) -> float:
    """The sigma, by GalSim's adaptive moments, of a star as the mock sky's cutouts show it."""
    star = objects([20.0], [20.0], 1.0, "grizy")
    light = paint(star, np.zeros(1), hsc_coadd(asked()), (1, 41, 41))[0, fwhm_band]
    image = galsim.Image(light.astype(float), scale=1)
    return image.FindAdaptiveMom().moments_sigma * HSC_PIXEL_ARCSEC


def test_stamps_of_the_mock_skys_cutouts_have_the_widths_of_its_stars(tmp_path):
    folder, index = cutouts()
    mapped = yaml.safe_load((SURVEYS / "hsc_pdr2.yaml").read_text())
    table = sky()["hsc"]
    assert set(native_columns(mapped)) <= set(table.columns)
    write_native({"hsc": table}, {"hsc": tmp_path / "hsc.csv"})
    frame, counts = read_survey({"all": tmp_path / "hsc.csv"}, mapped)
    assert counts["parts"]["all"]["moments_not_positive"] == {}
    ids = index["object_id"].unique()
    frame[frame["object_id"].isin(ids)].to_parquet(tmp_path / "sample.parquet")
    settings = HSC | {"edge": "lose"}
    found = cut_stamps(tmp_path / "sample.parquet", folder, 0, settings, tmp_path / "0.h5",
                       tmp_path / "0.csv")  # fmt: skip
    assert (found["n_out"], found["n_without_psf_width"]) == (len(ids), {})
    with h5py.File(tmp_path / "0.h5") as file:
        widths = file["psf_fwhm_arcsec"][()]
    seeing = index.groupby("band")["psf_fwhm_arcsec"].first()
    for place, band in enumerate(HSC_BANDS):
        assert widths[:, place] == pytest.approx(2.354820 * painted_sigma_arcsec(place), rel=0.01)
        # a Moffat profile of beta 3.5 is narrower at half of its height than its moments say
        assert widths[:, place] / seeing[band] == pytest.approx(1.12, abs=0.015)
