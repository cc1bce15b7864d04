"""Training sets painted into memory: reproducible, with the galaxies and the noise of the mock."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from mock_sky import large_sky, settings

from zladder.config.imaging import FieldNumber
from zladder.survey import training_set
from zladder.survey.conditions import draw_conditions
from zladder.survey.imaging import PIXEL_ARCSEC
from zladder.survey.renderer import make_seeing, render
from zladder.survey.training_set import draw_block, make_source, make_training_set


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(training_set, "BLOCK", 48)


@cache
def source() -> training_set.Source:
    return make_source(settings(), 3)


def test_a_set_is_the_beginning_of_a_larger_one_and_differs_by_seed():
    small, few = make_training_set(settings(), 3, 20, size=32, dtype=torch.float32)
    large, many = make_training_set(settings(), 3, 70, size=32, dtype=torch.float32)
    other, _ = make_training_set(settings(), 4, 20, size=32, dtype=torch.float32)
    assert large.shape == (70, 5, 32, 32)
    torch.testing.assert_close(small, large[:20], rtol=0, atol=1e-5)
    pd.testing.assert_frame_equal(few, many.iloc[:20])
    assert (small - other).abs().max() > 1
    assert many["z"].nunique() == 70
    assert many["psf_fwhm_r_arcsec"].nunique() == 2  # two blocks, two nights


def test_stamps_are_the_galaxies_in_the_noise_of_their_night():
    stamps, _ = make_training_set(settings(), 3, 48, size=64, dtype=torch.float32)
    light, _ = draw_block(source(), 0)
    night = draw_conditions(settings(), 3, FieldNumber(training_set.RUN, 1, 0))
    seeing = make_seeing(night.seeing_fwhm_arcsec / PIXEL_ARCSEC, night.moffat_beta)
    clean = render(light, seeing, 64)
    slope = night.nmgy_per_count / night.electrons_per_count
    variance = clean.numpy() * slope[:, None, None] + night.sky_sigma_nmgy[:, None, None] ** 2
    pulls = (stamps - clean).numpy() / np.sqrt(variance)
    # 197,000 pixels a band: the mean is good to 0.0023, the spread to 0.0016; five of them
    assert np.abs(pulls.mean(axis=(0, 2, 3))).max() < 0.012
    np.testing.assert_allclose(pulls.std(axis=(0, 2, 3)), 1.0, atol=0.008)
    assert abs(np.corrcoef(pulls[:24].ravel(), pulls[24:].ravel())[0, 1]) < 0.008


def test_half_precision_holds_the_same_stamps():
    half, _ = make_training_set(settings(), 3, 10, size=32)
    single, _ = make_training_set(settings(), 3, 10, size=32, dtype=torch.float32)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), single, rtol=1e-3, atol=1e-6)


def test_the_galaxies_are_those_of_the_main_sample():
    # quartiles of 480 against those of 6,000: with this many the r magnitude's are good to 0.03
    blocks = [draw_block(source(), block) for block in range(10)]
    labels = pd.concat([labels for _, labels in blocks])
    sky = large_sky()
    radius = np.concatenate([light.disc_radius.numpy() for light, _ in blocks])
    scene = sky["scene"]
    listed = scene[(scene["run"] == 2001) & (scene["disc_radius_arcsec"] > 0)]
    listed = listed.iloc[: len(sky["sdss"])]  # the listed come first, then their neighbours
    for ours, theirs, tolerance in (
        (labels["z"], sky["sdss"]["z"], 0.02),
        (np.log(radius * PIXEL_ARCSEC), np.log(listed["disc_radius_arcsec"]), 0.15),
    ):
        quartiles = [np.nanquantile(values, [0.25, 0.5, 0.75]) for values in (ours, theirs)]
        np.testing.assert_allclose(*quartiles, atol=tolerance)
    assert (labels["mag_r"] < 18.5).all()


@pytest.mark.parametrize(("n", "size"), [(0, 64), (5, 63), (5, 0)])
def test_what_cannot_be_is_refused(n, size):
    with pytest.raises(ValueError, match="must be positive and size even"):
        make_training_set(settings(), 3, n, size=size)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_paints_the_same_galaxies():
    light, _ = draw_block(source(), 0)
    seeing = make_seeing(np.array([1.43, 1.36, 1.30, 1.24, 1.26]) / PIXEL_ARCSEC, 3.5)
    here = render(light, seeing, 64)
    there = type(light)(*(value.cuda() for value in vars(light).values()))
    painted = render(there, seeing, 64).cpu()
    peak = here.amax(dim=(2, 3), keepdim=True)
    assert ((painted - here).abs() < 2e-5 * peak).all()
    stamps, labels = make_training_set(settings(), 3, 60, device="cuda")
    assert stamps.is_cuda
    assert len(labels) == 60
