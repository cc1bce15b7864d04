"""All pairs of two lists of positions within a radius, by zones of declination.

One side is sorted by zone and by right ascension in it; the other asks, for each of its objects,
for a stretch of right ascension in one zone, or in two at a zone's edge. There are no trees, and
the side that asks may come in blocks of any size. After Gray, Nieto-Santisteban & Szalay (2006,
Microsoft Research technical report MSR-TR-2006-52).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zladder.catalogs.match_sieve import Sieve, make_sieve, may_match

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

ARCSEC_PER_DEG = 3600.0
ARCSEC_PER_RADIAN = 3600.0 * 180.0 / np.pi
# A zone of eight radii: one object in four asks in two zones, and one candidate in five is a pair.
_ZONE_RADII = 8.0
# Least height: with more zones than these the key would no longer tell right ascensions apart.
_ZONE_LEAST_ARCSEC = 8.0
_STRIDE_DEG = 512.0  # from zone to zone in the key, more than a whole circle
# A key is exact to 4e-9 deg: the stretch asked for is so much wider, distances decide in the end.
_PAD_DEG = 3e-8
_AROUND_DEG = 360.0  # half a stretch that reaches all around from anywhere
_BLOCK = 1 << 21  # candidates whose distances are computed at a time
LARGEST_RADIUS_ARCSEC = 10 * ARCSEC_PER_DEG


@dataclass(frozen=True)
class Zones:
    """N positions in the order of their key.

    Attributes
    ----------
    ra, dec
        Degrees.
    rows
        Where each of them stood in the list.
    keys
        Shape (N + 1,): zone times the stride plus right ascension; the last is inf.
    height_deg, radius_arcsec
        Of a zone; of the search.
    half_widths_deg
        Half of the stretch of right ascension to ask for, of each zone.
    sieve
        Says who need not ask; None where too many would have to.
    """

    ra: Array
    dec: Array
    rows: Rows
    keys: Array
    height_deg: float
    radius_arcsec: float
    half_widths_deg: Array
    sieve: Sieve | None


class Pairs(NamedTuple):
    """P pairs: rows of the zones' side, rows of the asking side, haversines (`haversine`)."""

    here: Rows
    there: Rows
    haversine: Array

    def part(self, some: Rows) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.here[some], self.there[some], self.haversine[some])


def make_zones(ra: Array, dec: Array, radius_arcsec: float) -> Zones:
    """Return N positions (degrees, ra in [0, 360]) ready to be asked for neighbours.

    Raises
    ------
    ValueError
        A radius that is not positive, or above ten degrees.
    """
    if not 0 < radius_arcsec <= LARGEST_RADIUS_ARCSEC:
        message = f"radius_arcsec must lie in (0, {LARGEST_RADIUS_ARCSEC:g}], not {radius_arcsec}"
        raise ValueError(message)
    height_deg = max(_ZONE_RADII * radius_arcsec, _ZONE_LEAST_ARCSEC) / ARCSEC_PER_DEG
    half_widths = _half_widths_deg(height_deg, radius_arcsec)
    ra = np.where(ra < 360.0, ra, 0.0)
    zone, below, above = _places(dec, height_deg, radius_arcsec)
    near_edge = np.zeros(len(zone), dtype=np.int64)
    near_edge[below], near_edge[above] = -1, 1
    radius_deg = radius_arcsec / ARCSEC_PER_DEG
    sieve = make_sieve(zone, ra, near_edge, half_widths, radius_deg)
    keys = zone * _STRIDE_DEG + ra
    rows = np.argsort(keys)
    return Zones(ra[rows], dec[rows], rows, np.append(keys[rows], np.inf), height_deg,
                 radius_arcsec, half_widths, sieve)  # fmt: skip


def close_pairs(zones: Zones, ra: Array, dec: Array) -> Pairs:
    """Return all pairs of the zones' objects and M asking ones that the radius does not part.

    The haversine of a pair depends on its two positions alone, whichever side asks and whatever
    stands beside it.
    """
    ra = np.where(ra < 360.0, ra, 0.0)
    zone = np.floor((dec + 90.0) / zones.height_deg)
    key = zone * _STRIDE_DEG + ra
    if zones.sieve is None:
        # In the order of the keys neighbours in the list ask for neighbours in memory.
        asking = np.argsort(key)
    else:
        asking = may_match(zones.sieve, zone.astype(np.int64), ra)
        asking = asking[np.argsort(key[asking])]
    ra, dec = ra[asking], dec[asking]
    found = [_pairs_of(zones, ra, dec, *stretch) for stretch in _stretches(zones, ra, dec)]
    here, there, between = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Pairs(here, asking[there], between)


