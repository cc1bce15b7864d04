"""Apertures and growth curves against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

from zladder.survey.apertures import annulus_offsets, aperture_sums, circle_weights, covered_area
from zladder.survey.growth import (
    PROFILE_RADII_ARCSEC,
    grown,
    petrosian_radius_arcsec,
    radius_of_share_arcsec,
)

RADII = (0.3, 0.58, 1.0, 3.79, 7.5, 28.8)


def pixels(sigma: float, x: float, y: float, size: int = 301) -> np.ndarray:
    """Return a Gaussian of flux 1, integrated over each pixel."""
    edges = np.arange(size + 1) - 0.5
    across, up = (0.5 * np.diff(erf((edges - at) / (np.sqrt(2) * sigma))) for at in (x, y))
    return np.outer(up, across)


def test_areas_by_hand():
    def area(dx: float, dy: float, radius: float) -> float:
        return float(covered_area(np.array(dx), np.array(dy), radius))

    assert area(0, 0, 0.5) == pytest.approx(np.pi / 4)  # the circle touches the sides
    assert area(0, 0, 0.3) == pytest.approx(np.pi * 0.09)
    assert area(0.5, -0.5, 0.4) == pytest.approx(np.pi * 0.16 / 4)  # about a corner
    assert area(0.5, 0, 0.4) == pytest.approx(np.pi * 0.16 / 2)  # about a side
    assert area(3, 2, 10.0) == pytest.approx(1.0)
    assert area(8, 8, 10.0) == pytest.approx(0.0)
    assert area(10.0, 0, 10.0) == pytest.approx(0.5, abs=0.01)  # nearly a straight rim


def test_areas_are_those_of_many_small_squares():
    rng = np.random.default_rng(1)
    grid = (np.arange(200) + 0.5) / 200 - 0.5
    for radius in (0.4, 0.9, 2.3, 6.1):
        angle = rng.uniform(0, 2 * np.pi, 40)
        dx, dy = radius * np.cos(angle), radius * np.sin(angle)
        x, y = dx[:, None, None] + grid, dy[:, None, None] + grid[:, None]
        counted = (np.hypot(x, y) < radius).mean(axis=(1, 2))
        np.testing.assert_allclose(covered_area(dx, dy, radius), counted, atol=2e-3)


@pytest.mark.parametrize("radius", RADII)
def test_the_areas_of_all_pixels_add_up_to_the_circle(radius):
    rng = np.random.default_rng(2)
    offset = np.arange(-31, 32)
    dx, dy = (offset - rng.uniform(-0.5, 0.5, (20, 1)) for _ in range(2))
    weights = circle_weights(dx, dy, radius)
    assert weights.min() >= 0.0
    assert weights.max() <= 1.0
    np.testing.assert_allclose(weights.sum(axis=(1, 2)), np.pi * radius**2, rtol=1e-10)


def test_a_flat_image_gives_its_value_times_the_area():
    rng = np.random.default_rng(3)
    image = np.stack([np.full((120, 130), 2.0), np.full((120, 130), -0.5)])
    at = rng.uniform(40, 80, (30, 2))
    sums, areas = aperture_sums(image, at, RADII)
    assert sums.shape == (30, 2, len(RADII))
    np.testing.assert_allclose(areas, np.pi * np.square(RADII))
    np.testing.assert_allclose(sums, np.broadcast_to([[2.0], [-0.5]] * areas, sums.shape))


def test_a_gaussian_gives_the_light_within():
    at = np.array([[150.0, 150.0], [150.37, 149.81]])
    for x, y in at:
        sums, _ = aperture_sums(pixels(12.0, x, y)[None], np.array([[x, y]]), RADII)
        expected = 1 - np.exp(-np.square(RADII) / (2 * 12.0**2))
        # a pixel's light counts as even over it: 1/12 of a pixel squared wider
        np.testing.assert_allclose(sums[0, 0], expected, rtol=2e-3)
    moved, _ = aperture_sums(pixels(12.0, *at[0])[None], at[[1]], [4.0])
    centred, _ = aperture_sums(pixels(12.0, *at[0])[None], at[[0]], [4.0])
    assert moved < centred


def test_the_ring_has_the_pixels_of_its_area():
    ring = annulus_offsets(37.9, 50.5)
    assert len(np.unique(ring, axis=0)) == len(ring)
    assert len(ring) == pytest.approx(np.pi * (50.5**2 - 37.9**2), rel=0.01)
    distance = np.hypot(*ring.T)
    assert distance.min() >= 37.9
    assert distance.max() <= 50.5


@pytest.mark.parametrize("sigma_arcsec", [1.2, 2.0, 3.0])
def test_petrosian_quantities_of_a_gaussian(sigma_arcsec):
    def within(radius: np.ndarray | float) -> np.ndarray:
        return 50.0 * (1 - np.exp(-0.5 * np.square(radius) / sigma_arcsec**2))

    def excess(radius: float) -> float:
        ring = (within(1.25 * radius) - within(0.8 * radius)) / (1.25**2 - 0.8**2)
        return float(ring - 0.2 * within(radius))

    growth = grown(within(np.array(PROFILE_RADII_ARCSEC))[None, None])
    found = petrosian_radius_arcsec(growth, 0)
    assert found[0] == pytest.approx(brentq(excess, 0.5 * sigma_arcsec, 6 * sigma_arcsec), rel=0.04)
    flux = growth.at(2 * found)[:, 0]
    assert flux[0] == pytest.approx(within(2 * found[0]), rel=0.003)
    half = radius_of_share_arcsec(growth, 0, flux, 0.5)
    assert half[0] == pytest.approx(sigma_arcsec * np.sqrt(2 * np.log(2)), rel=0.03)
    assert np.isnan(radius_of_share_arcsec(growth, 0, np.array([-1.0]), 0.5)[0])
