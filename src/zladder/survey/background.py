"""Unlisted galaxies and stars where the wide field has images.

Its catalogue holds what is useful, a few hundred objects in a square degree; the images would be
nearly empty. Here the rest of the sky comes in, at its real density: over the wide tile, and
around each galaxy that gets a cutout. The deep field's own objects are dense enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.collecting import Sky, draw_chunk
from zladder.survey.geometry import ARCSEC_PER_DEG, displaced
from zladder.survey.observing import Seen, join_seen
from zladder.survey.stars import seen_stars
from zladder.survey.streams import generator
from zladder.survey.tiles import MARGIN_ARCSEC, Tile
from zladder.universe.instruments import Instrument
from zladder.universe.morphology import Shapes, draw_shapes, join_shapes
from zladder.universe.population import make_pool

BLOCK = 64  # cutouts whose surroundings are drawn together, whether all of them are wanted or not

Array = NDArray[np.float64]


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


def tile_background(sky: Sky, settings: Mapping[str, Any], hsc: Instrument, tile: Tile) -> Shaped:
    """Return unlisted objects over a tile and the margin around it."""
    rng = generator(sky.seed, "background", 0)
    margin = MARGIN_ARCSEC / tile.plane.pixel_arcsec
    side = tile.size_pixels + 2 * margin
    area_deg2 = (side * tile.plane.pixel_arcsec / ARCSEC_PER_DEG) ** 2
    counts = rng.poisson([area_deg2 * one for one in _per_deg2(settings, hsc)])

    def place(n: int) -> tuple[Array, Array]:
        return tile.plane.to_sky(*(side * rng.random((2, n)) - 0.5 - margin))

    seen = _drawn(sky, settings, hsc, rng, [place(n) for n in counts.tolist()])
    return shaped(sky, settings, seen, 5)


def stamp_background(
    sky: Sky,
    settings: Mapping[str, Any],
    hsc: Instrument,
    hosts: tuple[Array, Array],
    side_arcsec: float,
) -> Shaped | None:
    """Return unlisted objects in boxes around positions (ra, dec in degrees), None without hosts.

    What stands around a host depends on its number alone, not on how many there are.
    """
    parts = [
        _block_background(sky, settings, hsc, (ra, dec), side_arcsec, block)
        for block, (ra, dec) in enumerate(_blocks(*hosts))
    ]
    return join_shaped(parts) if parts else None


def _blocks(ra: Array, dec: Array) -> list[tuple[Array, Array]]:
    starts = range(0, len(ra), BLOCK)
    return [(ra[start : start + BLOCK], dec[start : start + BLOCK]) for start in starts]


def _block_background(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, hosts: tuple[Array, Array],
    side_arcsec: float, block: int,
) -> Shaped:  # fmt: skip
    """Draw around `BLOCK` hosts, and keep what stands around those that there are."""
    rng = generator(sky.seed, "background", 1, block)
    n_hosts = len(hosts[0])
    area_deg2 = (side_arcsec / ARCSEC_PER_DEG) ** 2
    chosen = [
        np.repeat(np.arange(BLOCK), rng.poisson(area_deg2 * density, BLOCK))
        for density in _per_deg2(settings, hsc)
    ]

    def place(host: NDArray[np.int64]) -> tuple[Array, Array]:
        east, north = side_arcsec * (rng.random((2, len(host))) - 0.5)
        there = np.minimum(host, n_hosts - 1)
        return displaced(hosts[0][there], hosts[1][there], east, north)

    seen = _drawn(sky, settings, hsc, rng, [place(host) for host in chosen])
    all_of_them = shaped(sky, settings, seen, 6, block)
    return all_of_them.part(np.concatenate(chosen) < n_hosts)


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
