"""The nodes of the oracle: populations of galaxies alike but for luminosity, modes and errors.

A node is a class, a redshift, and a cell of type and own dust. Within the cell, colours follow
the cell's middle to first order, so that cells may be as wide as colours are uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from zladder.universe.densities import DUST_MAG_R, disc_dust_shares, early_dust_shares
from zladder.universe.galaxies import Galaxies
from zladder.universe.photometry import PhotometryTable, magnitudes

STEP_LN_1Z = 0.004
TYPE_STEP = {"early": 0.036, "late": 0.10}
TYPE_RANGE = {"early": (0.0, 0.9), "late": (0.4, 3.0)}  # the ends of `appearance.type_law`
EARLY_DUST_EDGES_MAG = np.array([0.0, 0.01, 0.02, 0.05])
LATE_DUST_EDGES_MAG = np.array(
    [0, 0.012, 0.025, 0.04, 0.055, 0.07, 0.09, 0.11, 0.135, 0.165, 0.2, 0.24, 0.29, 0.36, 0.5, 0.9]
)
LN_PER_MAG = 0.4 * np.log(10.0)
PROBE = 0.01  # step of numerical derivatives in type and E(B-V)

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Nodes:
    """K nodes in B bands, sorted by redshift.

    Attributes
    ----------
    z, is_early
        Shape (K,).
    type_low, type_high
        Shape (K,): the cell of the type; equal for galaxies at an end of their law.
    dust_cell, dust_mag
        Shape (K,): column of `dust_log_shares`, and E(B-V) in the middle of the cell.
    magnitude
        Shape (K, B): apparent, of a galaxy with M_r = 0, without Milky-Way dust.
    reddening
        Shape (K, B, 2), as `photometry.magnitudes` gives it.
    spread
        Shape (K, B, D): relative change of the flux per standard deviation of each direction in
        which galaxies of the node differ: three modes, type and dust within the cell.
    """

    z: Array
    is_early: NDArray[np.bool_]
    type_low: Array
    type_high: Array
    dust_cell: Rows
    dust_mag: Array
    magnitude: Array
    reddening: Array
    spread: Array

    def part(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Nodes:
        """Return some of the nodes."""
        return Nodes(*(getattr(self, field.name)[rows] for field in fields(self)))


def dust_log_shares() -> Array:
    """Return ln of the share of each dust cell at `DUST_MAG_R`, early cells first; (M, cells)."""
    early = np.tile(early_dust_shares(EARLY_DUST_EDGES_MAG), (len(DUST_MAG_R), 1))
    shares = np.concatenate([early, disc_dust_shares(LATE_DUST_EDGES_MAG)], axis=1)
    return np.log(np.maximum(shares, 1e-30))


def make_nodes(
    table: PhotometryTable, mode_rms: Sequence[float], z_min: float, z_max: float, coarse: int = 1
) -> Nodes:
    """Return the nodes between two redshifts; both are nodes.

    Parameters
    ----------
    table
        The survey's bands.
    mode_rms
        Relative amplitudes of the three modes.
    z_min, z_max
        The range.
    coarse
        So many times wider cells of redshift and type, for photometry that tells no finer.
    """
    steps = int(np.ceil(np.log((1 + z_max) / (1 + z_min)) / (coarse * STEP_LN_1Z)))
    z = np.expm1(np.linspace(np.log1p(z_min), np.log1p(z_max), steps + 1))
    cells = _joined([_cells(name, coarse) for name in TYPE_RANGE])
    every = np.tile(np.arange(len(cells.type_low)), len(z))
    cells = cells.part(every)
    n = len(every)
    galaxies = Galaxies(
        z=np.repeat(z, n // len(z)), abs_mag_r=np.zeros(n), is_early=cells.is_early,
        sed_type=0.5 * (cells.type_low + cells.type_high), ebv_internal_mag=cells.dust_mag,
        sed_modes=np.zeros((n, 3)), structure=np.zeros(n), cos_inclination=np.ones(n),
    )  # fmt: skip
    magnitude, reddening = magnitudes(table, galaxies)
    scatter = [(cells.type_high - cells.type_low) / np.sqrt(12), cells.dust_scatter_mag]
    spread = _spread(table, galaxies, np.asarray(mode_rms), scatter)
    return Nodes(
        galaxies.z, cells.is_early, cells.type_low, cells.type_high, cells.dust_cell,
        galaxies.ebv_internal_mag, magnitude, reddening, spread,
    )  # fmt: skip


@dataclass(frozen=True)
class _Cells:
    """Cells of one or both classes, shape (C,) each; the dust has a mean and a scatter in each."""

    type_low: Array
    type_high: Array
    dust_mag: Array
    dust_scatter_mag: Array
    dust_cell: Rows
    is_early: NDArray[np.bool_]

    def part(self, rows: Rows) -> _Cells:
        """Return some of the cells, any number of times."""
        return _Cells(*(getattr(self, field.name)[rows] for field in fields(self)))


def _joined(parts: Sequence[_Cells]) -> _Cells:
    columns = (np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(_Cells))
    return _Cells(*columns)


def _cells(name: str, coarse: int) -> _Cells:
    """Return the cells of one class; those at the ends of the type's range have no width."""
    first, last = TYPE_RANGE[name]
    edges = np.linspace(first, last, round((last - first) / TYPE_STEP[name] / coarse) + 1)
    low = np.concatenate([edges[:1], edges[:-1], edges[-1:]])
    high = np.concatenate([edges[:1], edges[1:], edges[-1:]])
    early = name == "early"
    dust, scatter = _early_dust() if early else _late_dust()
    number = np.arange(len(dust)) + (0 if early else len(EARLY_DUST_EDGES_MAG) - 1)
    n_type, n_dust = len(low), len(dust)
    return _Cells(
        np.repeat(low, n_dust), np.repeat(high, n_dust), np.tile(dust, n_type),
        np.tile(scatter, n_type), np.tile(number, n_type), np.full(n_type * n_dust, early),
    )  # fmt: skip


