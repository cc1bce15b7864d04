"""Bits of a mask, full pixels and widths: what is said of each band of a stamp, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stamp_sky import BANDS, INSIDE, SETTINGS, SHAPE, galaxies, noise, wcs_of

from zladder.cutouts.band import cut_band
from zladder.cutouts.beside import empty_stamps
from zladder.cutouts.edges import mend_edges
from zladder.cutouts.frames import Frame
from zladder.tables.stamp_files import flag_value

MASKED, SATURATED = flag_value("masked"), flag_value("saturated")
GRIDS = ["frame", "sky"]


def frame_of(band: str = "g", mask=None, image=None, **words) -> Frame:
    image = noise(1) if image is None else image
    return Frame(Path("frame"), image, wcs_of(band), 0.02, np.inf, mask, **words)


def cut(frame: Frame, sample, grid: str):
    """Cut one band; return the stamps and where their galaxies lie."""
    settings = SETTINGS | {"grid": grid}
    stamps = empty_stamps(sample, settings)
    return stamps, cut_band(frame, BANDS.index("g"), stamps, settings)


@pytest.mark.parametrize("grid", GRIDS)
def test_bits_of_a_mask_are_those_of_the_pixels_of_a_stamp(grid):
    sample = galaxies(INSIDE[[0, 2]])
    x, y = wcs_of("g").wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0).round().astype(int).T
    mask = np.zeros(SHAPE, dtype=np.uint32)
    mask[y[0] + 12, x[0] - 9] = MASKED | SATURATED
    mask[y[1] - 15, x[1] + 14] = MASKED
    mask[0, :] = 1 << 9  # under no stamp
    stamps, _ = cut(frame_of(mask=mask), sample, grid)
    np.testing.assert_array_equal(stamps["flags"][:, 1], [MASKED | SATURATED, MASKED])
    assert (np.delete(stamps["flags"], 1, axis=1) == 0).all()
    plain, _ = cut(frame_of(), sample, grid)
    assert stamps["flux"][:, 1].tobytes() == plain["flux"][:, 1].tobytes()


def test_a_mask_is_looked_at_pixel_by_pixel():
    sample = galaxies(INSIDE[:1])
    xy = wcs_of("g").wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0)
    x, y = np.ceil(xy - 20).astype(int)[0]
    for row, column in ((y, x), (y + 39, x + 39), (y + 3, x + 39)):
        mask = np.zeros(SHAPE, dtype=np.uint32)
        mask[row, column] = MASKED
        assert cut(frame_of(mask=mask), sample, "frame")[0]["flags"][0, 1] == MASKED
    for row, column in ((y - 1, x), (y + 40, x), (y, x - 1), (y, x + 40)):
        mask = np.zeros(SHAPE, dtype=np.uint32)
        mask[row, column] = MASKED
        assert cut(frame_of(mask=mask), sample, "frame")[0]["flags"][0, 1] == 0


@pytest.mark.parametrize("n", [1, 40])  # more pixels in the frame, and more in the stamps
@pytest.mark.parametrize("grid", GRIDS)
def test_faults_are_found_by_either_way_of_looking(grid, n):
    sample = galaxies(np.tile(INSIDE[:1], (n, 1)))
    x, y = wcs_of("g").wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0).round().astype(int)[0]
    for value, expected in ((-np.inf, "not_finite"), (np.nan, "not_finite"), (7.0, "saturated")):
        image = noise(1)
        image[y, x] = value
        frame = Frame(Path("frame"), image, wcs_of("g"), 0.02, 7.0)
        stamps, _ = cut(frame, sample, grid)
        assert (stamps["flags"][:, 1] == flag_value(expected)).all()
    with_nan, _ = cut(frame_of(image=np.where(np.arange(SHAPE[1]) < 2, np.nan, noise(1))),
                      sample, grid)  # fmt: skip
    assert (with_nan["flags"] == 0).all()  # elsewhere in the frame


@pytest.mark.parametrize("grid", GRIDS)
def test_a_mosaic_tells_of_both_frames(grid):
    sample = galaxies(np.array([[80.0, 120.0]]))
    strip = noise(3, (260, SHAPE[1])).astype(np.float32)
    start, masks = SHAPE[0] - 12, [np.zeros(SHAPE, dtype=np.uint32) for _ in range(2)]
    masks[1][14, 75:90] = MASKED
    other = wcs_of("g")
    other.wcs.crpix = other.wcs.crpix - [0, start]
    home = frame_of(mask=masks[0], image=strip[: SHAPE[0]], psf_fwhm_arcsec=1.0)
    next_one = Frame(Path("next"), strip[start : start + SHAPE[0]], other, 0.04, np.inf, masks[1],
                     2.0)  # fmt: skip
    stamps, xy = cut(home, sample, grid)
    settings = SETTINGS | {"grid": grid}
    asked = []

    def neighbour(step: int) -> Frame:
        asked.append(step)
        return next_one

    assert mend_edges(home, 1, stamps, xy, settings, neighbour) == {}
    assert asked == [1]
    assert stamps["flags"][0, 1] == flag_value("mosaicked") | MASKED
    width = float(stamps["psf_fwhm_arcsec"][0, 1])
    share = 2.0 - width
    assert 0.4 < share < 0.95
    ratio = stamps["sky_sigma_nmgy"][0, 1] / cut(home, sample, grid)[0]["sky_sigma_nmgy"][0, 1]
    assert ratio == pytest.approx(np.sqrt(share + (1 - share) * 4), rel=1e-4)
    told = empty_stamps(sample.assign(psf_fwhm_arcsec_g=1.7), settings)
    cut_band(home, 1, told, settings)
    mend_edges(home, 1, told, xy, settings, neighbour)
    assert told["psf_fwhm_arcsec"][0, 1] == np.float32(1.7)
