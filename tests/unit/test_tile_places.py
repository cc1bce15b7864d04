"""A galaxy lies in the tile that holds it deepest, however many tiles and galaxies there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from deep_files import CFHTLS, write_tile

from zladder.cutouts import tile_places
from zladder.cutouts.tile_places import place_in_tiles

# Overlapping ones on a staircase, one across 0 h, one at the pole; their sky, deg.
SIDE, STEP = 64, 48 * 0.186 / 3600
SKIES = [(35.5 + k * STEP, 0.2 + k * STEP / 7) for k in range(4)] + [(0.0, -4.5), (10.0, 89.999)]


@pytest.fixture
def tiles(tmp_path):
    """Their names and world coordinates, by name."""
    image = np.zeros((SIDE, SIDE), dtype=np.float32)
    found = {}
    for number, sky in enumerate(SKIES):
        name = f"CFHTLS_W_r_{number}_T0007_MEDIAN.fits"
        path = write_tile(tmp_path / name, image, "r", sky)
        found[name.replace("_r_", "_{band}_")] = WCS(fits.getheader(path))
    return found


def galaxies() -> pd.DataFrame:
    """Galaxies about each tile, some off it, their antipodes, and some anywhere."""
    draw = np.random.default_rng(4)
    ra, dec = [draw.uniform(0, 360, 200)], [np.degrees(np.arcsin(draw.uniform(-1, 1, 200)))]
    for sky in SKIES:
        middle = SkyCoord(*sky, unit="deg")
        turn, away = draw.uniform(0, 360, 300) * u.deg, draw.uniform(0, 13, 300) * u.arcsec
        around = middle.directional_offset_by(turn, away)
        ra += [around.ra.deg, (around.ra.deg[:30] + 180) % 360]
        dec += [around.dec.deg, -around.dec.deg[:30]]
    ra, dec = np.concatenate(ra), np.concatenate(dec)
    return pd.DataFrame({"object_id": np.arange(len(ra)), "ra": ra, "dec": dec})


def deepest_tile(table: pd.DataFrame, tiles: dict[str, WCS]) -> list[str]:
    """Return the tile of each galaxy, "" of one in none: by astropy, all galaxies in all tiles."""
    sky = SkyCoord(table["ra"].to_numpy(), table["dec"].to_numpy(), unit="deg")
    depths = []
    for wcs in tiles.values():
        x, y = wcs.world_to_pixel_values(table["ra"], table["dec"])
        depth = np.min([x + 0.5, SIDE - 0.5 - x, y + 0.5, SIDE - 0.5 - y], axis=0)
        far = sky.separation(SkyCoord(*wcs.wcs.crval, unit="deg")).deg > 1
        depths.append(np.where(far, -np.inf, depth))
    names = np.array(list(tiles), dtype=object)[np.argmax(depths, axis=0)]
    return np.where(np.max(depths, axis=0) > 0, names, "").tolist()


def test_every_galaxy_lies_where_astropy_finds_it_deepest(tiles, tmp_path):
    table = galaxies()
    expected = deepest_tile(table, tiles)
    placed, lost = place_in_tiles(table, tmp_path, CFHTLS, "PRIMARY", 0)
    found = dict(zip(placed["object_id"], placed["tile"], strict=True))
    found |= {loss.object_id: "" for loss in lost}
    assert [found[one] for one in table["object_id"]] == expected
    assert set(expected) == {*tiles, ""}
    assert all(loss.error.place == f"object_id {loss.object_id}" for loss in lost)


def test_a_tile_looks_at_the_galaxies_near_it_only(tiles, tmp_path, monkeypatch):
    """Of 2,180 galaxies and six tiles: each position once, and five for a tile."""
    seen = []
    vectors = tile_places._vectors

    def counted(ra, dec):
        seen.append(len(ra))
        return vectors(ra, dec)

    monkeypatch.setattr(tile_places, "_vectors", counted)
    table = galaxies()
    place_in_tiles(table, tmp_path, CFHTLS, "PRIMARY", 0)
    assert sum(seen) == len(table) + 5 * len(tiles)


def test_no_galaxy_is_no_fault(tiles, tmp_path):
    placed, lost = place_in_tiles(galaxies()[:0], tmp_path, CFHTLS, "PRIMARY", 0)
    assert (len(placed), list(placed), lost) == (0, ["object_id", "ra", "dec", "tile"], [])
