"""Shapes of the mock sky's galaxies: sizes as observed, bulge and disc that add up to the flux."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from astropy.cosmology import Planck18
from mock_sky import galaxies, instrument, settings
from sklearn.ensemble import HistGradientBoostingRegressor

from zladder.universe.appearance import dress
from zladder.universe.galaxies import Galaxies
from zladder.universe.hankel import bulge_growth, disc_growth
from zladder.universe.morphology import (
    DISC_THICKNESS,
    MAJOR_OVER_CIRCULARISED,
    Shapes,
    bulge_light_share,
    bulge_share_law,
    circularised_radius_arcsec,
    draw_shapes,
    half_light_over_disc_radius,
    kpc_per_arcsec,
    mean_radius_kpc,
)
from zladder.universe.noise import miscalibrated, observe, to_magnitudes
from zladder.universe.photometry import magnitudes
from zladder.universe.population import draw, make_pool

BLOCK = settings()["morphology"]


@cache
def population() -> tuple[Galaxies, np.ndarray, Shapes, np.ndarray]:
    """Return main-sample galaxies, their magnitudes, shapes and bulge shares in the bands."""
    sdss, rng = instrument("sdss"), np.random.default_rng(1)
    pool = make_pool(sdss.table, settings()["population"], "r", 17.8)
    drawn = dress(rng, settings()["sed"], *draw(pool, rng, 20_000))
    magnitude, _ = magnitudes(sdss.table, drawn)
    bright = magnitude[:, sdss.bands.index("r")] < 17.8
    chosen, magnitude = drawn.part(bright), magnitude[bright]
    shapes = draw_shapes(rng, BLOCK, chosen)
    share = bulge_light_share(sdss.table, chosen, shapes.bulge_share, magnitude)
    return chosen, magnitude, shapes, share


def test_mean_sizes_are_those_of_shen():
    # by hand from eqs. 14 and 15: 10^(0.24 * 21 - 4.63); 10^(0.084 * 20.52 + 0.32 log10(2) - 1.31)
    near = np.full(2, 0.1)
    early, late = mean_radius_kpc(np.array([True, False]), np.array([-21.0, -20.52]), near)
    assert early == pytest.approx(10**0.41 * MAJOR_OVER_CIRCULARISED["early"])
    expected = 10 ** (1.72368 + 0.096330 - 1.31) * MAJOR_OVER_CIRCULARISED["late"]
    assert late == pytest.approx(expected, rel=1e-4)


def test_circularised_sizes_near_z_of_a_tenth_are_those_of_shen():
    # about 3,000 galaxies of each class, scatter 0.25: medians good to 0.6 %, bounds 5 times that
    chosen, _, shapes, _ = population()
    kpc = circularised_radius_arcsec(shapes) * kpc_per_arcsec(chosen.z)
    for early in (True, False):
        rows = (chosen.is_early == early) & (np.abs(chosen.z - 0.1) < 0.03)
        level = MAJOR_OVER_CIRCULARISED["early" if early else "late"]
        shen = mean_radius_kpc(chosen.is_early, chosen.abs_mag_r, np.full(len(kpc), 0.1)) / level
        assert np.median((kpc / shen)[rows]) == pytest.approx(1.0, abs=0.03)


def test_a_circularised_radius_is_that_of_the_ellipse_of_equal_area():
    one = np.ones(1)
    for share, ratio in ((0.0, 0.3), (1.0, 0.7)):
        shapes = Shapes(one, 2 * one, share * one, 2 * one, 2 * one, ratio * one, ratio * one, one)
        assert circularised_radius_arcsec(shapes) == pytest.approx(2 * np.sqrt(ratio))


def test_galaxies_of_a_luminosity_were_smaller_in_the_past():
    early, magnitude = np.array([True, False]), np.full(2, -21.0)
    now, then = (mean_radius_kpc(early, magnitude, np.full(2, z)) for z in (0.0, 1.0))
    np.testing.assert_allclose(then / now, [2**-1.48, 2**-0.75])


def test_bulges_are_larger_in_earlier_types():
    rng = np.random.default_rng(2)
    types = np.array([0.4, 1.3, 3.0])
    for early, means in ((True, [0.67] * 3), (False, [0.305, 0.186, 0.073])):
        a, b = bulge_share_law(np.full(3, early), types)
        np.testing.assert_allclose(a / (a + b), means, atol=1e-3)
        assert np.all(rng.beta(a, b) < 1)


def test_angular_sizes_follow_planck18():
    z = np.array([0.003, 0.05, 0.2, 0.6])
    expected = Planck18.kpc_proper_per_arcmin(z).value / 60
    np.testing.assert_allclose(kpc_per_arcsec(z), expected, rtol=1e-4)
    chosen, _, shapes, _ = population()
    kpc = shapes.half_light_radius_arcsec * kpc_per_arcsec(chosen.z)
    np.testing.assert_allclose(kpc, shapes.half_light_radius_kpc, rtol=1e-12)


def test_sizes_scatter_with_the_structure_and_are_no_ruler():
    chosen, _, shapes, _ = population()
    residual = np.log(
        shapes.half_light_radius_kpc / mean_radius_kpc(chosen.is_early, chosen.abs_mag_r, chosen.z)
    )
    np.testing.assert_allclose(residual, BLOCK["size_scatter_ln"] * chosen.structure, atol=1e-12)
    assert 0.15 <= BLOCK["size_scatter_ln"] <= 0.2
    assert np.std(np.log(shapes.half_light_radius_kpc)) > 0.3  # luminosities differ, too


def test_sizes_look_like_those_of_the_main_sample():
    radius = circularised_radius_arcsec(population()[2])
    low, middle, high = np.percentile(radius, [5, 50, 95])
    assert 0.9 < low < 1.5
    assert 1.7 < middle < 2.6
    assert 3.5 < high < 6.5


def test_the_half_light_radius_holds_half_of_bulge_and_disc():
    share, ratio = np.array([0.0, 1.0, 0.4, 0.7]), np.array([0.3, 0.3, 0.5, 1.2])
    radius = half_light_over_disc_radius(share, ratio)
    inside = share * bulge_growth(radius / ratio) + (1 - share) * disc_growth(radius)
    np.testing.assert_allclose(inside, 0.5, atol=1e-9)
    np.testing.assert_allclose(radius[:2], [1.0, 0.3], atol=1e-9)
    _, _, shapes, _ = population()
    inside = shapes.bulge_share * bulge_growth(
        shapes.half_light_radius_arcsec / shapes.bulge_radius_arcsec
    )
    disc = disc_growth(shapes.half_light_radius_arcsec / shapes.disc_radius_arcsec)
    np.testing.assert_allclose(inside + (1 - shapes.bulge_share) * disc, 0.5, atol=1e-6)


def test_discs_are_as_thick_as_they_are_inclined():
    face, edge = galaxies(np.full(2, 0.1), cos_inclination=np.array([1.0, 0.0])), DISC_THICKNESS
    ratio = draw_shapes(np.random.default_rng(2), BLOCK, face).disc_axis_ratio
    np.testing.assert_allclose(ratio, [1.0, edge])


def test_early_types_have_the_larger_bulges_and_angles_are_even():
    # the means of 3,000 or more draws of spread 0.16 are good to 0.003: 7 standard deviations
    chosen, _, shapes, _ = population()
    early, late = (shapes.bulge_share[rows].mean() for rows in (chosen.is_early, ~chosen.is_early))
    assert early == pytest.approx(5 / 7.5, abs=0.02)
    assert late == pytest.approx(1.3 / 6.8, abs=0.02)
    turned = np.exp(2j * np.radians(shapes.position_angle_deg))
    assert abs(turned.mean()) < 5 / np.sqrt(len(turned))
    assert shapes.bulge_axis_ratio.min() >= 0.45
    assert shapes.bulge_axis_ratio.max() <= 1.0


def test_the_bulge_never_has_more_than_all_of_the_light():
    *_, share = population()
    assert share.min() >= 0
    assert share.max() <= 1


def test_bulges_are_redder_than_their_discs():
    chosen, magnitude, _, share = population()
    late = ~chosen.is_early
    g, r = (instrument("sdss").bands.index(band) for band in "gr")
    bulge = magnitude - 2.5 * np.log10(np.maximum(share, 1e-12))
    disc = magnitude - 2.5 * np.log10(np.maximum(1 - share, 1e-12))
    gradient = (bulge[:, g] - bulge[:, r]) - (disc[:, g] - disc[:, r])
    mixed = (share > 0.05).all(axis=1) & (share < 0.95).all(axis=1)
    assert np.median(gradient[late & mixed]) > 0.1
    assert np.median(gradient[late & mixed]) > np.median(gradient[~late & mixed]) > 0


def test_a_galaxy_like_its_bulge_has_the_same_share_in_every_band():
    # an elliptical without dust keeps its colours when its bulge is taken out
    plain = galaxies(np.full(3, 0.1))
    sdss, share = instrument("sdss"), np.array([0.0, 0.3, 1.0])
    magnitude, _ = magnitudes(sdss.table, plain)
    found = bulge_light_share(sdss.table, plain, share, magnitude)
    np.testing.assert_allclose(found, np.tile(share[:, None], 5), atol=1e-9)


def test_parts_keep_their_rows():
    _, _, shapes, _ = population()
    part = shapes.part(np.array([5, 2]))
    assert part.bulge_share.tolist() == shapes.bulge_share[[5, 2]].tolist()
    assert part.position_angle_deg.tolist() == shapes.position_angle_deg[[5, 2]].tolist()


def test_structure_tells_a_model_of_the_catalogue_a_fifth_more():
    # what an image can add to five magnitudes: size, bulge share, axis ratios, the bulge's colours.
    # 8,000 galaxies to train on, 2,500 to test: scatters good to 3 %
    chosen, magnitude, shapes, share = population()
    sdss, rng = instrument("sdss"), np.random.default_rng(8)
    flux, error = observe(rng, miscalibrated(rng, magnitude, sdss.depth), sdss.depth)
    observed, _ = to_magnitudes(np.maximum(flux, 1e-3), error)
    seen = np.hstack([observed, -np.diff(observed)])
    of_bulge = -2.5 * np.log10(np.clip(share, 1e-4, 1.0))
    structure = [np.log(shapes.half_light_radius_arcsec), shapes.bulge_share]
    structure += [shapes.disc_axis_ratio, shapes.bulge_axis_ratio, *np.diff(of_bulge).T]
    plain, told = (
        boosted_sigma_nmad(features[:10_500], chosen.z[:10_500])
        for features in (seen, np.column_stack([seen, *structure]))
    )
    assert 0.011 < plain < 0.016
    assert told < 0.8 * plain


def boosted_sigma_nmad(features: np.ndarray, z: np.ndarray, n_train: int = 8000) -> float:
    model = HistGradientBoostingRegressor(
        max_iter=120, learning_rate=0.1, max_leaf_nodes=20, random_state=0
    )
    model.fit(features[:n_train], z[:n_train])
    dz = (model.predict(features[n_train:]) - z[n_train:]) / (1 + z[n_train:])
    return float(1.4826 * np.median(np.abs(dz - np.median(dz))))
