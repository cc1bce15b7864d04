"""From all pairs to a match: modes, contests and losses, against a matcher that tries them all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, match_coordinates_sky
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.match_skies import ARCSEC, brute_force, crossed, random_sky, skies
from zladder.catalogs.match_read import Side
from zladder.catalogs.matching import choose, match_tables, pair_table
from zladder.provenance.errors import BadInput

LEFT, RIGHT = Side("left.csv"), Side("right.csv")
MODES = [("nearest", False), ("nearest", True), ("mutual", False), ("all", False)]


def expected(true, radius, mode, one_to_one):
    """Return the pairs of a match, in order, by looking at every separation."""
    pairs = [(a, b) for a, b in zip(*np.nonzero(true <= radius), strict=True)]
    pairs.sort(key=lambda pair: (pair[0], true[pair], pair[1]))
    if mode == "all":
        return pairs
    nearest = {}
    for a, b in pairs:
        nearest.setdefault(a, b)
    if mode == "mutual":
        turned = {}
        for a, b in sorted(pairs, key=lambda pair: (pair[1], true[pair], pair[0])):
            turned.setdefault(b, a)
        return [(a, b) for a, b in nearest.items() if turned[b] == a]
    if one_to_one:
        taken = {}
        for a, b in sorted(nearest.items(), key=lambda pair: (true[pair], pair[0])):
            taken.setdefault(b, a)
        return sorted((a, b) for b, a in taken.items())
    return list(nearest.items())


def exact(left, right):
    """Return separations that tell equals apart as the matcher does."""
    true = brute_force(*left, *right)
    # Two candidates so close to each other are ordered by rounding: no test of ours.
    apart = np.sort(np.abs(np.diff(np.sort(true.ravel()))))
    assume(not ((apart > 0) & (apart < 3e-9)).any())
    return true


@pytest.mark.parametrize(("mode", "one_to_one"), MODES)
@settings(max_examples=150, deadline=None)
@given(skies(), skies(), st.sampled_from([0.05, 1.0, 7.0]), st.integers(1, 14), st.booleans())
def test_same_as_brute_force(mode, one_to_one, left, right, radius, step, left_streams):
    true = exact(left, right)
    assume(not (np.abs(true - radius) < 1e-8).any())
    pairs = crossed(left, right, radius, step, left_streams=left_streams)
    found = pair_table(pairs, choose(pairs, mode, one_to_one=one_to_one).pairs)
    assert found["left_index"].dtype == found["right_index"].dtype == np.int64
    rows = list(zip(found["left_index"], found["right_index"], strict=True))
    assert rows == expected(true, radius, mode, one_to_one)


def test_a_pole_is_one_place_whatever_its_right_ascension():
    left = np.array([8.5565543]), np.array([-89.99999086])
    pole = np.array([0.0, 1e-4, 77.0, 180.0]), np.full(4, -90.0)
    pairs = crossed(left, pole, 0.05)
    assert len(set(pairs.haversine)) == 1
    found = pair_table(pairs, choose(pairs, "nearest", one_to_one=False).pairs)
    assert found["right_index"].tolist() == [0]  # of equals the first


@pytest.mark.parametrize("region", ["all", "wrap", "north", "south"])
@pytest.mark.parametrize(("n_left", "n_right"), [(1000, 4000), (4000, 1000)])
def test_nearest_is_astropys_whichever_side_is_larger(region, n_left, n_right):
    rng = np.random.default_rng(3)
    left, right = random_sky(rng, n_left, region), random_sky(rng, n_right, region)
    radius = 3600.0 if region == "all" else 1.0
    sky = [SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (left, right)]
    index, angle, _ = match_coordinates_sky(*sky)
    within = np.flatnonzero(angle.arcsec <= radius)
    assert 50 < len(within) < n_left
    for left_streams in (False, True):
        pairs = crossed(left, right, radius, 300, left_streams=left_streams)
        found = pair_table(pairs, choose(pairs, "nearest").pairs)
        np.testing.assert_array_equal(found["left_index"], within)
        np.testing.assert_array_equal(found["right_index"], index[within])
        np.testing.assert_allclose(found["separation_arcsec"], angle.arcsec[within],
                                   rtol=1e-6, atol=1e-9)  # fmt: skip


def table(ra_dec_arcsec, **columns):
    frame = pd.DataFrame(np.reshape(ra_dec_arcsec, (-1, 2)) * ARCSEC, columns=["ra", "dec"])
    return frame.assign(**columns)


# right 0 is wanted by left 0 (0.5 away) and left 1 (0.25 away); left 2 has two candidates; left 3
# has nobody; left 4 prefers right 3, to which left 5, whose nearest is right 4, is nearer.
RIGHTS = table([[100, 0], [200, 0], [200, 0.75], [300, 0], [300, 0.4]])
LEFTS = table([[100, 0.5], [100, 0.25], [200, 0.25], [500, 0], [300, -0.3], [300, 0.22]])


@pytest.mark.parametrize(
    ("mode", "one_to_one", "pairs", "n_contested"),
    [
        ("nearest", False, [(0, 0), (1, 0), (2, 1), (4, 3), (5, 4)], 0),
        ("nearest", True, [(1, 0), (2, 1), (4, 3), (5, 4)], 1),
        ("mutual", False, [(1, 0), (2, 1), (5, 4)], 2),
        ("all", False, [(0, 0), (1, 0), (2, 1), (2, 2), (4, 3), (4, 4), (5, 4), (5, 3)], 0),
    ],
)
def test_the_modes_by_hand(mode, one_to_one, pairs, n_contested):
    found, quality = match_tables(LEFTS, RIGHTS, 1.0, LEFT, RIGHT, mode, one_to_one=one_to_one)
    assert list(zip(found["left_index"], found["right_index"], strict=True)) == pairs
    counts = quality["counts"]
    assert (counts["n_left"], counts["n_right"], counts["n_pairs"]) == (6, 5, len(pairs))
    assert (counts["n_no_neighbour"], counts["n_contested"]) == (1, n_contested)
    assert counts["n_matched"] == 5 - n_contested
    assert counts["n_left_by_candidates"] == [1, 2, 3, 0]
    assert counts["n_ambiguous"] == (2 if mode == "mutual" else 3)
    assert counts["n_right_shared"] == {"nearest": int(not one_to_one), "all": 3}.get(mode, 0)


def test_of_equals_the_first_row_is_taken():
    same = table([[10, 0], [10, 0], [10, 0]])
    all_take_it = [(0, 0), (1, 0), (2, 0)]
    for mode, one_to_one, pairs in (("nearest", False, all_take_it), ("nearest", True, [(0, 0)]),
                                    ("mutual", False, [(0, 0)])):  # fmt: skip
        found, _ = match_tables(same, same, 1.0, LEFT, RIGHT, mode, one_to_one=one_to_one)
        assert list(zip(found["left_index"], found["right_index"], strict=True)) == pairs


@pytest.mark.parametrize("mode", ["nearest", "mutual", "all"])
@pytest.mark.parametrize(("left", "right"), [(LEFTS[:0], RIGHTS), (LEFTS, RIGHTS[:0]),
                                             (LEFTS[:0], RIGHTS[:0])])  # fmt: skip
def test_an_empty_side_gives_no_pairs(mode, left, right):
    found, quality = match_tables(left, right, 1.0, LEFT, RIGHT, mode)
    assert found.columns.tolist() == ["left_index", "right_index", "separation_arcsec"]
    assert (len(found), quality["counts"]["n_no_neighbour"]) == (0, len(left))
    assert quality["separations"]["quantiles_arcsec"]["0.5"] is None
    assert quality["false"]["false_share"] is None


def test_only_what_the_condition_holds_of_is_matched():
    right = RIGHTS.assign(isprimary=[False, True, True, True, True])
    side = Side("right.csv", keep="isprimary == True")
    found, quality = match_tables(LEFTS, right, 1.0, LEFT, side)
    assert found["left_index"].tolist() == [2, 4, 5]
    assert found["right_index"].tolist() == [1, 3, 4]  # rows of the whole table
    counts = quality["counts"]
    assert (counts["n_right"], counts["n_right_not_candidates"]) == (5, 1)
    for keep, place in (("isprimary == 3", "keep"), ("primary == 1", "column 'primary'")):
        with pytest.raises(BadInput) as caught:
            match_tables(LEFTS, right, 1.0, LEFT, Side("right.csv", keep=keep))
        assert caught.value.place == place


def test_errors_give_the_normalised_separation():
    left = table([[0, 0], [100, 0]], e=[0.3, 0.6])
    right = table([[0, 1.0], [100, 0.5]], s=[0.4, 0.8])
    sides = Side("l", error="e"), Side("r", error="s")
    found, quality = match_tables(left, right, 2.0, *sides)
    np.testing.assert_allclose(found["separation_sigma"], [2.0, 0.5], rtol=1e-9)
    assert sum(quality["normalised"]["found"]) == 2
    assert not quality["separations"]["sigma_fitted"]
    found, _ = match_tables(left, right, 2.0, Side("l", error="e"), Side("r"))
    assert "separation_sigma" not in found


def test_what_cannot_be_asked():
    for radius, mode, place in ((1.0, "closest", "mode"), (0.0, "nearest", "radius-arcsec"),
                                (np.nan, "nearest", "radius-arcsec"),
                                (1e4, "nearest", "radius-arcsec")):  # fmt: skip
        with pytest.raises(BadInput) as caught:
            match_tables(LEFTS, RIGHTS, radius, LEFT, RIGHT, mode)
        assert caught.value.place == place
    for mode in ("mutual", "all"):
        with pytest.raises(BadInput, match="one-to-one"):
            match_tables(LEFTS, RIGHTS, 1.0, LEFT, RIGHT, mode, one_to_one=True)


@pytest.mark.parametrize(("present", "place"), [(["ra"], "column 'dec'"), ([], "column 'ra'")])
def test_tables_without_positions(present, place):
    bad = LEFTS[present].assign(mag_r=17.0)
    for left, right in ((bad, RIGHTS), (RIGHTS, bad)):
        sides = [Side("bad" if frame is bad else "good") for frame in (left, right)]
        with pytest.raises(BadInput) as caught:
            match_tables(left, right, 1.0, *sides)
        assert (caught.value.file, caught.value.place) == ("bad", place)
