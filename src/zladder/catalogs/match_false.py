"""How many pairs of a match are of strangers, from places where only strangers can be.

Each left object is moved ten radii away in eight directions. What is found there tells how often a
stranger comes at each separation. An object takes it only if it has found nothing nearer: a place
with a stranger at separation x stands for as many objects as are still free at x (competing risks,
as in the product-limit estimate of Kaplan & Meier 1958, J. Am. Stat. Assoc. 53, 457).

Galaxies cluster: beside an object there are more strangers than ten radii away. Those show as
second candidates of objects that have one already. Beyond five position errors (where nothing is an
object's own any more, if that is within the radius) the objects that are served at x tell what
comes to those still free. What this adds is noisy; it counts by its significance, d² / (d² + its
variance).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import gammaincinv

from zladder.catalogs.crossmatch import OFFSET_RADII
from zladder.catalogs.match_rayleigh import fit_sigma
from zladder.catalogs.match_zones import haversine_of, separation_arcsec

if TYPE_CHECKING:
    from zladder.catalogs.crossmatch import Crossed
    from zladder.catalogs.match_zones import Array, Rows

LEVEL = 0.95
# Nearer than so many position errors (where none fits: radii) a second candidate may be the
# object's own, listed twice; where that takes most of the radius, clustering is not looked for.
OWN_SIGMAS, OWN_RADII, LARGEST_OWN_RADII = 5.0, 0.5, 0.8
_RINGS = 40  # of equal area, on which what is added inside lies


class FalsePairs(NamedTuple):
    """The strangers that a match took, as estimated.

    ``haversine`` and ``weight`` (K,): where they lie, and how many pairs each of the K stands
    for; ``sigma_arcsec``: position error along an axis, given or fitted (NaN: none fits);
    ``figures``: their number with its 95 % interval, and what went into it.
    """

    haversine: Array
    weight: Array
    sigma_arcsec: float
    figures: dict[str, Any]


def estimate_false(
    crossed: Crossed, pairs: Rows, nearest: Rows, holders: Rows | None, radius_arcsec: float, *,
    take_all: bool,
) -> FalsePairs:  # fmt: skip
    """Return how many of a match's pairs are of strangers.

    Parameters
    ----------
    crossed
        All pairs, and what was found at the offset places.
    pairs, nearest
        The pairs of the match; the nearest one of each left object that has one.
    holders
        The pairs whose right object is not given away to one farther off; None where right
        objects may be taken many times.
    radius_arcsec
        Of the match.
    take_all
        Whether every pair is taken, not each left object's nearest.
    """
    served = np.sort(crossed.haversine[nearest])
    x, weight = _offset(crossed, served, holders, take_all=take_all)
    found = separation_arcsec(crossed.haversine[pairs])
    error = crossed.error_arcsec
    sigma = (
        fit_sigma(found, separation_arcsec(x), weight, radius_arcsec)
        if error is None or not len(pairs)
        else float(np.sqrt(np.mean(error[pairs] ** 2)))
    )
    own = OWN_RADII * radius_arcsec if np.isnan(sigma) else OWN_SIGMAS * sigma
    own = own if own < LARGEST_OWN_RADII * radius_arcsec else radius_arcsec
    second = _second(crossed, nearest, served, holders, own, take_all=take_all)
    more_x, more, variance = _for_clustering((x, weight), second, own, radius_arcsec)
    n_false = max(float(weight.sum() + more.sum()), 0.0)
    spread = float((weight**2).sum()) + variance
    low, high = _interval(n_false, spread, crossed.n_left / max(crossed.n_places, 1))
    figures = {
        "n_false": n_false, "n_false_low": low, "n_false_high": high, "interval_level": LEVEL,
        "false_share": n_false / len(pairs) if len(pairs) else None,
        "n_false_by_offsets": float(weight.sum()), "n_offset_places": crossed.n_places,
        "n_offset_found": len(np.unique(crossed.strangers.place)),
        "offset_arcsec": OFFSET_RADII * radius_arcsec,
        "n_false_by_clustering": float(more.sum()), "n_second_candidates": len(second[0]),
        "second_candidates_beyond_arcsec": own,
    }  # fmt: skip
    return FalsePairs(np.append(x, more_x), np.append(weight, more), sigma, figures)


def _for_clustering(
    offset: tuple[Array, Array], second: tuple[Array, Array], own_arcsec: float,
    radius_arcsec: float,
) -> tuple[Array, Array, float]:  # fmt: skip
    """Return what to add to the strangers of the offset places, and the variance that it adds.

    Where second candidates are looked at they take the place of the offset places, by the share
    of their significance. Nearer there is as much more in each square arcsec as farther out.
    """
    outside = offset[0] > haversine_of(own_arcsec)
    beyond = float(second[1].sum() - offset[1][outside].sum())
    variance = float((second[1] ** 2).sum())
    if own_arcsec >= radius_arcsec:  # nothing is seen beyond what may be the objects' own
        return np.empty(0), np.empty(0), 0.0
    share = beyond**2 / (beyond**2 + variance) if beyond else 0.0
    within = beyond * own_arcsec**2 / (radius_arcsec**2 - own_arcsec**2)
    rings = own_arcsec * np.sqrt((np.arange(_RINGS) + 0.5) / _RINGS)
    haversines = [offset[0][outside], second[0], np.array([haversine_of(x) for x in rings])]
    weights = [-offset[1][outside], second[1], np.full(_RINGS, within / _RINGS)]
    all_of = 1 + within / beyond if beyond else 1.0
    return (
        np.concatenate(haversines),
        share * np.concatenate(weights),
        variance * (share * all_of) ** 2,
    )


def _offset(
    crossed: Crossed, served: Array, holders: Rows | None, *, take_all: bool
) -> tuple[Array, Array]:
    """Return the haversines of what is taken at the offset places, and each one's weight."""
    odd, n_places = crossed.strangers, max(crossed.n_places, 1)
    wins = odd.haversine < _held_to(odd.right, crossed, holders)
    if take_all:
        return odd.haversine, np.full(len(wins), crossed.n_left / n_places)
    order = np.lexsort((odd.haversine, odd.place))
    first = order[np.flatnonzero(np.diff(odd.place[order], prepend=-1))]
    x = odd.haversine[first]
    free = crossed.n_left - np.searchsorted(served, x)
    weight = free / (n_places - np.searchsorted(np.sort(x), x))
    return x[wins[first]], weight[wins[first]]


