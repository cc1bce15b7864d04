"""The oracle: p(z | observed fluxes, listed E(B-V), selected) under the population that was made.

It knows everything that was put into the mock sky but what is drawn galaxy by galaxy: class, type,
own dust, luminosity, modes, calibration, the dust map's error. Cuts on what is observed are the
same for all redshifts and drop out; what depends on the redshift beyond the data stands in a
selection function. It is exact but for first-order colours within a cell of the grid, and because
the error of the dust map is taken as independent from galaxy to galaxy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from zladder.evaluate.oracle_density import class_shares
from zladder.evaluate.oracle_grid import Nodes
from zladder.evaluate.oracle_likelihood import Columns, Observed, pair_log_likelihood
from zladder.evaluate.oracle_prior import Prior
from zladder.evaluate.oracle_selection import candidates
from zladder.evaluate.oracle_structure import (
    StructureLaws,
    bulge_log_likelihood,
    disc_dust_log_shares,
    structure_log_weights,
)
from zladder.universe.noise import Depth
from zladder.universe.structure import Structure

CHUNK_PAIRS = 30_000  # what of them stays in the cache

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Shares = NDArray[np.float32]
# ln of the probability that a galaxy of given redshift and data was selected, shape (N, Z)
Selection = Callable[[Observed, Array], Array]


@dataclass(frozen=True)
class Oracle:
    """What the oracle knows of one sample.

    Attributes
    ----------
    nodes, columns, prior
        The population, on a grid.
    depth
        Of the survey.
    stored_relative_error
        Of the listed E(B-V).
    anchor
        Number of the band that fixes the luminosity.
    selection
        What of the selection depends on the redshift beyond the data.
    edges
        Edges of the classes of redshift in which the answer is given, shape (bins + 1,).
    """

    nodes: Nodes
    columns: Columns
    prior: Prior
    depth: Depth
    stored_relative_error: float
    anchor: int
    selection: Selection
    edges: Array


def anywhere(seen: Observed, z: Array) -> Array:
    """Return zeros: a selection by what is observed alone; shape (N, Z)."""
    return np.zeros((len(seen.flux), len(z)))


def posterior(oracle: Oracle, seen: Observed) -> Shares:
    """Return the probability of each class of redshift, shape (N, bins); rows sum to 1 (or NaN).

    Parameters
    ----------
    oracle
        What is known.
    seen
        N galaxies with finite fluxes, positive in the anchor band. One that no node explains has
        NaN for an answer.
    """
    return _posteriors(oracle, seen, None, None)[0]


def posterior_pair(
    oracle: Oracle, laws: StructureLaws, seen: Observed, structure: Structure
) -> tuple[Shares, Shares]:
    """Return the probabilities given the fluxes, and those given their structure as well."""
    fluxes, both = _posteriors(oracle, seen, laws, structure)
    return fluxes, both


def _posteriors(
    oracle: Oracle, seen: Observed, laws: StructureLaws | None, structure: Structure | None
) -> list[Shares]:
    z = np.unique(oracle.nodes.z)
    n = 1 if laws is None else 2
    shape = (len(seen.flux), len(oracle.edges) - 1)
    found = [np.full(shape, np.nan, dtype=np.float32) for _ in range(n)]
    groups = candidates(oracle.nodes, oracle.prior, oracle.depth, oracle.anchor, seen)
    for rows, galaxy, node in groups:
        if len(galaxy) == 0:
            continue
        part = seen.part(rows)
        shapes = None if structure is None else structure.part(rows)
        place = np.searchsorted(z, oracle.nodes.z[node])
        selected = partial(oracle.selection, part)
        for pmf, weight in zip(
            found, _log_weights(oracle, part, (galaxy, node), laws, shapes), strict=True
        ):
            log_density = _summed(weight, galaxy, place, (len(rows), len(z)))
            pmf[rows] = class_shares(z, log_density, oracle.edges, selected)
    return found


def _log_weights(
    oracle: Oracle,
    seen: Observed,
    pairs: tuple[Rows, Rows],
    laws: StructureLaws | None,
    structure: Structure | None,
) -> list[Array]:
    """Return ln of the joint density of data and node, but for a constant; shape (P,) each.

    The data are the fluxes; with structure, a second time these and it.
    """
    weights: list[list[Array]] = [[], []]
    known = laws is not None and structure is not None
    if laws is not None and structure is not None:
        tables = bulge_log_likelihood(laws, structure), disc_dust_log_shares(laws, structure)
    for start in range(0, len(pairs[0]), CHUNK_PAIRS):
        galaxy, node = (part[start : start + CHUNK_PAIRS] for part in pairs)
        answer = pair_log_likelihood(
            oracle.columns, oracle.depth, oracle.stored_relative_error, oracle.anchor, seen,
            (galaxy, node), with_mode=known,
        )  # fmt: skip
        weights[0].append(answer.log_likelihood + oracle.prior(node, answer.abs_mag_r))
        if laws is not None and structure is not None:
            more = structure_log_weights(
                laws, oracle.prior, structure, (galaxy, node), answer, tables
            )
            weights[1].append(weights[0][-1] + more)
    return [np.concatenate(parts) for parts in weights if parts]


def _summed(weight: Array, galaxy: Rows, place: Rows, shape: tuple[int, int]) -> Array:
    """Return ln of the sum over the pairs of each galaxy and redshift; sorted by galaxy."""
    first = np.flatnonzero(np.diff(galaxy, prepend=-1))
    peak = np.full(shape[0], -np.inf)
    peak[galaxy[first]] = np.maximum.reduceat(weight, first)
    where = galaxy * shape[1] + place
    shares = np.bincount(where, np.exp(weight - peak[galaxy]), minlength=shape[0] * shape[1])
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(shares.reshape(shape)) + peak[:, None])
