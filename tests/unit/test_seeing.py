"""The SDSS-like catalogues list their frames' seeing, and in which rows of these objects lie."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from mock_sky import settings, small_sky

from zladder.config.imaging import FieldNumber
from zladder.survey.conditions import draw_conditions
from zladder.survey.imaging import CENTRE, HEIGHT_PIXELS, lay_fields
from zladder.survey.seeing import with_rows, with_seeing

WIDTHS = [f"psfWidth_{band}" for band in "ugriz"]
ROWS = [f"rowc_{band}" for band in "ugriz"]
NUMBERS = ["run", "camcol", "field"]


def test_every_row_has_the_seeing_of_its_own_field():
    for name in ("sdss", "sdss_deep"):
        table = small_sky()[name]
        for key, rows in table.groupby(NUMBERS):
            night = draw_conditions(settings(), 1, FieldNumber(*map(int, key)))
            widths = np.broadcast_to(night.seeing_fwhm_arcsec, (len(rows), 5))
            np.testing.assert_array_equal(rows[WIDTHS], widths)
    fields = table.drop_duplicates(NUMBERS)
    assert fields["psfWidth_r"].nunique() == len(fields)


def test_all_else_and_the_order_stay():
    table = small_sky()["sdss"]
    bare = table.drop(columns=[*WIDTHS, *ROWS]).sample(frac=1.0, random_state=2)
    found = with_seeing(bare, settings(), 1)
    np.testing.assert_array_equal(found[bare.columns], bare)
    assert list(found.columns) == [*bare.columns, *WIDTHS]
    nothing = with_seeing(bare.iloc[:0], settings(), 1)
    assert (len(nothing), list(nothing.columns)) == (0, list(found.columns))


def test_every_row_number_is_that_of_the_listed_position_in_its_own_frame():
    """Held against astropy; the first pixel's middle is 0.5, as SDSS counts."""
    asked = settings(n_photoz=300, n_specz=300, n_main=300)
    fields = lay_fields(asked, 1)
    for name in ("sdss", "sdss_deep"):
        table = small_sky()[name]
        for key, part in table.groupby(NUMBERS):
            field = next(one for one in fields if one.number == key)
            wcs = WCS(naxis=2)
            wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [field.ra_deg, field.dec_deg]
            wcs.wcs.crpix, wcs.wcs.cd = np.array(CENTRE) + 1.0, field.cd
            wanted = wcs.wcs_world2pix(part[["ra", "dec"]].to_numpy(), 0)[:, 1] + 0.5
            for row in ROWS:
                np.testing.assert_allclose(part[row], wanted, atol=1e-6)
        assert table[ROWS].to_numpy().min() > 0
        assert table[ROWS].to_numpy().max() < HEIGHT_PIXELS
    nothing = with_rows(table.drop(columns=ROWS).iloc[:0], asked, fields)
    assert list(nothing.columns) == list(table.columns)
