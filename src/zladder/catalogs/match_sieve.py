"""A sieve before a search: which objects cannot have a neighbour, at a few steps for each.

A table of cells (a zone of declination, a bin of right ascension; hashed) says where neighbours may
be. Most objects of a big catalogue fall into empty cells of a small one, and are done with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_BINS = 4096  # of right ascension
_BIN_RADII = 8.0  # least width of a bin
_LEAST_BITS, _MOST_BITS = 16, 23  # of the table's size: at most 8 MB, near the processor
_CELLS_PER_OBJECT = 12.0  # so that about one empty place in ten is taken for a full one
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # of 2^64: neighbours are spread over the table


@dataclass(frozen=True)
class Sieve:
    """Cells with objects in or near them, N bits of index.

    Attributes
    ----------
    taken
        Shape (2^N,), bool.
    open_zones
        Shape (zones,), bool: where a neighbour may lie several bins away; all may pass.
    bins
        Of the whole circle.
    """

    taken: NDArray[np.bool_]
    open_zones: NDArray[np.bool_]
    bins: int


def make_sieve(
    zone: NDArray[np.int64], ra: NDArray[np.float64], near_edge: NDArray[np.int64],
    half_widths_deg: NDArray[np.float64], radius_deg: float,
) -> Sieve | None:  # fmt: skip
    """Return the sieve of N objects, or None where they are too many for it.

    Parameters
    ----------
    zone, ra
        Shape (N,): of the objects; ra in degrees.
    near_edge
        Shape (N,): -1, 0 or 1, the step to the zone from which the object can be seen too.
    half_widths_deg
        Shape (zones,): how far away in ra a neighbour can be.
    radius_deg
        Of the search.
    """
    bits = max(_LEAST_BITS, int(np.ceil(np.log2(_CELLS_PER_OBJECT * len(ra) + 1))))
    if bits > _MOST_BITS:
        return None
    bins = int(np.clip(360.0 / (_BIN_RADII * radius_deg), 1, _MOST_BINS))
    taken = np.zeros(1 << bits, dtype=bool)
    for step in (-1, 0, 1):
        some = np.flatnonzero(near_edge == step) if step else slice(None)
        seen_from = zone[some] + step
        inside = (seen_from >= 0) & (seen_from < len(half_widths_deg))
        seen_from, at = seen_from[inside], ra[some][inside]
        for side in (-1, 1):
            there = (at + side * half_widths_deg[seen_from]) % 360.0
            taken[_cell(seen_from, there, bins, bits)] = True
    return Sieve(taken, half_widths_deg * 2 > 360.0 / bins, bins)


def may_match(sieve: Sieve, zone: NDArray[np.int64], ra: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows of objects that may have a neighbour: all that have one, and a few more."""
    bits = len(sieve.taken).bit_length() - 1
    found = sieve.taken[_cell(zone, ra, sieve.bins, bits)]
    if sieve.open_zones.any():
        found |= sieve.open_zones[zone]
    return np.flatnonzero(found)


def _cell(
    zone: NDArray[np.int64], ra: NDArray[np.float64], bins: int, bits: int
) -> NDArray[np.uint64]:
    number = zone * (bins + 1)
    number += (ra * (bins / 360.0)).astype(np.int64)
    cell = number.view(np.uint64)
    cell *= _GOLDEN
    cell >>= np.uint64(64 - bits)
    return cell
