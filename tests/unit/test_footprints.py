"""A circle reaches every cell that any of its points lies in."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from zladder.datasets.footprints import (
    reached_cells,
    require_wide_cells,
    stamp_radius_arcsec,
)
from zladder.provenance.errors import BadInput
from zladder.tables.sky_cells import healpix_index

ORDER = 10


def circles(centre: tuple[float, float], n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(5)
    ra = (centre[0] + draw.uniform(-0.5, 0.5, n) / np.cos(np.radians(centre[1]))) % 360
    return ra, np.clip(centre[1] + draw.uniform(-0.5, 0.5, n), -90, 90)


@pytest.mark.parametrize(
    "centre", [(0.0, 0.0), (181.0, 12.0), (45.0, 41.81), (0.0, 60.0), (200.0, 89.5), (270.0, -89.9)]
)
def test_all_points_of_a_circle_lie_in_its_cells(centre):
    ra, dec = circles(centre)
    radius = 20.0
    position, cell = reached_cells(ra, dec, radius, ORDER)
    found = set(zip(position.tolist(), cell.tolist(), strict=True))
    assert len(found) == len(position)
    draw = np.random.default_rng(6)
    places = SkyCoord(ra, dec, unit="deg")
    for _ in range(200):
        turned = draw.uniform(0, 360, len(ra)) * units.deg
        away = np.sqrt(draw.uniform(0, 1, len(ra))) * radius * units.arcsec
        points = places.directional_offset_by(turned, away)
        cells = healpix_index(points.ra.deg, points.dec.deg, ORDER)
        assert set(zip(range(len(ra)), cells.tolist(), strict=True)) <= found
    assert len(position) > len(ra)  # some reach over a border


def test_a_circle_far_from_every_border_stays_in_its_cell():
    # The cell of order 2 around (45, 2.4) is 15 degrees wide.
    position, cell = reached_cells(np.array([45.0]), np.array([2.4]), 20.0, 2)
    assert position.tolist() == [0]
    assert cell.tolist() == healpix_index(np.array([45.0]), np.array([2.4]), 2).tolist()


@pytest.mark.parametrize(("side", "scale"), [(40, 0.396), (41, 0.168)])
def test_the_radius_holds_every_corner_of_a_stamp(side, scale):
    corner = np.array([-0.5, side - 0.5])  # outer edges of the first and last pixel
    radius = stamp_radius_arcsec(side, scale)
    for offset_x in (-0.5, 0.5):
        for offset_y in (-0.5, 0.5):
            position = (side - 1) / 2 + np.array([offset_x, offset_y])
            farthest = max(np.hypot(x - position[0], y - position[1])
                           for x in corner for y in corner)  # fmt: skip
            assert farthest * scale <= radius * (1 + 1e-12)
    assert radius == pytest.approx((side + 1) / 2 * np.sqrt(2) * scale)
    # A kernel that reaches three pixels beyond the border reads no more than a stamp six wider.
    assert stamp_radius_arcsec(side, scale, 3) == stamp_radius_arcsec(side + 6, scale)


def test_cells_that_fit_into_a_stamp_are_refused():
    require_wide_cells(11.5, 12)  # 51.5 arcsec
    with pytest.raises(BadInput) as caught:
        require_wide_cells(11.5, 14)
    error = caught.value
    assert (error.file, error.place) == ("config/stages/datasets.yaml", "images.sky_cell_order")
    assert error.expected == "cells wider than a stamp (23 arcsec across)"
    assert error.found == "order 14: 13 arcsec"
