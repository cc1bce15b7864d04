"""How well a node explains a galaxy: a Gaussian in the fluxes, with the luminosity integrated out.

At a node the fluxes of a galaxy scatter about the node's for these reasons, each to first order:
noise (at the node's flux, not at the observed one: that is how noise is made), the zero point of
each band, the modes, type and dust within the node's cell, the error of the listed E(B-V), and the
luminosity, which is free. All but the noise are directions of a relative change; their covariance
is summed, and the luminosity's density is taken where the fluxes together want it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zladder.evaluate.oracle_grid import LN_PER_MAG, Nodes
from zladder.universe.noise import Depth, flux_njy, sky_noise_njy

FREE_LN_FLUX = 0.5  # standard deviation of the luminosity about the anchor band's: hardly a limit

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Observed:
    """N galaxies as a catalogue lists them.

    Attributes
    ----------
    flux
        Shape (N, B), nanojansky.
    ebv_mag
        Listed E(B-V), shape (N,).
    object_id
        Shape (N,). It says nothing of a galaxy: by it what was learned of the very galaxy is left
        out (`oracle_usable`).
    """

    flux: Array
    ebv_mag: Array
    object_id: Rows

    def part(self, rows: Rows | slice) -> Observed:
        """Return some of the galaxies."""
        return Observed(self.flux[rows], self.ebv_mag[rows], self.object_id[rows])


@dataclass(frozen=True)
class Columns:
    """What the likelihood needs of K nodes, one contiguous row a quantity.

    Attributes
    ----------
    flux
        Shape (B, K): nanojansky of a galaxy with M_r = 0, without Milky-Way dust.
    reddening
        Shape (2, B, K).
    covariance
        Shape (B, B, K): of relative fluxes, luminosity and zero points included.
    first_mode
        Shape (B, K): relative change of the fluxes per standard deviation of the first mode.
    """

    flux: Array
    reddening: Array
    covariance: Array
    first_mode: Array


@dataclass(frozen=True)
class PairAnswer:
    """What the fluxes of a galaxy say, were it of a node; every array of shape (P,).

    Attributes
    ----------
    log_likelihood
        ln p(fluxes | node), but for a constant.
    abs_mag_r
        The absolute magnitude that they want.
    mode_mean, mode_known
        Of the first mode, in its standard deviations: its mean, and the variance taken from it.
    """

    log_likelihood: Array
    abs_mag_r: Array
    mode_mean: Array
    mode_known: Array


def make_columns(nodes: Nodes, zero_point_scatter_mag: Array) -> Columns:
    """Return the nodes' quantities."""
    covariance = np.einsum("kbd,kcd->bck", nodes.spread, nodes.spread) + FREE_LN_FLUX**2
    bands = np.arange(len(zero_point_scatter_mag))
    covariance[bands, bands] += ((LN_PER_MAG * zero_point_scatter_mag) ** 2)[:, None]
    return Columns(
        np.ascontiguousarray(flux_njy(nodes.magnitude).T),
        np.ascontiguousarray(np.moveaxis(nodes.reddening, 0, -1).swapaxes(0, 1)),
        covariance,
        np.ascontiguousarray(nodes.spread[:, :, 0].T),
    )


def pair_log_likelihood(
    columns: Columns,
    depth: Depth,
    stored_relative_error: float,
    anchor: int,
    seen: Observed,
    pairs: tuple[Rows, Rows],
    with_mode: bool,
) -> PairAnswer:
    """Return what the fluxes say of each pair.

    Parameters
    ----------
    columns
        The nodes.
    depth
        Of the survey.
    stored_relative_error
        Of the listed E(B-V).
    anchor
        The band whose observed flux fixes the luminosity about which all is linear: one with a
        high signal-to-noise ratio.
    seen
        The galaxies.
    pairs
        Galaxy and node of each pair, shape (P,) each.
    with_mode
        Whether the answers about the first mode are wanted; else they say nothing.
    """
    galaxy, node = pairs
    ebv, observed = seen.ebv_mag[galaxy], seen.flux.T[:, galaxy]
    per_ebv, curved = columns.reddening[:, :, node]
    model = columns.flux[:, node] * np.exp(-LN_PER_MAG * ebv * (per_ebv + curved * ebv))
    scale = observed[anchor] / model[anchor]
    model *= scale
    variance = (sky_noise_njy(depth) ** 2)[:, None] + model * flux_njy(depth.electron_mag)[:, None]
    noise = np.sqrt(variance)
    weight = model / noise
    residual = observed / noise - weight
    wrong_dust = LN_PER_MAG * stored_relative_error * ebv * (per_ebv + 2 * curved * ebv)
    covariance = whitened_covariance(columns.covariance, node, weight, wrong_dust)
    inverse = factorise(covariance)
    half = forward(covariance, inverse, residual)
    shift = FREE_LN_FLUX**2 * (weight * backward(covariance, inverse, half)).sum(axis=0)
    spread = np.log(variance).sum(axis=0) - 2 * np.log(np.prod(inverse, axis=0))
    mode = forward(covariance, inverse, weight * columns.first_mode[:, node]) if with_mode else half
    brighter = np.maximum(1 + shift, 0.1)  # than the anchor band alone says
    return PairAnswer(
        log_likelihood=-0.5 * ((half**2).sum(axis=0) + spread) - np.log(brighter),
        abs_mag_r=-2.5 * np.log10(scale * brighter),
        mode_mean=(mode * half).sum(axis=0),
        mode_known=(mode**2).sum(axis=0),
    )


def whitened_covariance(
    relative: Array, node: Rows, weight: Array, wrong_dust: Array
) -> list[list[Array]]:
    """Return the covariance of fluxes in units of their noise: lower triangle, row by row, (P,).

    Parameters
    ----------
    relative
        Of relative fluxes at the nodes, shape (B, B, K).
    node
        Of each pair, shape (P,).
    weight
        Flux over noise, shape (B, P).
    wrong_dust
        Relative change of the fluxes per standard deviation of the listed E(B-V), shape (B, P).
    """
    return [
        [
            weight[i] * weight[j] * (relative[i, j][node] + wrong_dust[i] * wrong_dust[j])
            + float(i == j)
            for j in range(i + 1)
        ]
        for i in range(len(weight))
    ]


def factorise(covariance: list[list[Array]]) -> list[Array]:
    """Turn many small matrices into their Cholesky factors at once; return 1 over the diagonals.

    Parameters
    ----------
    covariance
        Lower triangle, row by row; each element of shape (P,). Below the diagonal it is
        overwritten by the factors.
    """
    inverse: list[Array] = []
    for j, row in enumerate(covariance):
        for k in range(j):
            row[j] -= row[k] ** 2
        inverse.append(1.0 / np.sqrt(row[j]))
        for below in covariance[j + 1 :]:
            for k in range(j):
                below[j] -= below[k] * row[k]
            below[j] *= inverse[j]
    return inverse


def forward(factors: list[list[Array]], inverse: list[Array], right: Array) -> Array:
    """Return L^-1 times vectors, shape (B, P)."""
    half = right.copy()
    for j, row in enumerate(factors):
        for k in range(j):
            half[j] -= row[k] * half[k]
        half[j] *= inverse[j]
    return half


def backward(factors: list[list[Array]], inverse: list[Array], half: Array) -> Array:
    """Return L^-T times vectors, shape (B, P)."""
    solved = half.copy()
    for j in reversed(range(len(factors))):
        for i in range(j + 1, len(factors)):
            solved[j] -= factors[i][j] * solved[i]
        solved[j] *= inverse[j]
    return solved
