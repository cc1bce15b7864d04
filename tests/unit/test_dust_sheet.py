"""The map of the mock sky's dust shows the very dust that lies before the galaxies."""

from __future__ import annotations

import numpy as np

from tests.unit.mock_sky import settings, small_sky
from zladder.survey.dust_sheet import CLOSE_DEG2, dust_sheet
from zladder.survey.imaging import main_area
from zladder.survey.observing import make_dust


def test_the_sheet_covers_the_main_area_and_a_part_of_it_finely():
    sheet = small_sky()["dust"]
    area = main_area(settings())
    for patch, deg2 in (("main", area.area_deg2), ("close", CLOSE_DEG2)):
        part = sheet[sheet["patch"] == patch]
        assert area.contains(part["ra"].to_numpy(), part["dec"].to_numpy()).all()
        assert len(part) == (part["row"].max() + 1) * (part["column"].max() + 1)
        steps = [np.diff(np.sort(part[name].unique())).max() for name in ("ra", "dec")]
        shrink = np.cos(np.radians(part["dec"])).mean()
        covered = len(part) * steps[0] * steps[1] * shrink
        assert abs(covered / deg2 - 1) < 0.03


def test_it_is_the_dust_of_the_sky_and_of_no_other_seed():
    asked = settings()
    sheet = small_sky()["dust"]
    place = sheet["ra"].to_numpy() % 360, sheet["dec"].to_numpy()
    true, stored = make_dust(asked["dust"], 1).at(place)
    np.testing.assert_array_equal(sheet["ebv_mag"], true)
    np.testing.assert_array_equal(sheet["stored_ebv_mag"], stored)
    assert (sheet["ebv_mag"] > 0).all()
    other = dust_sheet(make_dust(asked["dust"], 2), asked)
    assert np.corrcoef(other["ebv_mag"], sheet["ebv_mag"])[0, 1] < 0.5
