"""Stamps are the bytes of astropy's `Cutout2D`, wherever they lie and whatever their size."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.nddata import Cutout2D
from astropy.nddata.utils import NoOverlapError

from zladder.cutouts.windows import cut_windows, first_pixels, lie_inside, offsets

SHAPE = (60, 75)
IMAGE = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


def positions() -> np.ndarray:
    draw = np.random.default_rng(2)
    anywhere = draw.uniform(-25, 100, (300, 2))
    ties = np.array([[20.0, 30.0], [20.5, 30.5], [-0.5, 59.5], [19.5, 40.0], [74.0, 0.0]])
    return np.concatenate([anywhere, ties])


@pytest.mark.parametrize("side", [5, 8, 40])
def test_stamps_equal_cutout2d_byte_for_byte(side):
    xy = positions()
    first = first_pixels(xy, side)
    out = np.full((len(xy), side, side), 7, dtype=np.float32)
    cut_windows(IMAGE, first, out)
    n_compared = 0
    for stamp, place in zip(out, xy, strict=True):
        try:
            reference = Cutout2D(IMAGE, tuple(place), side, mode="partial", fill_value=0.0)
        except NoOverlapError:
            assert not stamp.any()
            continue
        n_compared += 1
        assert stamp.tobytes() == reference.data.tobytes()
    assert n_compared > 100


@pytest.mark.parametrize("side", [5, 8])
def test_the_offset_is_the_position_in_the_stamp_from_its_centre(side):
    xy = positions()
    offset = offsets(xy, first_pixels(xy, side), side)
    assert ((offset > -0.5) & (offset <= 0.5)).all()
    for place, found in zip(xy, offset, strict=True):
        try:
            reference = Cutout2D(IMAGE, tuple(place), side, mode="partial", fill_value=0.0)
        except NoOverlapError:
            continue
        inside = np.array(reference.input_position_cutout)
        np.testing.assert_allclose(found, inside - (side - 1) / 2, atol=1e-9)


@pytest.mark.parametrize("side", [5, 8])
def test_inside_is_where_nothing_is_filled(side):
    image = np.ones(SHAPE, dtype=np.float32)
    first = first_pixels(positions(), side)
    out = np.empty((len(first), side, side), dtype=np.float32)
    cut_windows(image, first, out)
    inside = lie_inside(first, side, SHAPE)
    assert inside.any()
    assert (~inside).any()
    np.testing.assert_array_equal(inside, out.all(axis=(1, 2)))


def test_a_position_that_cannot_be_told_is_outside():
    first = first_pixels(np.array([[np.nan, 3.0], [np.inf, 3.0], [1e300, 3.0], [9.0, 9.0]]), 4)
    np.testing.assert_array_equal(lie_inside(first, 4, SHAPE), [False, False, False, True])
