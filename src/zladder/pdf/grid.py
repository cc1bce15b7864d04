"""Densities on a redshift grid: their checks, normalisation, CDF and quantiles.

Everywhere: ``z`` is one grid for all objects, shape (n_grid,), strictly increasing; ``p`` the
densities per unit redshift, shape (n_objects, n_grid); ``cdf`` has the same shape. A classifier's
PMF has ``bin_edges`` (n_bins + 1,); its CDF stands on the edges and serves as ``cdf`` there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zladder.provenance.errors import BadInput

Floats = NDArray[np.float64]

NORM_TOLERANCE = 1e-6


def check_grid(z: Floats, source: str = "pdf") -> None:
    """Raise `BadInput` unless z is a grid: (n_grid,), n_grid >= 2, finite, strictly increasing."""
    expected = "a grid of two or more finite redshifts that increase strictly"
    hint = "write one grid for all objects, without repeated values"
    if z.ndim != 1 or z.size < 2:
        raise BadInput(source, "z grid", expected, found=f"shape {z.shape}", hint=hint)
    wrong = np.flatnonzero(~(np.diff(z) > 0) | ~np.isfinite(z[1:]))
    if not np.isfinite(z[0]) or wrong.size:
        k = int(wrong[0]) + 1 if np.isfinite(z[0]) else 0
        found = f"{z[k]}" if k == 0 else f"{z[k]} after {z[k - 1]}"
        raise BadInput(source, f"z grid, point {k + 1}", expected, found, hint)


def _check_values(z: Floats, p: Floats, source: str) -> None:
    """Raise `BadInput` unless p is (n_objects, n_grid), finite and nowhere below 0."""
    if p.ndim != 2 or p.shape[1] != z.size:
        expected = f"(n_objects, {z.size})"
        raise BadInput(source, "p", expected, f"{p.shape}", hint="one row of densities per object")
    wrong = np.argwhere(~(np.isfinite(p) & (p >= 0)))
    if wrong.size:
        row, column = wrong[0]
        place = f"p, row {row + 1}, z = {z[column]:g}"
        hint = "clip the densities at 0 and flag the objects that have none"
        raise BadInput(source, place, "a finite density >= 0", f"{p[row, column]}", hint)


def integral(z: Floats, values: Floats) -> Floats:
    """Return the trapezoid integral over z along the last axis, shape (n_objects,)."""
    return np.sum(0.5 * (values[..., 1:] + values[..., :-1]) * np.diff(z), axis=-1)


def check_pdf(z: Floats, p: Floats, source: str = "pdf") -> None:
    """Raise `BadInput` unless p are densities on z: finite, >= 0, integral 1 within 1e-6.

    ``source`` is the file that the message names. Rows are counted from 1.
    """
    check_grid(z, source)
    _check_values(z, p, source)
    norm = integral(z, p)
    wrong = np.flatnonzero(np.abs(norm - 1.0) > NORM_TOLERANCE)
    if wrong.size:
        row = int(wrong[0])
        expected = f"a trapezoid integral of 1 within {NORM_TOLERANCE:g}"
        hint = "divide each row by its trapezoid integral (zladder.pdf.grid.normalise)"
        raise BadInput(source, f"p, row {row + 1}", expected, f"{norm[row]:.9g}", hint)


def normalise(z: Floats, p: Floats, source: str = "pdf") -> Floats:
    """Return p divided by its trapezoid integral, shape (n_objects, n_grid).

    Raises
    ------
    BadInput
        For a grid that does not increase, densities below 0 or not finite, and rows that are 0.
    """
    check_grid(z, source)
    _check_values(z, p, source)
    norm = integral(z, p)
    wrong = np.flatnonzero(~(norm > 0))
    if wrong.size:
        hint = "leave this object out and count it, or give it the prior"
        raise BadInput(source, f"p, row {wrong[0] + 1}", "some density above 0", "none", hint)
    return p / norm[:, None]


def cumulative(z: Floats, p: Floats) -> Floats:
    """Return the CDF by cumulative trapezoid, (n_objects, n_grid): 0 at z[0] and 1 at z[-1]."""
    cdf = np.zeros(p.shape)
    np.cumsum(0.5 * (p[:, 1:] + p[:, :-1]) * np.diff(z), axis=1, out=cdf[:, 1:])
    return cdf / cdf[:, -1:]


def class_cdf(pmf: Floats) -> Floats:
    """Return the CDF at the bin edges, (n_objects, n_bins + 1), of a PMF (n_objects, n_bins)."""
    cdf = np.zeros((pmf.shape[0], pmf.shape[1] + 1))
    np.cumsum(pmf, axis=1, out=cdf[:, 1:])
    return cdf / cdf[:, -1:]


def class_centres(bin_edges: Floats) -> Floats:
    """Return the centres of the bins, (n_bins,): the redshifts that classes stand for.

    Left edges in their place shift z by half a bin, ten times the published biases.
    """
    return 0.5 * (bin_edges[1:] + bin_edges[:-1])


def at(z: Floats, values: Floats, where: Floats) -> Floats:
    """Return each object's values at its own redshift, linear between nodes, shape (n_objects,).

    ``values`` is (n_objects, n_grid), ``where`` (n_objects,); redshifts off the grid take the value
    at its end, NaN gives NaN. Exact at the nodes and on flat stretches.
    """
    k = np.clip(np.searchsorted(z, where, side="right") - 1, 0, z.size - 2)
    t = np.clip((where - z[k]) / (z[k + 1] - z[k]), 0.0, 1.0)
    row = np.arange(len(values))
    low, high = values[row, k], values[row, k + 1]
    return np.where(t < 0.5, low + t * (high - low), high - (1.0 - t) * (high - low))


def quantile(z: Floats, cdf: Floats, level: float) -> Floats:
    """Return where the piecewise-linear CDF reaches a level, 0 < level < 1, shape (n_objects,).

    On a flat stretch of the CDF: its lowest redshift.
    """
    k = np.argmax(cdf >= level, axis=1)  # first node at or above; k >= 1 since cdf[0] = 0
    row = np.arange(len(cdf))
    low, high = cdf[row, k - 1], cdf[row, k]
    return z[k - 1] + (level - low) / (high - low) * (z[k] - z[k - 1])
