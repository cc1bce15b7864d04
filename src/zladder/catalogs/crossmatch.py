"""Nearest neighbours on the sphere, with k-d trees over chunks of the big side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCSEC_PER_RADIAN = 3600.0 * 180.0 / np.pi
# Chords this close (2 nano-arcsec) may be ordered by rounding inside the tree; they are compared
# again with one and the same arithmetic, so that ties end alike whatever the chunks.
_TIE = 1e-14
_FAR = np.inf


@dataclass(frozen=True)
class Neighbours:
    """The nearest big-side object of each of N small-side ones.

    ``index`` int64 (N,), -1 for none within the radius; ``separation_arcsec`` and
    ``second_arcsec`` float64 (N,), inf for none: the nearest and the next one.
    """

    index: np.ndarray
    separation_arcsec: np.ndarray
    second_arcsec: np.ndarray


def unit_vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return points on the unit sphere, shape (N, 3), of angles in degrees, shape (N,)."""
    ra_rad, dec_rad = np.deg2rad(np.asarray(ra, float)), np.deg2rad(np.asarray(dec, float))
    cos_dec = np.cos(dec_rad)
    return np.stack([cos_dec * np.cos(ra_rad), cos_dec * np.sin(ra_rad), np.sin(dec_rad)], axis=1)


def match(
    ra_small: np.ndarray,
    dec_small: np.ndarray,
    ra_big: np.ndarray,
    dec_big: np.ndarray,
    radius_arcsec: float,
    chunk_rows: int = 1_000_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest big-side object within the radius of each small-side one.

    Parameters
    ----------
    ra_small, dec_small
        Shape (N,), degrees: each of these asks for its neighbour.
    ra_big, dec_big
        Shape (M,), degrees: the side that trees are built of, ``chunk_rows`` at a time, which
        bounds the memory.
    radius_arcsec
        Largest separation, included.
    chunk_rows
        Does not change the result; of equally near objects the first is taken.

    Returns
    -------
    tuple
        Indices into the big side, int64 (N,), -1 for none; separations in arcsec, float64 (N,),
        inf for none.
    """
    found = neighbours(ra_small, dec_small, ra_big, dec_big, radius_arcsec, chunk_rows)
    return found.index, found.separation_arcsec


def neighbours(
    ra_small: np.ndarray,
    dec_small: np.ndarray,
    ra_big: np.ndarray,
    dec_big: np.ndarray,
    radius_arcsec: float,
    chunk_rows: int = 1_000_000,
) -> Neighbours:
    """Return nearest and next neighbours; arguments as for :func:`match`."""
    small = unit_vectors(ra_small, dec_small)
    radius = chord(radius_arcsec)
    best = np.full(len(small), -1, dtype=np.int64)
    first, second = np.full(len(small), _FAR), np.full(len(small), _FAR)
    for start, big in _chunks(ra_big, dec_big, chunk_rows):
        rows, index, near, next_near = _nearest_two(small, big, radius)
        old = first[rows]
        # Strictly nearer: of equals the earlier chunk, and so the lower index, stays.
        wins = near < old
        second[rows] = np.minimum(np.minimum(second[rows], next_near), np.maximum(near, old))
        first[rows] = np.minimum(near, old)
        best[rows[wins]] = start + index[wins]
    return Neighbours(best, _arcsec(first), _arcsec(second))


def chord(angle_arcsec: float) -> float:
    """Return the straight distance between points of the unit sphere this angle apart."""
    return float(2.0 * np.sin(min(angle_arcsec / ARCSEC_PER_RADIAN, np.pi) / 2.0))


def _arcsec(chords: np.ndarray) -> np.ndarray:
    angles = 2.0 * np.arcsin(np.minimum(chords, 2.0) / 2.0) * ARCSEC_PER_RADIAN
    return np.where(np.isinf(chords), np.inf, angles)


def _chunks(ra: np.ndarray, dec: np.ndarray, chunk_rows: int) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(ra), chunk_rows):
        stop = start + chunk_rows
        yield start, unit_vectors(ra[start:stop], dec[start:stop])


def _nearest_two(
    small: np.ndarray, big: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the small rows with a neighbour in this chunk, its index, its chord, the next's."""
    # Unbalanced trees are built faster and answer as fast on sky positions.
    tree = cKDTree(big, balanced_tree=False, compact_nodes=True)
    rough, found = tree.query(small, k=2, distance_upper_bound=radius + _TIE)
    rows = np.flatnonzero(found[:, 0] < len(big))
    rough, found = rough[rows], found[rows]
    near = _distances(small[rows], big, found[:, 0])
    next_near = _distances(small[rows], big, found[:, 1])
    index = found[:, 0].copy()
    tied = np.flatnonzero(rough[:, 1] - rough[:, 0] < _TIE)
    if tied.size:
        points, reach = small[rows[tied]], rough[tied, 0] + _TIE
        index[tied], near[tied], next_near[tied] = _settle(tree, points, reach, big)
    within = near <= radius
    next_near = np.where(next_near <= radius, next_near, _FAR)
    return rows[within], index[within], near[within], next_near[within]


def _settle(
    tree: cKDTree, points: np.ndarray, reach: np.ndarray, big: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return index, chord and next chord of points with two or more candidates within reach."""
    rivals = tree.query_ball_point(points, reach)
    owner = np.repeat(np.arange(len(points)), [len(group) for group in rivals])
    index = np.concatenate([np.asarray(group, dtype=np.int64) for group in rivals])
    distances = _distances(points[owner], big, index)
    order = np.lexsort((index, distances, owner))
    first = np.searchsorted(owner[order], np.arange(len(points)))
    return index[order][first], distances[order][first], distances[order][first + 1]


def _distances(points: np.ndarray, big: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return chords, shape (N,), the same for a pair whatever stands beside it; inf for no pair."""
    there = index < len(big)
    steps = points - big[np.where(there, index, 0)]
    x, y, z = steps[:, 0], steps[:, 1], steps[:, 2]
    return np.where(there, np.sqrt(x * x + y * y + z * z), _FAR)
