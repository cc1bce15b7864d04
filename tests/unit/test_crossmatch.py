"""The cross-match finds what astropy and brute force find, everywhere on the sphere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, match_coordinates_sky
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.catalogs.crossmatch import match, neighbours
from zladder.catalogs.matching import chance_matches, match_tables, one_to_one, positions
from zladder.provenance.errors import BadInput

ARCSEC = 1 / 3600


def brute_force(ra_a, dec_a, ra_b, dec_b):
    """Return all separations, shape (N, M), in arcsec, by the haversine formula."""
    a, d, b, e = (np.deg2rad(np.asarray(x, float)) for x in (ra_a, dec_a, ra_b, dec_b))
    half = np.sin((e[None] - d[:, None]) / 2) ** 2
    half += np.cos(d)[:, None] * np.cos(e)[None] * np.sin((b[None] - a[:, None]) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(np.minimum(half, 1)))) * 3600


def random_sky(rng, n, region):
    """Return ra, dec in degrees: the whole sky, or a crowded spot at a pole or at ra = 0."""
    if region == "all":
        return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    if region == "wrap":
        return rng.uniform(-0.01, 0.01, n) % 360, rng.uniform(-0.01, 0.01, n)
    return rng.uniform(0, 360, n), {"north": 1, "south": -1}[region] * rng.uniform(89.99, 90, n)


@pytest.mark.parametrize("region", ["all", "wrap", "north", "south"])
@pytest.mark.parametrize("chunk_rows", [300, 10_000])
def test_same_as_astropy(region, chunk_rows):
    rng = np.random.default_rng(3)
    small, big = random_sky(rng, 1000, region), random_sky(rng, 3000, region)
    radius = 3600.0 if region == "all" else 1.0
    index, separation = match(*small, *big, radius, chunk_rows)
    sky = [SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (small, big)]
    expected, angle, _ = match_coordinates_sky(*sky)
    within = angle.arcsec <= radius
    assert 100 < within.sum() < 1000  # both outcomes are tested
    np.testing.assert_array_equal(index, np.where(within, expected, -1))
    np.testing.assert_allclose(separation[within], angle.arcsec[within], rtol=1e-6, atol=1e-9)
    assert np.isinf(separation[~within]).all()


# Degrees whose low bits make ties and near-ties; the poles and ra = 0 among them.
angles = st.sampled_from([0.0, 1e-5, 2e-5, 359.99999, 180.0, 90.0, 1e-4])
heights = st.sampled_from([90.0, -90.0, 89.99999, 0.0, 1e-5, -1e-5, 45.0, -2e-5])
places = st.lists(st.tuples(angles, heights), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(places, places, st.sampled_from([0.01, 0.05, 1.0]), st.integers(1, 13))
def test_same_as_brute_force(small, big, radius, chunk_rows):
    a, b = np.array(small).T, np.array(big).T
    found = neighbours(*a, *b, radius, chunk_rows)
    true = brute_force(*a, *b)
    order = np.sort(true, axis=1)
    for row, index in enumerate(found.index):
        if index < 0:
            assert order[row, 0] > radius * (1 - 1e-6)
            continue
        assert true[row, index] == pytest.approx(order[row, 0], abs=1e-8)
        assert found.separation_arcsec[row] == pytest.approx(order[row, 0], abs=1e-8)
        second = order[row, 1] if len(big) > 1 else np.inf
        if np.isinf(found.second_arcsec[row]):
            assert second > radius * (1 - 1e-6)
        else:
            assert found.second_arcsec[row] == pytest.approx(second, abs=1e-8)


@settings(max_examples=100, deadline=None)
@given(places, places, st.integers(1, 13))
def test_chunks_do_not_change_the_result(small, big, chunk_rows):
    a, b = np.array(small).T, np.array(big).T
    whole, parts = neighbours(*a, *b, 1.0), neighbours(*a, *b, 1.0, chunk_rows)
    np.testing.assert_array_equal(whole.index, parts.index)
    np.testing.assert_array_equal(whole.separation_arcsec, parts.separation_arcsec)
    np.testing.assert_array_equal(whole.second_arcsec, parts.second_arcsec)


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 100])
def test_of_equals_the_first_is_taken(chunk_rows):
    # rows 1, 3 and 4 share one position
    ra, dec = np.array([5.0, 10.0, 20.0, 10.0, 10.0]), np.zeros(5)
    found = neighbours(np.array([10.0, 10.0]), np.array([0.0, ARCSEC]), ra, dec, 2.0, chunk_rows)
    assert found.index.tolist() == [1, 1]
    assert found.second_arcsec.tolist() == found.separation_arcsec.tolist()


def test_hand_computed_separations():
    # At declination 60 degrees a step of 2 arcsec in ra is 1 arcsec on the sky.
    ra, dec = np.array([0.0, 0.0, 100.0]), np.array([60.0, 90.0, 0.0])
    ra_big = np.array([360 - 2 * ARCSEC, 180.0, 100.0])
    dec_big = np.array([60.0, 90.0 - ARCSEC, 0.0])
    index, separation = match(ra, dec, ra_big, dec_big, 1.5)
    assert index.tolist() == [0, 1, 2]
    np.testing.assert_allclose(separation, [1.0, 1.0, 0.0], atol=1e-8)
    assert match(ra, dec, ra_big, dec_big, 0.99)[0].tolist() == [-1, -1, 2]


def test_any_ra_at_a_pole_is_the_same_place():
    index, separation = match(
        np.array([0.0]), np.array([90.0]), np.array([217.0]), np.array([90.0]), 1e-6
    )
    assert index.tolist() == [0]
    assert separation[0] == pytest.approx(0.0, abs=1e-9)


def table(ra_dec_arcsec):
    return pd.DataFrame(np.array(ra_dec_arcsec) * ARCSEC, columns=["ra", "dec"])


def test_one_partner_for_each_and_quality_figures():
    # big 0 is wanted by small 0 (0.5 away) and small 1 (0.25 away): the nearer keeps it;
    # small 2 has two candidates; small 3 has nobody.
    big = table([[100, 0], [200, 0], [200, 0.75], [900, 0]])
    small = table([[100, 0.5], [100, 0.25], [200, 0.25], [500, 0]])
    pairs, quality = match_tables(small, big, 1.0, "small.csv", "big.csv")
    assert pairs["row_small"].tolist() == [1, 2]
    assert pairs["row_big"].tolist() == [0, 1]
    np.testing.assert_allclose(pairs["separation_arcsec"], [0.25, 0.25], rtol=1e-6)
    figures = ("n_small", "n_big", "n_matched", "n_unmatched", "n_contested", "n_ambiguous")
    assert [quality[name] for name in figures] == [4, 4, 2, 1, 1, 1]
    assert quality["n_chance"] == 0
    assert quality["separation_quantiles_arcsec"]["0.5"] == pytest.approx(0.25, rel=1e-6)


def test_contest_between_equals_goes_to_the_first_row():
    index, lost = one_to_one(np.array([3, -1, 3, 2]), np.array([0.5, np.inf, 0.5, 0.1]))
    assert index.tolist() == [3, -1, -1, 2]
    assert lost == 1


def test_many_contests_go_to_the_nearest_and_then_the_first_row():
    rng = np.random.default_rng(5)
    wanted, separation = rng.integers(0, 50, 2000), rng.integers(1, 3, 2000) / 2
    index, lost = one_to_one(wanted, separation)
    best = {big: min((separation[row], row) for row in np.flatnonzero(wanted == big))[1]
            for big in np.unique(wanted)}  # fmt: skip
    assert {index[row]: row for row in np.flatnonzero(index >= 0)} == best
    assert lost == 2000 - len(best)


def test_no_match_at_all():
    pairs, quality = match_tables(table([[0, 0]]), table([[100, 0]]), 1.0, "a", "b")
    assert len(pairs) == 0
    assert pairs["row_small"].dtype == pairs["row_big"].dtype == np.int64
    assert quality["n_matched"] == 0
    assert quality["separation_quantiles_arcsec"]["0.5"] is None


# Poisson: expected mean n_small * density * pi r^2 = 157.1; |count - mean| < 5 sigma, so a
# false alarm in 1.7 million seeds.
def test_chance_matches_follow_the_density():
    rng = np.random.default_rng(11)
    side_arcsec, n_small, n_big, radius = 2000.0, 5000, 40_000, 1.0
    small = rng.uniform(0, side_arcsec, (2, n_small)) * ARCSEC
    big = rng.uniform(-100, side_arcsec + 100, (2, n_big)) * ARCSEC
    mean = n_small * n_big / (side_arcsec + 200) ** 2 * np.pi * radius**2
    assert abs(chance_matches(*small, *big, radius) - mean) < 5 * np.sqrt(mean)


def test_chance_matches_near_the_poles_stay_on_the_sphere():
    ra, dec = np.array([10.0, 10.0]), np.array([90.0, -90.0])
    near = np.array([90.0 - 10 * ARCSEC, -90.0 + 10 * ARCSEC])
    assert chance_matches(ra, dec, ra, near, 1.0) == 2


@pytest.mark.parametrize(
    ("present", "place", "found"),
    [
        (["ra"], "column dec", "no dec"),
        (["dec"], "column ra", "no ra"),
        ([], "column ra and dec", "no ra and no dec"),
    ],
)
def test_missing_positions(present, place, found):
    good = table([[0, 0]])
    bad = good[present].assign(mag_r=17.0)
    for small, big in ((bad, good), (good, bad)):
        files = ["bad.csv" if side is bad else "good.csv" for side in (small, big)]
        with pytest.raises(BadInput) as caught:
            match_tables(small, big, 1.0, *files)
        error = caught.value
        assert (error.file, error.place, error.found) == ("bad.csv", place, found)
        assert error.expected == "positions (ra, dec in degrees)"
        assert "matched on the sphere" in error.hint


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_positions_that_are_not_finite(value):
    frame = pd.DataFrame({"ra": [1.0, 2.0, value], "dec": [0.0, 0.0, 1.0]})
    with pytest.raises(BadInput) as caught:
        positions(frame, "t.csv")
    error = caught.value
    assert (error.file, error.place) == ("t.csv", "column ra and dec, row 3")
    assert (error.expected, error.found) == ("a finite position", f"({value}, 1.0)")