def _second(
    crossed: Crossed, nearest: Rows, served: Array, holders: Rows | None, own_arcsec: float, *,
    take_all: bool,
) -> tuple[Array, Array]:  # fmt: skip
    """Return the haversines of further candidates that could be taken, and each one's weight.

    Each object that is served at x without a second candidate nearer than x is at risk of one;
    one found stands for so many more of those still free at x. Where all pairs are taken every
    further candidate counts, for each of the objects, served or free.
    """
    further = np.ones(len(crossed.left), dtype=bool)
    further[nearest] = False
    rows = np.flatnonzero(further)
    order = rows[np.lexsort((crossed.haversine[rows], crossed.left[rows]))]
    if not take_all:
        order = order[np.flatnonzero(np.diff(crossed.left[order], prepend=-1))]
    x = crossed.haversine[order]
    at_risk = np.searchsorted(served, x)
    if not take_all:
        at_risk = at_risk - np.searchsorted(np.sort(x), x)
    weight = (crossed.n_left - (0 if take_all else np.searchsorted(served, x))) / np.maximum(
        at_risk, 1
    )
    counts = x > haversine_of(own_arcsec)
    counts &= x <= _held_to(crossed.right[order], crossed, holders)
    return x[counts], weight[counts]


def _held_to(right: Rows, crossed: Crossed, holders: Rows | None) -> Array:
    """Return up to which haversine a newcomer would take each right object: inf if it is free."""
    held = np.full(len(right), np.inf)
    if holders is None or not len(holders):
        return held
    order = holders[np.argsort(crossed.right[holders])]
    taken = crossed.right[order]
    place = np.minimum(np.searchsorted(taken, right), len(taken) - 1)
    return np.where(taken[place] == right, crossed.haversine[order][place], held)


def _interval(number: float, variance: float, single: float) -> tuple[float, float]:
    """Return the interval of an expected number: Poisson's (Garwood 1936) for as many counts.

    Of n with variance v these are n²/v; ``single`` is what one count would stand for.
    """
    tail = (1 - LEVEL) / 2
    if not number:
        return 0.0, single * float(gammaincinv(1, 1 - tail))
    counts, each = number**2 / variance, variance / number
    return each * float(gammaincinv(counts, tail)), each * float(gammaincinv(counts + 1, 1 - tail))
