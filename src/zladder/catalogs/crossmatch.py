"""All pairs of two catalogues within a radius; the bigger side streams, at flat memory.

Beside the real pairs those are found that the left objects would have some radii away from their
places, where nothing of theirs can be: the strangers of `match_false`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zladder.catalogs.match_read import Objects
from zladder.catalogs.match_zones import ARCSEC_PER_RADIAN, close_pairs, make_zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zladder.catalogs.match_zones import Array, Pairs, Rows

DIRECTIONS = 8  # of the offset places, evenly around
OFFSET_RADII = 10.0  # their distance: places of one object lie 7.6 radii apart, none overlap
MOST_PLACES = 200_000  # beyond these a part of the left objects, evenly taken, is offset
MAG_STEP, MAG_BINS = 0.5, 80  # of the completeness: from 0 to 40 mag


class Strangers(NamedTuple):
    """What was found at the offset places: the place and the right row of each pair."""

    place: Rows
    right: Rows
    haversine: Array


@dataclass(frozen=True)
class Crossed:
    """All P pairs of two sides, in no order, and the strangers.

    Attributes
    ----------
    left, right
        Rows in the files.
    haversine
        Of their separations.
    error_arcsec
        Of the separation along each axis, both sides' in quadrature; None without errors.
    left_magnitude, right_magnitude
        Of the pairs' objects; None where no column was named.
    n_left, n_right
        Objects that took part.
    by_magnitude
        Shape (2, MAG_BINS): objects of either side in each bin of magnitude.
    strangers, n_places
        Pairs at offset places; how many places.
    """

    left: Rows
    right: Rows
    haversine: Array
    error_arcsec: Array | None
    left_magnitude: Array | None
    right_magnitude: Array | None
    n_left: int
    n_right: int
    by_magnitude: Rows
    strangers: Strangers
    n_places: int


def cross(
    left: Iterable[Objects], right: Iterable[Objects], radius_arcsec: float, *,
    n_left: int, left_streams: bool,
) -> Crossed:  # fmt: skip
    """Return all pairs within the radius.

    Parameters
    ----------
    left, right
        Batches. Those of one side are taken together into memory, the other side's one by one.
    radius_arcsec
        Largest separation, included.
    n_left
        How many left objects there will be, about: it says how many of them are offset.
    left_streams
        Whether the left side is the one that streams; the bigger one should. The pairs are the
        same either way, and whatever the batches.
    """
    stride = max(1, -(-DIRECTIONS * n_left // MOST_PLACES))
    held = gather(right if left_streams else left)
    passing = _Passing()
    if left_streams:
        n_places, zones = 0, make_zones(held.ra, held.dec, radius_arcsec)
        for batch in left:
            passing.meet(batch, close_pairs(zones, batch.ra, batch.dec))
            places, _, _ = offset_places(batch, stride, radius_arcsec)
            found = close_pairs(zones, places.ra, places.dec)
            passing.strange.append(
                Strangers(n_places + found.there, held.rows[found.here], found.haversine)
            )
            n_places += len(places.rows)
    else:
        places, _, _ = offset_places(held, stride, radius_arcsec)
        n_places, n_held = len(places.rows), len(held.rows)
        ra, dec = np.append(held.ra, places.ra), np.append(held.dec, places.dec)
        zones = make_zones(ra, dec, radius_arcsec)
        for batch in right:
            found = close_pairs(zones, batch.ra, batch.dec)
            real = found.here < n_held
            passing.meet(batch, found.part(np.flatnonzero(real)))
            odd = found.part(np.flatnonzero(~real))
            passing.strange.append(
                Strangers(odd.here - n_held, batch.rows[odd.there], odd.haversine)
            )
    return _crossed(held, passing, n_places, left_streams=left_streams)


class _Passing:
    """What is kept of the batches that pass: their part of each pair, and counts."""

    def __init__(self) -> None:
        self.n = 0
        self.met: list[tuple[Rows, Rows, Array, Array | None, Array | None]] = []
        self.strange: list[Strangers] = []
        self.by_magnitude = np.zeros(MAG_BINS, np.int64)

    def meet(self, batch: Objects, pairs: Pairs) -> None:
        """Keep a batch's pairs: the held side's index, and row, error and magnitude of its own."""
        self.n += len(batch.rows)
        self.by_magnitude += count_magnitudes(batch.magnitude)
        error, magnitude = (None if column is None else column[pairs.there]
                            for column in (batch.error_arcsec, batch.magnitude))  # fmt: skip
        self.met.append((pairs.here, batch.rows[pairs.there], pairs.haversine, error, magnitude))


def _crossed(held: Objects, passing: _Passing, n_places: int, *, left_streams: bool) -> Crossed:
    index, rows, haversines, error, magnitude = _joined(passing.met, 5)
    held_error, held_magnitude = (None if column is None else column[index]
                                  for column in (held.error_arcsec, held.magnitude))  # fmt: skip
    both = None if error is None or held_error is None else np.hypot(error, held_error)
    there = (rows, magnitude, passing.n, passing.by_magnitude)
    here = (held.rows[index], held_magnitude, len(held.rows), count_magnitudes(held.magnitude))
    left, right = (there, here) if left_streams else (here, there)
    return Crossed(
        left=left[0], right=right[0], haversine=haversines,
        error_arcsec=both,
        left_magnitude=left[1], right_magnitude=right[1], n_left=left[2], n_right=right[2],
        by_magnitude=np.stack([left[3], right[3]]),
        strangers=Strangers(*_joined(passing.strange, 3)), n_places=n_places,
    )  # fmt: skip


def _joined(parts: Sequence[tuple[Any, ...]], width: int) -> list[Any]:
    """Return columns of parts one below the other; a column that a part lacks is None."""
    if not parts:
        kinds = [np.int64, np.int64, np.float64]
        return [np.zeros(0, kind) for kind in kinds] + [None] * (width - 3)
    return [None if column[0] is None else np.concatenate(column)
            for column in zip(*parts, strict=True)]  # fmt: skip


def count_magnitudes(magnitude: Array | None) -> Rows:
    """Return how many objects there are in each bin; what is no number is in none."""
    if magnitude is None:
        return np.zeros(MAG_BINS, np.int64)
    known = magnitude[np.isfinite(magnitude)]
    inside = known[(known >= 0) & (known < MAG_STEP * MAG_BINS)]
    return np.bincount((inside / MAG_STEP).astype(np.int64), minlength=MAG_BINS)


def gather(batches: Iterable[Objects]) -> Objects:
    """Return all batches as one; no batch gives no objects."""
    parts = list(batches)
    return (
        Objects(*_joined(parts, 5)) if parts else Objects(np.zeros(0, np.int64), *np.zeros((2, 0)))
    )


def offset_places(
    objects: Objects, stride: int, radius_arcsec: float
) -> tuple[Objects, Rows, Rows]:
    """Return places ten radii from the objects in eight directions: whose, and in which.

    Above `MOST_PLACES` each direction takes every ``stride``-th object, another one each.
    """
    chosen = [np.flatnonzero((objects.rows + k) % stride == 0) for k in range(DIRECTIONS)]
    rows = np.concatenate(chosen)
    direction = np.repeat(np.arange(DIRECTIONS), [len(part) for part in chosen])
    angle = 2 * np.pi / DIRECTIONS * direction
    step = OFFSET_RADII * radius_arcsec / ARCSEC_PER_RADIAN
    dec = np.deg2rad(objects.dec[rows])
    sin_dec = np.sin(dec) * np.cos(step) + np.cos(dec) * np.sin(step) * np.cos(angle)
    turn = np.arctan2(np.sin(angle) * np.sin(step) * np.cos(dec),
                      np.cos(step) - np.sin(dec) * sin_dec)  # fmt: skip
    ra = (objects.ra[rows] + np.rad2deg(turn)) % 360.0
    dec = np.rad2deg(np.arcsin(np.clip(sin_dec, -1, 1)))
    return Objects(objects.rows[rows], ra, dec), rows, direction
