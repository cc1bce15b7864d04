"""All pairs within a radius are what astropy and brute force find, everywhere on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import zladder.catalogs.match_zones as zones_module
from tests.unit.match_skies import ARCSEC, brute_force, crossed, random_sky, skies
from zladder.catalogs.match_zones import close_pairs, make_zones, separation_arcsec


def pairs_of(here, there, radius):
    """Return {(index here, index there): separation in arcsec}."""
    found = close_pairs(make_zones(*here, radius), *there)
    keys = list(zip(found.here.tolist(), found.there.tolist(), strict=True))
    assert len(set(keys)) == len(keys)  # no pair twice
    return dict(zip(keys, separation_arcsec(found.haversine).tolist(), strict=True))


@pytest.mark.parametrize("region", ["all", "wrap", "north", "south"])
def test_same_pairs_as_astropy(region):
    rng = np.random.default_rng(3)
    here, there = random_sky(rng, 1000, region), random_sky(rng, 3000, region)
    radius = 3600.0 if region == "all" else 1.0
    found = pairs_of(here, there, radius)
    sky = [SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (here, there)]
    i, j, angle, _ = search_around_sky(*sky, radius * u.arcsec)
    assert len(i) > 100
    assert sorted(found) == sorted(zip(i.tolist(), j.tolist(), strict=True))
    ours = [found[pair] for pair in zip(i.tolist(), j.tolist(), strict=True)]
    np.testing.assert_allclose(ours, angle.arcsec, rtol=1e-6, atol=1e-9)


@settings(max_examples=300, deadline=None)
@given(skies(), skies(), st.sampled_from([0.01, 0.05, 1.0, 7.0, 60.0]))
def test_same_pairs_as_brute_force(here, there, radius):
    true = brute_force(*here, *there)
    assume(not (np.abs(true - radius) < 1e-8).any())  # a pair on the edge is in by its last bit
    found = pairs_of(here, there, radius)
    i, j = np.nonzero(true <= radius)
    assert sorted(found) == sorted(zip(i.tolist(), j.tolist(), strict=True))
    for (a, b), separation in found.items():
        assert separation == pytest.approx(true[a, b], abs=2e-9)


@settings(max_examples=100, deadline=None)
@given(skies(30), skies(30), st.sampled_from([0.05, 1.0, 7.0]))
def test_the_sides_may_change_places_and_nothing_changes(here, there, radius):
    found = pairs_of(here, there, radius)
    turned = pairs_of(there, here, radius)
    assert {(b, a): separation for (a, b), separation in turned.items()} == found


@settings(max_examples=100, deadline=None)
@given(skies(20), skies(20), st.sampled_from([0.05, 1.0, 7.0]), st.integers(1, 23), st.booleans())
def test_batches_do_not_change_the_pairs(left, right, radius, step, left_streams):
    whole = crossed(left, right, radius)
    parts = crossed(left, right, radius, step, left_streams=left_streams)
    found = [sorted(zip(c.left, c.right, c.haversine, strict=True)) for c in (whole, parts)]
    assert found[0] == found[1]
    assert (parts.n_left, parts.n_right) == (len(left[0]), len(right[0]))


def test_with_and_without_the_sieve_the_same(monkeypatch):
    rng = np.random.default_rng(8)
    for region in ("all", "wrap", "north", "south"):
        here, there = random_sky(rng, 1000, region), random_sky(rng, 5000, region)
        radius = 2400.0 if region == "all" else 1.0
        sieved = pairs_of(here, there, radius)
        assert make_zones(*here, radius).sieve is not None
        with monkeypatch.context() as patch:
            patch.setattr(zones_module, "make_sieve", lambda *_: None)
            assert pairs_of(here, there, radius) == sieved
        assert len(sieved) > 100


def test_many_candidates_are_looked_at_in_blocks(monkeypatch):
    rng = np.random.default_rng(5)
    here, there = random_sky(rng, 300, "north"), random_sky(rng, 300, "north")
    whole = pairs_of(here, there, 20.0)
    monkeypatch.setattr(zones_module, "_BLOCK", 7)
    assert pairs_of(here, there, 20.0) == whole
    assert len(whole) > 1000


def test_hand_computed_separations():
    # At declination 60 degrees a step of 2 arcsec in ra is 1 arcsec on the sky.
    here = np.array([0.0, 0.0, 100.0]), np.array([60.0, 90.0, 0.0])
    there = (np.array([360 - 2 * ARCSEC, 180.0, 100.0]),
             np.array([60.0, 90.0 - ARCSEC, 0.0]))  # fmt: skip
    found = pairs_of(here, there, 1.5)
    assert found == pytest.approx({(0, 0): 1.0, (1, 1): 1.0, (2, 2): 0.0}, abs=1e-8)
    assert list(pairs_of(here, there, 0.99)) == [(2, 2)]


def test_any_ra_at_a_pole_is_the_same_place():
    found = pairs_of(
        (np.array([0.0]), np.array([90.0])), (np.array([217.0]), np.array([90.0])), 1e-6
    )
    assert found == pytest.approx({(0, 0): 0.0}, abs=1e-9)


@pytest.mark.parametrize("radius", [0.0, -1.0, 1e5, float("nan")])
def test_a_radius_that_is_none(radius):
    with pytest.raises(ValueError, match="radius_arcsec"):
        make_zones(np.zeros(1), np.zeros(1), radius)