def _late_dust() -> tuple[Array, Array]:
    """Return mean and scatter of E(B-V) in discs' cells, as if even within each."""
    low, high = LATE_DUST_EDGES_MAG[:-1], LATE_DUST_EDGES_MAG[1:]
    return 0.5 * (low + high), (high - low) / np.sqrt(12)


def _early_dust() -> tuple[Array, Array]:
    """Return mean and scatter of E(B-V) in early types' cells, whose law falls steeply."""
    fine = np.linspace(EARLY_DUST_EDGES_MAG[0], EARLY_DUST_EDGES_MAG[-1], 2001)
    share, middle = early_dust_shares(fine), 0.5 * (fine[1:] + fine[:-1])
    cell = np.digitize(middle, EARLY_DUST_EDGES_MAG) - 1
    total = np.bincount(cell, share)
    mean = np.bincount(cell, share * middle) / total
    return mean, np.sqrt(np.bincount(cell, share * middle**2) / total - mean**2)


def _spread(
    table: PhotometryTable, galaxies: Galaxies, mode_rms: Array, scatter: Sequence[Array]
) -> Array:
    """Return the relative change of fluxes per standard deviation of each direction, (K, B, 5)."""
    base = magnitudes(table, galaxies)[0]
    found = []
    for k, rms in enumerate(mode_rms):
        modes = np.zeros((len(galaxies.z), len(mode_rms)))
        modes[:, k] = PROBE
        changed = magnitudes(table, replace(galaxies, sed_modes=modes))[0]
        found.append((base - changed) * (rms / PROBE))
    for key, sigma in zip(("sed_type", "ebv_internal_mag"), scatter, strict=True):
        high = getattr(galaxies, key) + PROBE
        low = np.maximum(high - 2 * PROBE, 0.0)
        change = (
            magnitudes(table, replace(galaxies, **{key: low}))[0]
            - magnitudes(table, replace(galaxies, **{key: high}))[0]
        )
        found.append(change * (sigma / (high - low))[:, None])
    return LN_PER_MAG * np.stack(found, axis=-1)
