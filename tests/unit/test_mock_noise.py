"""Noise of the mock sky: as deep as it says, with errors that know only what was observed."""

from __future__ import annotations

import numpy as np
import pytest
from mock_sky import instrument

from zladder.universe.noise import flux_njy, miscalibrated, noise_njy, observe, to_magnitudes

N = 20_000


@pytest.mark.parametrize("survey", ["hsc", "sdss"])
def test_noise_of_empty_sky_matches_the_depth_to_two_per_cent(survey):
    # the standard deviation of 20,000 draws is good to 0.5 %: a false alarm in 10 bands, 6e-4
    depth = instrument(survey).depth
    nothing = np.full((N, 5), 60.0)
    flux, error = observe(np.random.default_rng(1), nothing, depth)
    expected = flux_njy(depth.depth_5sigma_mag) / 5
    np.testing.assert_allclose(flux.std(axis=0), expected, rtol=0.02)
    np.testing.assert_allclose(np.median(error, axis=0), expected, rtol=0.05)


def test_a_source_at_the_depth_is_seen_at_five_sigma():
    depth = instrument("hsc").depth
    flux, _ = observe(np.random.default_rng(2), np.tile(depth.depth_5sigma_mag, (N, 1)), depth)
    np.testing.assert_allclose((flux.mean(axis=0) / flux.std(axis=0)), 5.0, rtol=0.03)


def test_bright_sources_are_limited_by_photons_and_calibration():
    depth = instrument("sdss").depth
    bright = np.full((N, 5), 11.0)
    rng = np.random.default_rng(3)
    flux, error = observe(rng, miscalibrated(rng, bright, depth), depth)
    photon_share = np.sqrt(10 ** (-0.4 * (depth.electron_mag - 11.0)))
    calibration_share = depth.zero_point_scatter_mag * np.log(10) / 2.5
    expected = np.hypot(photon_share, calibration_share)
    np.testing.assert_allclose(flux.std(axis=0) / flux.mean(axis=0), expected, rtol=0.03)
    assert (np.median(error / flux, axis=0) < expected).all()  # errors know no zero points


def test_errors_are_a_function_of_the_observed_flux_alone():
    depth = instrument("sdss").depth
    magnitude = np.random.default_rng(4).uniform(16, 24, (500, 5))
    flux, error = observe(np.random.default_rng(5), magnitude, depth)
    np.testing.assert_array_equal(error, noise_njy(flux, depth))


def test_a_flux_that_is_not_positive_has_no_magnitude():
    flux = np.array([[3631.0, 0.0, -2.0]])
    magnitude, error = to_magnitudes(flux, np.full((1, 3), 36.31))
    assert magnitude[0, 0] == pytest.approx(22.5, abs=1e-3)
    assert error[0, 0] == pytest.approx(0.010857, rel=1e-3)
    assert np.isnan(magnitude[0, 1:]).all()
    assert np.isnan(error[0, 1:]).all()
