"""The SDSS-like catalogues list the seeing that their frames are painted with."""

from __future__ import annotations

import numpy as np
from mock_sky import settings, small_sky

from zladder.config.imaging import FieldNumber
from zladder.survey.conditions import draw_conditions
from zladder.survey.seeing import with_seeing

WIDTHS = [f"psfWidth_{band}" for band in "ugriz"]
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
    bare = table.drop(columns=WIDTHS).sample(frac=1.0, random_state=2)
    found = with_seeing(bare, settings(), 1)
    np.testing.assert_array_equal(found[bare.columns], bare)
    assert list(found.columns) == [*bare.columns, *WIDTHS]
    nothing = with_seeing(bare.iloc[:0], settings(), 1)
    assert (len(nothing), list(nothing.columns)) == (0, list(found.columns))