def haversine(ra: Array, dec: Array, ra_2: Array, dec_2: Array) -> Array:
    """Return sin²(separation / 2) of positions in degrees: exact for the nearest of pairs."""
    turn = np.abs(ra - ra_2)
    turn = np.minimum(turn, 360.0 - turn)
    across, up = np.sin(np.deg2rad(turn) / 2), np.sin(np.deg2rad(dec - dec_2) / 2)
    # cos(dec) as a sine is 0 at a pole, where every right ascension is the same place.
    to_pole, to_pole_2 = (np.sin(np.deg2rad(90.0 - np.abs(part))) for part in (dec, dec_2))
    return up * up + to_pole * to_pole_2 * (across * across)


def separation_arcsec(haversines: Array) -> Array:
    """Return the angles of haversines."""
    return 2.0 * np.arcsin(np.sqrt(np.minimum(haversines, 1.0))) * ARCSEC_PER_RADIAN


def haversine_of(angle_arcsec: float) -> float:
    """Return the haversine of an angle."""
    return float(np.sin(angle_arcsec / ARCSEC_PER_RADIAN / 2) ** 2)


def _places(dec: Array, height_deg: float, radius_arcsec: float) -> tuple[Rows, Rows, Rows]:
    """Return the zone of each position, and who can see into the zone below, and above."""
    place = (dec + 90.0) / height_deg
    zone = np.floor(place)
    place -= zone
    edge = (radius_arcsec / ARCSEC_PER_DEG + _PAD_DEG) / height_deg
    return zone.astype(np.int64), np.flatnonzero(place < edge), np.flatnonzero(place > 1 - edge)


def _half_widths_deg(height_deg: float, radius_arcsec: float) -> Array:
    """Return for each zone how far in ra a neighbour can be, seen from anywhere in the zone.

    That is arcsin(sin r / cos dec) where the pole is farther away than r, else all around.
    """
    edges = np.arange(int(180.0 / height_deg) + 2) * height_deg - 90.0
    highest = np.minimum(np.maximum(np.abs(edges), np.abs(edges + height_deg)), 90.0)
    radius = radius_arcsec / ARCSEC_PER_RADIAN
    room = np.cos(np.deg2rad(highest))
    polar = highest + radius_arcsec / ARCSEC_PER_DEG >= 90.0 - _PAD_DEG
    ratio = np.divide(np.sin(radius), room, out=np.ones_like(room), where=~polar)
    return np.where(polar, _AROUND_DEG, np.rad2deg(np.arcsin(np.minimum(ratio, 1.0))) + _PAD_DEG)


def _stretches(zones: Zones, ra: Array, dec: Array) -> list[tuple[Rows | slice, Array, Array]]:
    """Return what to ask for: rows, first key, last key; several where it wraps or has an edge."""
    zone, below, above = _places(dec, zones.height_deg, zones.radius_arcsec)
    half_width = zones.half_widths_deg[zone]
    first: Array = ra - half_width
    last: Array = ra + half_width
    stretches: list[tuple[Rows | slice, Array, Array]] = []
    for rows, step in ((slice(None), 0), (below, -1), (above, 1)):
        base = (zone[rows] + step) * _STRIDE_DEG
        start, stop = first[rows], last[rows]
        stretches.append((rows, base + start.clip(0.0), base + stop.clip(None, 360.0)))
        # What reaches beyond 0 or 360 asks at the other end too, unless it asks all around.
        around = half_width[rows] >= _AROUND_DEG
        west, east = np.flatnonzero((start < 0) & ~around), np.flatnonzero((stop > 360) & ~around)
        for some, begin, end in ((west, start[west] + 360.0, np.full(len(west), 360.0)),
                                 (east, np.zeros(len(east)), stop[east] - 360.0)):  # fmt: skip
            if some.size:
                whose = some if isinstance(rows, slice) else rows[some]
                stretches.append((whose, base[some] + begin, base[some] + end))
    return stretches


def _pairs_of(
    zones: Zones, ra: Array, dec: Array, rows: Rows | slice, first: Array, last: Array
) -> Pairs:
    """Return the pairs of objects with what stands between two keys."""
    start = np.searchsorted(zones.keys, first)
    hits = np.flatnonzero(zones.keys[start] <= last)
    start = start[hits]
    stop = np.searchsorted(zones.keys, last[hits], side="right")
    asking = hits if isinstance(rows, slice) else rows[hits]
    found = [
        _near(zones, ra, dec, asking[part], start[part], stop[part])
        for part in _blocks(stop - start)
    ]
    return Pairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _blocks(counts: Rows) -> list[slice]:
    """Return slices of objects with about so many candidates together; one at least."""
    if not len(counts):
        return [slice(0, 0)]
    block = (np.cumsum(counts) - counts) // _BLOCK
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(counts)], strict=True)]


def _near(zones: Zones, ra: Array, dec: Array, asking: Rows, start: Rows, stop: Rows) -> Pairs:
    counts = stop - start
    before = np.cumsum(counts) - counts
    here = np.arange(counts.sum()) + np.repeat(start - before, counts)
    there = np.repeat(asking, counts)
    between = haversine(zones.ra[here], zones.dec[here], ra[there], dec[there])
    near = np.flatnonzero(between <= haversine_of(zones.radius_arcsec))
    return Pairs(zones.rows[here[near]], there[near], between[near])
