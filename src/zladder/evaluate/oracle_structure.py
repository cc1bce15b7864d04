"""What measured size, axis ratio and bulge share add to the oracle's knowledge of a galaxy.

The size tells of the luminosity's and class's mean size, and its deviation goes with the first
mode of the spectrum; the axis ratio tells the inclination, on which the dust of discs depends; the
bulge's share tells of class and type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, log_ndtr, ndtr

from zladder.evaluate.oracle_grid import EARLY_DUST_EDGES_MAG, LATE_DUST_EDGES_MAG, Nodes
from zladder.evaluate.oracle_likelihood import PairAnswer
from zladder.evaluate.oracle_prior import Prior, magnitude_place
from zladder.universe.densities import DUST_MAG_R, disc_dust_shares
from zladder.universe.morphology import (
    bulge_share_law,
    disc_axis_ratio,
    kpc_per_arcsec,
    mean_radius_kpc,
)
from zladder.universe.structure import LEAST_RATIO, Structure

N_INCLINATIONS = 60
N_SHARES = 100
SMALLEST = 1e-30

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class StructureLaws:
    """The laws of shapes at K nodes.

    Attributes
    ----------
    link, size_scatter_ln
        Correlation of size and first mode; scatter of ln size.
    kind
        Shape (K,): number of the node's law of the bulge's share.
    shares
        Shape (kinds, N_SHARES): bulge shares of even probability under each law.
    ratio
        Shape (I,): axis ratios at inclinations of even probability.
    dust
        Shape (I, M, cells): share of discs' dust cells at each inclination and `DUST_MAG_R`.
    """

    link: float
    size_scatter_ln: float
    kind: Rows
    shares: Array
    ratio: Array
    dust: Array


def make_structure_laws(settings: Mapping[str, Any], nodes: Nodes) -> StructureLaws:
    """Return the laws; ``settings`` holds the sky's blocks ``sed`` and ``morphology``."""
    middle = 0.5 * (nodes.type_low + nodes.type_high)
    laws = np.stack(bulge_share_law(nodes.is_early, middle), axis=1)
    kinds, kind = np.unique(laws.round(9), axis=0, return_inverse=True)
    place = (np.arange(N_SHARES) + 0.5) / N_SHARES
    cosine = (np.arange(N_INCLINATIONS) + 0.5) / N_INCLINATIONS
    return StructureLaws(
        link=settings["sed"]["structure_correlation"],
        size_scatter_ln=settings["morphology"]["size_scatter_ln"],
        kind=kind.astype(np.int64),
        shares=betaincinv(kinds[:, :1], kinds[:, 1:], place),
        ratio=disc_axis_ratio(cosine),
        dust=disc_dust_shares(LATE_DUST_EDGES_MAG, cosine),
    )


def size_log_likelihood(
    laws: StructureLaws,
    nodes: Nodes,
    structure: Structure,
    pairs: tuple[Rows, Rows],
    abs_mag_r: Array,
    told: tuple[Array, Array],
) -> Array:
    """Return ln p(size | node, fluxes), shape (P,).

    ``told`` is what the fluxes tell of the first mode, in its standard deviations: the mean and
    the variance that they take away from it.
    """
    galaxy, node = pairs
    z = nodes.z[node]
    radius = mean_radius_kpc(nodes.is_early[node], abs_mag_r, z) / kpc_per_arcsec(z)
    coupling = laws.link * laws.size_scatter_ln
    mean = np.log(radius) + coupling * told[0]
    error = structure.radius_error_ln[galaxy]
    variance = laws.size_scatter_ln**2 + error**2 - coupling**2 * told[1]
    deviation = np.log(structure.radius_arcsec[galaxy]) - mean
    return -0.5 * (deviation**2 / variance + np.log(variance))


def structure_log_weights(
    laws: StructureLaws, prior: Prior, structure: Structure, pairs: tuple[Rows, Rows],
    answer: PairAnswer, tables: tuple[Array, Array],
) -> Array:  # fmt: skip
    """Return by how much ln of each pair's weight changes where the structure is known too.

    ``tables`` are `bulge_log_likelihood` and `disc_dust_log_shares` of the galaxies.
    """
    galaxy, node = pairs
    bulge, dust = tables
    told = answer.mode_mean, answer.mode_known
    found = size_log_likelihood(laws, prior.nodes, structure, pairs, answer.abs_mag_r, told)
    found += bulge[galaxy, laws.kind[node]]
    late = np.flatnonzero(~prior.nodes.is_early[node])
    low, rest = magnitude_place(answer.abs_mag_r[late])
    cell, row = prior.nodes.dust_cell[node[late]], galaxy[late]
    first = len(EARLY_DUST_EDGES_MAG) - 1
    change = dust - prior.dust[:, first:]
    inside = (1 - rest) * change[row, low, cell - first]
    found[late] += inside + rest * change[row, low + 1, cell - first]
    return found


def bulge_log_likelihood(laws: StructureLaws, structure: Structure) -> Array:
    """Return ln p(measured bulge share | law), shape (N, kinds); clipped ones lie anywhere beyond.

    What is measured is continuous between 0 and 1, and 0 or 1 with a probability of its own.
    """
    share, error = structure.bulge_share[:, None, None], structure.bulge_share_error[:, None, None]
    deviation = (share - laws.shares) / error
    inside = np.exp(-0.5 * deviation**2)
    found = np.where(
        share <= 0.0, ndtr(deviation), np.where(share >= 1.0, ndtr(-deviation), inside)
    )
    return np.log(np.maximum(found.mean(axis=2), SMALLEST))


def disc_dust_log_shares(laws: StructureLaws, structure: Structure) -> Array:
    """Return ln of the share of discs' dust cells, given the axis ratio; shape (N, M, cells)."""
    ratio, error = structure.axis_ratio[:, None], structure.axis_ratio_error[:, None]
    deviation = (ratio - laws.ratio) / error
    log_odds = np.where(ratio >= 1.0, log_ndtr(-deviation), -0.5 * deviation**2)
    log_odds = np.where(ratio <= LEAST_RATIO, log_ndtr(deviation), log_odds)
    odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    shares = odds @ laws.dust.reshape(len(laws.ratio), -1)
    return np.log(np.maximum(shares, SMALLEST)).reshape(len(ratio), len(DUST_MAG_R), -1)
