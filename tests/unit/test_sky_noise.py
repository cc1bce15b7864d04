"""The noise of stacks, which is not white: how far it is correlated, and what resampling keeps."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from deep_files import CFHTLS, COADDS, SIGMA_COUNTS, catalogue, write_hsc, write_tile
from scipy import ndimage

from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.frames import sky_correlation
from zladder.cutouts.kept_noise import noise_shares
from zladder.cutouts.resample import resample

SIDE = 560
TURNED = np.array([[[0.8, -0.6, 30.2], [0.6, 0.8, 41.7]]])
ORDERS = {"white": None, "bilinear": 1, "cubic spline": 3, "Lanczos-3": 6}


def stack(order: int | None, seed: int = 1, side: int = SIDE) -> np.ndarray:
    """Four exposures of white noise, turned and shifted onto one grid; scatter SIGMA_COUNTS."""
    draw = np.random.default_rng(seed)
    if order is None:
        return draw.normal(0, SIGMA_COUNTS, (side, side)).astype(np.float32)
    total = np.zeros((side, side), dtype=np.float32)
    for angle in (0.02, 0.5, 0.9, 1.3):
        exposure = draw.normal(size=(2 * side, 2 * side)).astype(np.float32)
        cosine, sine = np.cos(angle), np.sin(angle)
        turn, middle = np.array([[cosine, -sine], [sine, cosine]]), side + draw.uniform(0, 1, 2)
        if order == 6:
            out = np.zeros((1, side, side), dtype=np.float32)
            assert resample(exposure, np.column_stack([turn, middle])[None], out)[0].all()
            total += out[0]
        else:
            offset = middle - turn @ np.full(2, (side - 1) / 2)
            total += ndimage.affine_transform(exposure, turn, offset, (side, side), order=order)
    return total * np.float32(SIGMA_COUNTS / total.std())


def test_white_noise_and_pixels_that_do_not_count_say_nothing():
    found = sky_correlation(stack(None))
    # 3e5 pairs: standard error 0.004 of each
    assert found == pytest.approx((0, 0, 0), abs=0.02)
    assert noise_shares(TURNED, 64, found) == pytest.approx(noise_shares(TURNED, 64), rel=0.005)
    few = np.full((64, 64), np.nan, dtype=np.float32)
    few[:20, :20] = stack(None, side=20)
    assert sky_correlation(few) == ()
    assert sky_correlation(np.zeros((64, 64), dtype=np.float32)) == ()


def test_a_stack_of_shifted_exposures_is_correlated_as_its_weights_are():
    draw = np.random.default_rng(2)
    total = np.zeros((400, 400), dtype=np.float32)
    for shift in np.arange(16) / 16:  # bilinear weights 1 - t and t along the row
        exposure = draw.normal(size=(400, 401))
        total += (1 - shift) * exposure[:, :-1] + shift * exposure[:, 1:]
    t = np.arange(16) / 16
    expected = (t * (1 - t)).sum() / (t**2 + (1 - t) ** 2).sum()
    assert sky_correlation(total) == pytest.approx((expected, 0, 0), abs=0.02)


def test_sources_where_pixels_do_not_count_change_nothing():
    image = stack(6)
    rows, columns = np.indices(image.shape)
    near = np.hypot(rows % 56 - 28, columns % 56 - 28) < 10
    expected = sky_correlation(image)
    image[near] += 100.0
    found = sky_correlation(np.where(near, np.nan, image))
    assert found == pytest.approx(expected, abs=0.02)
    assert sky_correlation(image)[0] > expected[0]  # what hides in the sky is part of its noise


@pytest.mark.parametrize("scale", [1.0, 0.75, 1.25])
@pytest.mark.parametrize("degrees", [0.0, 0.3, 2.0, 30.0])
@pytest.mark.parametrize("middle", [0.0, 0.25, 0.5])
def test_the_share_of_a_stamp_is_that_of_where_its_pixels_lie(scale, degrees, middle):
    side, n = 40, 60
    cosine, sine = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    grid = np.array([[[cosine, -sine, 50 + middle], [sine, cosine, 50 + middle]]])
    stamps = np.zeros((n, side, side), dtype=np.float32)
    for number, stamp in enumerate(stamps):
        image = np.random.default_rng(number).normal(size=(101, 101)).astype(np.float32)
        assert resample(image, grid, stamp[None])[0].all()
    # 96,000 pixels, some correlated: 0.5 %; of the pixels looked at 0.5 %; asserted at 4 of both
    assert noise_shares(grid, side)[0] == pytest.approx(stamps.std(), rel=0.028)


def test_where_no_grid_is_there_is_a_number():
    grids = np.concatenate([np.full((1, 2, 3), np.nan), TURNED, TURNED])
    grids[1, :, 2] = -1e12, 1e12
    assert np.isfinite(noise_shares(grids, 64)).all()
    assert noise_shares(grids, 64)[2] == noise_shares(TURNED, 64)[0]


def told_over_measured(tmp_path, write, settings, order) -> float:
    """Return the noise that stamps on the sky's grid tell over that of their pixels."""
    axis = np.arange(40, 520, 48) + 0.37
    places = np.stack(np.meshgrid(axis, axis)).reshape(2, -1).T
    settings = settings | {"bands": ["r"], "grid": "sky", "edge": "lose"}
    words = {"band": "r", "BAND": "R", "layer": "W", "position": "021800-042500"}
    name = settings["path"].format(**words, tract=9813, patch="3,4")
    path = write(tmp_path / "images" / name, stack(order), "r")
    sample = catalogue(path, 0 if write is write_tile else 1, places, ["r"])
    sample.assign(ebv_mag=0.1).to_parquet(tmp_path / "sample.parquet")
    stamps, losses = tmp_path / "0.h5", tmp_path / "0.csv"
    cut_stamps(tmp_path / "sample.parquet", tmp_path / "images", 0, settings, stamps, losses)
    with h5py.File(stamps) as file:
        sigma, flux = file["sky_sigma_nmgy"][:, 0], file["flux"][:, 0]
    assert len(flux) == len(places)
    assert np.ptp(sigma) < 1e-3 * sigma.mean()
    return float(sigma.mean() / flux.std())


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_resampled_stamps_of_a_tile_tell_the_noise_of_their_pixels(tmp_path, order):
    # 160,000 pixels, some correlated: standard error 0.4 %; asserted at 4 of them
    assert told_over_measured(tmp_path, write_tile, CFHTLS, order) == pytest.approx(1, abs=0.016)


@pytest.mark.parametrize("order", [None, 6], ids=["white", "Lanczos-3"])
def test_so_do_those_of_hsc_by_its_variance_plane(tmp_path, order):
    assert told_over_measured(tmp_path, write_hsc, COADDS, order) == pytest.approx(1, abs=0.016)
