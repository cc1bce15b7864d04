"""How many galaxies there are at a node: class, redshift, luminosity, type and own dust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zladder.evaluate.oracle_grid import Nodes, dust_log_shares
from zladder.universe.appearance import type_law
from zladder.universe.densities import DUST_MAG_R, log_counts, log_luminosities, type_shares
from zladder.universe.population import Pool

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Prior:
    """The population at K nodes.

    Attributes
    ----------
    pool
        What there is to draw from.
    nodes
        The nodes.
    counts
        Shape (K,): ln of the galaxies of the node's class per unit redshift and square degree.
    dust
        Shape (M, cells): ln of the share of each dust cell at `DUST_MAG_R`.
    """

    pool: Pool
    nodes: Nodes
    counts: Array
    dust: Array

    def __call__(self, node: Rows, abs_mag_r: Array) -> Array:
        """Return ln of galaxies per unit z, magnitude and square degree in the cell, shape (P,)."""
        nodes = self.nodes
        z, is_early = nodes.z[node], nodes.is_early[node]
        bright = np.empty(len(node))
        for index, members in enumerate((is_early, ~is_early)):
            bright[members] = log_luminosities(self.pool, index, z[members], abs_mag_r[members])
        law = type_law(is_early, z, abs_mag_r)
        share = type_shares(law, nodes.type_low[node], nodes.type_high[node])
        low, rest = magnitude_place(abs_mag_r)
        cell = nodes.dust_cell[node]
        dust = (1 - rest) * self.dust[low, cell] + rest * self.dust[low + 1, cell]
        return self.counts[node] + bright + np.log(np.maximum(share, 1e-30)) + dust


def magnitude_place(abs_mag_r: Array) -> tuple[Rows, Array]:
    """Return the node of `DUST_MAG_R` below magnitudes, and how far they are to the next one."""
    step = DUST_MAG_R[1] - DUST_MAG_R[0]
    place = np.clip((abs_mag_r - DUST_MAG_R[0]) / step, 0.0, len(DUST_MAG_R) - 1.001)
    low = place.astype(np.int64)
    return low, place - low


def make_prior(pool: Pool, nodes: Nodes) -> Prior:
    """Return the population of a pool at nodes."""
    counts = np.empty(len(nodes.z))
    for index, members in enumerate((nodes.is_early, ~nodes.is_early)):  # as CLASSES
        counts[members] = log_counts(pool, index, nodes.z[members])
    return Prior(pool, nodes, counts, dust_log_shares())
