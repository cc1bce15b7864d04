"""Skies for the tests of the cross-match, and a matcher that looks at every pair."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from zladder.catalogs.crossmatch import cross
from zladder.catalogs.match_read import Objects

ARCSEC = 1 / 3600
# Degrees whose low bits make ties and near-ties; the poles and ra = 0 among them.
ANGLES = (0.0, 1e-5, 2e-5, 359.99999, 360.0, 180.0, 90.0, 1e-4)
HEIGHTS = (90.0, -90.0, 89.99999, -89.99998, 0.0, 1e-5, -1e-5, 45.0, -2e-5)
CENTRES = ((0.0, 0.0), (359.9999, 60.0), (120.0, 89.9995), (10.0, -90.0), (200.0, -33.0))


@st.composite
def skies(draw, max_size=12):
    """Draw ra, dec (N,) with N from 0 on: special places, or a crowd about one, with copies."""
    if draw(st.booleans()):
        ra = draw(st.lists(st.sampled_from(ANGLES), max_size=max_size))
        dec = draw(st.lists(st.sampled_from(HEIGHTS), min_size=len(ra), max_size=len(ra)))
        return np.array(ra, float), np.array(dec, float)
    n, copies = draw(st.integers(0, max_size)), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ra0, dec0 = draw(st.sampled_from(CENTRES))
    spread = draw(st.sampled_from([0.3, 3.0, 40.0])) * ARCSEC
    dec = dec0 + rng.normal(0, spread, n)
    ra = ra0 + rng.normal(0, spread, n) / max(np.cos(np.deg2rad(dec0)), 1e-4)
    over = np.abs(dec) > 90
    dec = np.where(over, np.sign(dec) * 180 - dec, dec)
    again = rng.integers(0, max(n, 1), copies if n else 0)
    return np.append(ra, ra[again]) % 360, np.append(dec, dec[again])


def brute_force(ra_a, dec_a, ra_b, dec_b):
    """Return all separations, shape (N, M), in arcsec, by the haversine formula."""
    a, d, b, e = (np.deg2rad(np.asarray(x, float)) for x in (ra_a, dec_a, ra_b, dec_b))
    half = np.sin((e[None] - d[:, None]) / 2) ** 2
    half += np.cos(d)[:, None] * np.cos(e)[None] * np.sin((b[None] - a[:, None]) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(np.minimum(half, 1)))) * 3600


def objects(ra, dec, step=None):
    """Return a side in batches of so many rows."""
    rows = np.arange(len(ra))
    step = step or max(len(ra), 1)
    return [Objects(rows[k : k + step], ra[k : k + step], dec[k : k + step])
            for k in range(0, len(ra), step)]  # fmt: skip


def crossed(left, right, radius, step=None, *, left_streams=False):
    """Return all pairs of two skies."""
    return cross(objects(*left, step), objects(*right, step), radius, n_left=len(left[0]),
                 left_streams=left_streams)  # fmt: skip


def random_sky(rng, n, region):
    """Return ra, dec in degrees: the whole sky, or a crowded spot at a pole or at ra = 0."""
    if region == "all":
        return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    if region == "wrap":
        return rng.uniform(-0.01, 0.01, n) % 360, rng.uniform(-0.01, 0.01, n)
    return rng.uniform(0, 360, n), {"north": 1, "south": -1}[region] * rng.uniform(89.99, 90, n)
