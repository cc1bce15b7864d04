"""Which nodes may explain a galaxy at all: a box in colours that loses none that matters.

Colours are differences of asinh(flux / (2 noise)), which are logarithms of flux ratios where the
signal is strong and stay finite where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from zladder.evaluate.oracle_grid import LN_PER_MAG, Nodes
from zladder.evaluate.oracle_likelihood import Observed
from zladder.evaluate.oracle_prior import Prior
from zladder.universe.noise import ZERO_POINT_NJY_MAG, Depth, flux_njy, noise_njy, sky_noise_njy

SIGMAS = 5.0  # half width of the box, in standard deviations of each colour
SMALLEST_LOG_PRIOR = -30.0  # relative to the largest of a group of galaxies alike in magnitude
GROUP_ROWS = 96
DUST_MAP_ERROR = 0.01  # relative error of a flux ratio, for the error of the listed E(B-V)

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def candidates(
    nodes: Nodes, prior: Prior, depth: Depth, anchor: int, seen: Observed
) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Yield galaxies, and pairs (place among these galaxies, node), sorted, group by group."""
    order = np.argsort(seen.flux[:, anchor], kind="stable")
    for start in range(0, len(order), GROUP_ROWS):
        rows = order[start : start + GROUP_ROWS]
        yield rows, *_group(nodes, prior, depth, anchor, seen.part(rows))


def _group(
    nodes: Nodes, prior: Prior, depth: Depth, anchor: int, seen: Observed
) -> tuple[Rows, Rows]:
    """Return the pairs of a group of galaxies of about the same flux in the anchor band."""
    extinction = nodes.reddening[:, :, 0].mean(axis=0) * seen.ebv_mag[:, None]
    bare = seen.flux * np.exp(LN_PER_MAG * extinction)
    middle_mag = ZERO_POINT_NJY_MAG - 2.5 * np.log10(np.median(bare[:, anchor]))
    odds = prior(np.arange(len(nodes.z)), middle_mag - nodes.magnitude[:, anchor])
    kept = np.flatnonzero(odds > odds.max() + SMALLEST_LOG_PRIOR)
    faintest = seen.flux[:, anchor].min()
    dimming = np.exp(LN_PER_MAG * extinction.max(axis=0)) / faintest
    low, high = _boxes(nodes.part(kept), depth, anchor, faintest, dimming)
    soft = 2 * sky_noise_njy(depth) * dimming
    found = np.delete(np.arcsinh(bare / bare[:, [anchor]] / soft), anchor, axis=1)
    galaxy, node = [], []
    for row, colours in enumerate(found):
        inside = (colours[0] > low[0]) & (colours[0] < high[0])
        for k in range(1, len(colours)):
            inside &= (colours[k] > low[k]) & (colours[k] < high[k])
        chosen = np.flatnonzero(inside)
        galaxy.append(np.full(len(chosen), row))
        node.append(kept[chosen])
    return np.concatenate(galaxy).astype(np.int64), np.concatenate(node)


def _boxes(
    nodes: Nodes, depth: Depth, anchor: int, faintest: float, dimming: Array
) -> tuple[Array, Array]:
    """Return the lowest and highest colours that a galaxy of each node may show, (B - 1, K).

    The noise is that of the faintest and most reddened galaxy of the group; ``dimming`` (B,) turns
    fluxes into shares of its flux in the anchor band.
    """
    model = flux_njy(nodes.magnitude)
    ratio = model / model[:, [anchor]]
    sky = sky_noise_njy(depth) * dimming
    slope = ratio / np.hypot(ratio, 2 * sky)  # d asinh(x / 2s) / d ln x
    systematic = LN_PER_MAG * depth.zero_point_scatter_mag
    noise = sky**2 + ratio * flux_njy(depth.electron_mag) * dimming
    of_anchor = noise_njy(np.array(faintest), depth)[anchor] / faintest
    relative = systematic**2 + systematic[anchor] ** 2 + of_anchor**2 + DUST_MAP_ERROR**2
    relative = relative + ((nodes.spread - nodes.spread[:, [anchor]]) ** 2).sum(axis=-1)
    scatter = np.sqrt(slope**2 * relative + noise / (ratio**2 + 4 * sky**2))
    middle = np.delete(np.arcsinh(ratio / (2 * sky)), anchor, axis=1).T
    scatter = np.delete(scatter, anchor, axis=1).T
    low, high = middle - SIGMAS * scatter, middle + SIGMAS * scatter
    return np.ascontiguousarray(low), np.ascontiguousarray(high)
