"""From densities at the nodes to probabilities of classes: what lies between two nodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

LOWEST_LN = -60.0  # below the peak: nothing
POINTS_PER_CLASS = 4
STEEPEST = 3.0  # times the secants beside a node: a cubic is monotone up to that

Array = NDArray[np.float64]


def class_shares(
    z: Array, log_density: Array, edges: Array, log_selected: Callable[[Array], Array]
) -> Array:
    """Return the probability of each class, shape (N, bins); NaN for rows of -inf alone.

    Parameters
    ----------
    z
        Nodes, even in ln(1 + z), shape (Z,).
    log_density
        ln of the population's density per unit z at the nodes, shape (N, Z). Over z^2 (the volume)
        it is smooth in ln(1 + z).
    edges
        Of the classes, shape (bins + 1,).
    log_selected
        What multiplies the density: given redshifts (K,), its ln, shape (N, K). It may jump, and
        is taken where it is needed.
    """
    middle = (np.arange(POINTS_PER_CLASS) + 0.5) / POINTS_PER_CLASS
    fine = (edges[:-1, None] + np.diff(edges)[:, None] * middle).ravel()
    inside = (fine >= z[0]) & (fine <= z[-1])
    explained = np.asarray(np.isfinite(log_density).any(axis=1))
    smooth = np.where(explained[:, None], log_density - 2 * np.log(z), 0.0)
    smooth -= smooth.max(axis=1, keepdims=True)
    at = fine[inside]
    log_shares = between_nodes(np.log1p(z), np.maximum(smooth, LOWEST_LN), np.log1p(at))
    log_shares += 2 * np.log(at) + log_selected(at)
    density = np.zeros((len(log_density), len(fine)))
    density[:, inside] = np.exp(log_shares - log_shares.max(axis=1, keepdims=True))
    shares = density.reshape(len(density), -1, POINTS_PER_CLASS).sum(axis=2)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.where(explained[:, None], shares, np.nan)


def between_nodes(x: Array, log_density: Array, at: Array) -> Array:
    """Return ln of densities between even nodes, by cubics that make no peak of their own.

    Slopes are differences of fourth order, beside a node without density of a lower one: a cliff
    is no part of the curve. They are limited as in Hyman 1983 (SIAM J. Sci. Stat. Comput. 4, 645):
    where the nodes are monotone, so is the curve; a node that is a peak has one peak beside it.
    Down to a node without density the curve is straight.

    Parameters
    ----------
    x
        Nodes, shape (Z,) with Z of at least 3.
    log_density
        Shape (N, Z), from `LOWEST_LN` (nothing) to 0.
    at
        Where it is wanted, shape (K,).

    Returns
    -------
    log_density
        Shape (N, K).
    """
    secant = np.diff(log_density, axis=1) / np.diff(x)
    left, right = (np.pad(secant, ((0, 0), pad), mode="edge") for pad in ((1, 0), (0, 1)))
    slope = np.where(np.abs(left) < np.abs(right), left, right)
    there = log_density > LOWEST_LN
    near = there[:, :-2] & there[:, 2:]
    slope[:, 1:-1] = np.where(near, 0.5 * (left + right)[:, 1:-1], slope[:, 1:-1])
    wide = near[:, 1:-1] & there[:, :-4] & there[:, 4:]
    # (8 (y[1] - y[-1]) - (y[2] - y[-2])) / 12 h, in secants
    fourth = (7 * (secant[:, 1:-2] + secant[:, 2:-1]) - secant[:, :-3] - secant[:, 3:]) / 12
    slope[:, 2:-2] = np.where(wide, fourth, slope[:, 2:-2])
    slope = np.sign(slope) * np.minimum(
        np.abs(slope), STEEPEST * np.minimum(np.abs(left), np.abs(right))
    )
    slope[(left * right > 0) & (slope * left < 0)] = 0.0
    curve = CubicHermiteSpline(x, log_density, slope, axis=1)(at)
    cell = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    share = (at - x[cell]) / np.diff(x)[cell]
    straight = log_density[:, cell] + share * np.diff(log_density, axis=1)[:, cell]
    return np.where((there[:, :-1] & there[:, 1:])[:, cell], curve, straight)
