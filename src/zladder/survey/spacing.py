"""Random points that keep a distance from each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

PACKING = 0.4  # area of discs of half the distance over all the area; 0.547 is never reached

Array = NDArray[np.float64]


def spaced_points(
    draw: Callable[[int], Array], n: int, distance: float, max_rounds: int = 1000
) -> Array:
    """Throw points one after the other and keep those that are near no earlier one.

    Parameters
    ----------
    draw
        Gives any number of independent points, shape (m, D).
    n
        How many are wanted.
    distance
        The least distance between two; with `distance_for` there is always room.
    max_rounds
        How often to throw before giving up.

    Returns
    -------
    Array
        Shape (n, D).

    Raises
    ------
    ValueError
        If there is no room for so many.
    """
    kept = draw(0)
    for _ in range(max_rounds):
        if len(kept) >= n:
            return kept[:n]
        thrown = draw(max(n, 16))
        if len(kept):
            nearest, _ = cKDTree(kept).query(thrown)
            thrown = thrown[nearest >= distance]
        later = cKDTree(thrown).query_pairs(distance, output_type="ndarray").max(axis=1, initial=-1)
        kept = np.concatenate([kept, np.delete(thrown, later[later >= 0], axis=0)])
    message = f"no room for {n} points with a distance of {distance:g}: {len(kept)} found any"
    raise ValueError(message)


def distance_for(n: int, area: float) -> float:
    """Return the distance that ``n`` points can keep in an area, thrown one after the other."""
    return float(np.sqrt(4 * PACKING * area / (np.pi * n)))
