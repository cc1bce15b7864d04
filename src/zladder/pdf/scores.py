"""Scores of densities against the true redshift: one value per object.

``z`` is the grid (n_grid,), ``p`` normalised densities and ``cdf`` their CDF, both (n_objects,
n_grid), ``z_true`` (n_objects,). The CDF is piecewise linear, so that `class_cdf` with the bin
edges as z serves as well. Where the truth is off the grid, or NaN, scores are NaN: `truth_off_grid`
flags the first, and `zladder.pdf.summary` counts both. Proper scores (CRPS, NLL, CDE loss) go
before PIT statistics, which trainZ passes too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zladder.pdf.grid import Floats, at, integral

NLL_FLOOR = 1e-12  # density below which a truth counts as missed altogether


def truth_off_grid(z: Floats, z_true: Floats) -> NDArray[np.bool_]:
    """Flag true redshifts below z[0] or above z[-1], shape (n_objects,)."""
    return (z_true < z[0]) | (z_true > z[-1])


def _only_on_grid(values: Floats, z: Floats, z_true: Floats) -> Floats:
    return np.where(truth_off_grid(z, z_true), np.nan, values)


def pit(z: Floats, cdf: Floats, z_true: Floats) -> Floats:
    """Return the probability integral transform CDF(z_true), linear between nodes.

    Exactly 0 or 1 means outside the support of this object's density.
    """
    return _only_on_grid(at(z, cdf, z_true), z, z_true)


def _split(z: Floats, cdf: Floats, z_true: Floats, power: int) -> Floats:
    """Return integral of F^power below the truth plus (1 - F)^power above it, exactly.

    F is linear between the nodes and z_true is one more node. The truth must be on the grid.
    """
    k = np.clip(np.searchsorted(z, z_true, side="right") - 1, 0, z.size - 2)[:, None]
    segment, step = np.arange(z.size - 1), np.diff(z)
    at_truth, truth = at(z, cdf, z_true)[:, None], z_true[:, None]
    row = np.arange(len(cdf))[:, None]

    def area(left: Floats, right: Floats) -> Floats:
        if power == 1:
            return 0.5 * (left + right)
        return (left * left + left * right + right * right) / 3.0

    below = np.where(segment < k, step * area(cdf[:, :-1], cdf[:, 1:]), 0.0).sum(axis=1)
    above = np.where(segment > k, step * area(1 - cdf[:, :-1], 1 - cdf[:, 1:]), 0.0).sum(axis=1)
    to_truth = (truth - z[k]) * area(cdf[row, k], at_truth)
    from_truth = (z[k + 1] - truth) * area(1 - at_truth, 1 - cdf[row, k + 1])
    return below + above + (to_truth + from_truth)[:, 0]


def crps(z: Floats, cdf: Floats, z_true: Floats) -> Floats:
    """Return the continuous ranked probability score (Gneiting & Raftery 2007).

    Integral of F^2 below the truth plus (1 - F)^2 above, exact for the piecewise-linear F.
    """
    inside = np.clip(z_true, z[0], z[-1])
    return _only_on_grid(_split(z, cdf, inside, power=2), z, z_true)


def crps_extended(z: Floats, cdf: Floats, z_true: Floats) -> Floats:
    """Return the CRPS of every object, its truth on the grid or not.

    Beyond its ends F is 0 or 1, so that the distance from the end to the truth is added: the
    integral on the grid alone is too low there.
    """
    inside = np.clip(z_true, z[0], z[-1])
    return _split(z, cdf, inside, power=2) + np.abs(z_true - inside)


def w1_true(z: Floats, cdf: Floats, z_true: Floats) -> Floats:
    """Return the Wasserstein-1 distance of the density from the truth.

    Integral of F below the truth plus 1 - F above, exact for the piecewise-linear F.
    """
    inside = np.clip(z_true, z[0], z[-1])
    return _only_on_grid(_split(z, cdf, inside, power=1), z, z_true)


def cde_loss(z: Floats, p: Floats, z_true: Floats) -> Floats:
    """Return integral p^2 dz - 2 p(z_true) per object (Izbicki & Lee 2017).

    Its mean is the CDE loss, defined up to a constant. Trapezoid integral; the density at the
    truth is linear between nodes, not that of the nearest one.
    """
    return _only_on_grid(integral(z, p * p) - 2.0 * at(z, p, z_true), z, z_true)


def nll(z: Floats, p: Floats, z_true: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return -ln p(z_true), with p at least 1e-12, and which objects that floor touched."""
    density = at(z, p, z_true)
    floored = (density < NLL_FLOOR) & ~truth_off_grid(z, z_true)
    return _only_on_grid(-np.log(np.maximum(density, NLL_FLOOR)), z, z_true), floored
