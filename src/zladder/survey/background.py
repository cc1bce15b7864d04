"""Unlisted galaxies and stars where there are images, so that all are equally crowded.

The wide field's catalogue holds what is useful, a few hundred objects in a square degree; its
images would be nearly empty. The deep field's holds what is bright enough for many bands, and of
that as many as labels were asked for. Here the rest of the sky comes in, at its real density: over
the tiles, and around each galaxy that gets a cutout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zladder.survey.collecting import Sky, draw_chunk
from zladder.survey.geometry import ARCSEC_PER_DEG, Field, displaced, unit_vectors
from zladder.survey.observing import Seen, join_seen
from zladder.survey.stars import seen_stars
from zladder.survey.streams import generator
from zladder.survey.tiles import LAYERS, MARGIN_ARCSEC, Tile
from zladder.universe.instruments import Instrument
from zladder.universe.morphology import Shapes, draw_shapes, join_shapes
from zladder.universe.population import make_pool

TILE_STREAMS, SHAPE_STREAMS = (0, 2), (5, 8)  # of the wide tile and the deep one
BLOCK = 64  # cutouts whose surroundings are drawn together, whether all of them are wanted or not

Array = NDArray[np.float64]
# which of some objects no catalogue of the deep field has; draws a number an object
Missing = Callable[[np.random.Generator, Seen], NDArray[np.bool_]]


@dataclass(frozen=True)
class Shaped:
    """N objects and their shapes (NaN for stars)."""

    seen: Seen
    shapes: Shapes

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Shaped:
        """Return some rows."""
        return Shaped(self.seen.part(rows), self.shapes.part(rows))


def join_shaped(parts: list[Shaped]) -> Shaped:
    """Return several sets as one, in order."""
    return Shaped(
        join_seen([part.seen for part in parts]), join_shapes([part.shapes for part in parts])
    )


def shaped(sky: Sky, settings: Mapping[str, Any], seen: Seen, *counters: int) -> Shaped:
    """Give objects their shapes, which every survey that sees them shares; stars get NaN."""
    rng = generator(sky.seed, "shapes", *counters)
    shapes = draw_shapes(rng, settings["morphology"], seen.galaxies)
    star = np.isnan(seen.galaxies.z)
    columns = (getattr(shapes, field.name) for field in fields(Shapes))
    return Shaped(seen, Shapes(*(np.where(star, np.nan, column) for column in columns)))


def missing_in(
    field: Field, listed_share: float, star_share: float, limit_i_mag: float, i_band: int
) -> Missing:
    """Return the rule that leaves the room in the deep field that its listed objects take.

    Parameters
    ----------
    field
        The deep field; elsewhere everything is missing.
    listed_share, star_share
        How dense its listed galaxies brighter than the limit are, and its stars, relative to the
        real sky.
    limit_i_mag
        The many-band catalogue's limit; all fainter galaxies are missing.
    i_band
        The column of i.
    """

    def missing(rng: np.random.Generator, seen: Seen) -> NDArray[np.bool_]:
        there = np.where(seen.dimmed[:, i_band] < limit_i_mag, listed_share, 0.0)
        there[np.isnan(seen.galaxies.z)] = star_share
        there[~field.contains(seen.ra, seen.dec)] = 0.0
        return rng.random(len(there)) >= there

    return missing


def tile_background(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, tile: Tile, missing: Missing
) -> Shaped:
    """Return unlisted objects over a tile and the margin around it."""
    number = LAYERS.index(tile.layer)
    rng = generator(sky.seed, "background", TILE_STREAMS[number])
    margin = MARGIN_ARCSEC / tile.plane.pixel_arcsec
    side = tile.size_pixels + 2 * margin
    area_deg2 = (side * tile.plane.pixel_arcsec / ARCSEC_PER_DEG) ** 2
    counts = rng.poisson([area_deg2 * one for one in _per_deg2(settings, hsc)])

    def place(n: int) -> tuple[Array, Array]:
        return tile.plane.to_sky(*(side * rng.random((2, n)) - 0.5 - margin))

    seen = _drawn(sky, settings, hsc, rng, [place(n) for n in counts.tolist()])
    all_of_them = shaped(sky, settings, seen, SHAPE_STREAMS[number])
    return all_of_them.part(missing(rng, seen))


def stamp_background(
    sky: Sky,
    settings: Mapping[str, Any],
    hsc: Instrument,
    hosts: tuple[Array, Array],
    side_arcsec: float,
    missing: Missing,
) -> Shaped | None:
    """Return unlisted objects in boxes around positions (ra, dec in degrees), None without hosts.

    What stands around a host depends on its number and on earlier hosts nearby, not on how many
    follow: where boxes overlap the first one fills both.
    """
    parts = [
        _block_background(sky, settings, hsc, hosts, side_arcsec, block, missing)
        for block in range(-(-len(hosts[0]) // BLOCK))
    ]
    return join_shaped(parts) if parts else None


def _block_background(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, hosts: tuple[Array, Array],
    side_arcsec: float, block: int, missing: Missing,
) -> Shaped:  # fmt: skip
    """Draw around `BLOCK` hosts, and keep what stands around those that there are."""
    rng = generator(sky.seed, "background", 1, block)
    n_hosts = len(hosts[0])
    area_deg2 = (side_arcsec / ARCSEC_PER_DEG) ** 2
    first = block * BLOCK
    chosen = [
        first + np.repeat(np.arange(BLOCK), rng.poisson(area_deg2 * density, BLOCK))
        for density in _per_deg2(settings, hsc)
    ]

    def place(host: NDArray[np.int64]) -> tuple[Array, Array]:
        east, north = side_arcsec * (rng.random((2, len(host))) - 0.5)
        there = np.minimum(host, n_hosts - 1)
        return displaced(hosts[0][there], hosts[1][there], east, north)

    seen = _drawn(sky, settings, hsc, rng, [place(host) for host in chosen])
    all_of_them = shaped(sky, settings, seen, 6, block)
    host = np.concatenate(chosen)
    own = host == _first_box(hosts, side_arcsec, seen.ra, seen.dec, host)
    return all_of_them.part(missing(rng, seen) & own & (host < n_hosts))


def _first_box(
    hosts: tuple[Array, Array], side_arcsec: float, ra: Array, dec: Array, own: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first host in whose box each object stands: its own one or an earlier one."""
    diagonal = 2 * np.sin(np.radians(np.sqrt(0.5) * side_arcsec / ARCSEC_PER_DEG) / 2)
    near = cKDTree(unit_vectors(*hosts)).query_ball_point(unit_vectors(ra, dec), 1.01 * diagonal)
    counts = [len(one) for one in near]
    rows = np.repeat(np.arange(len(ra)), counts)
    candidates = np.array([host for one in near for host in one], dtype=np.int64)
    host_ra, host_dec = hosts[0][candidates], hosts[1][candidates]
    turn = (ra[rows] - host_ra + 180.0) % 360.0 - 180.0
    east = turn * np.cos(np.radians(host_dec)) * ARCSEC_PER_DEG
    north = (dec[rows] - host_dec) * ARCSEC_PER_DEG
    inside = np.maximum(np.abs(east), np.abs(north)) < side_arcsec / 2
    first = own.copy()
    np.minimum.at(first, rows[inside], candidates[inside])
    return first


def _per_deg2(settings: Mapping[str, Any], hsc: Instrument) -> tuple[float, float]:
    """Return how many galaxies and stars there are in a square degree."""
    block = settings["background"]
    pool = make_pool(hsc.table, settings["population"], "i", block["limit_i_mag"])
    return pool.per_deg2, block["stars_per_deg2"]


def _drawn(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, rng: np.random.Generator,
    positions: list[tuple[Array, Array]],
) -> Seen:  # fmt: skip
    """Return galaxies at the first positions, then stars at the second."""
    block = settings["background"]
    pool = make_pool(hsc.table, settings["population"], "i", block["limit_i_mag"])
    galaxies, stars = positions
    seen = draw_chunk(sky, rng, pool, hsc, lambda _rng, _n: galaxies, len(galaxies[0]))
    points = seen_stars(rng, hsc, sky.dust, stars, block["star_i_mag"])
    return join_seen([seen, points])
