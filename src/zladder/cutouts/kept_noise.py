"""How much of a frame's noise a stamp on a grid of its own keeps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from zladder.cutouts.resample import TAPS, kernel_table

if TYPE_CHECKING:
    from collections.abc import Sequence

_POSITIONS = 256  # between two pixels
# Pixels of a stamp that are looked at, as shares of its side: they look drawn at random, so that
# the periods of grids mean nothing to them. The error is 0.5 % (rms over turns and scales).
_POINTS = np.arange(1, 145)[:, None] ** 2 * np.sqrt([2.0, 3.0]) % 1.0


def noise_shares(grids: np.ndarray, side: int, correlation: Sequence[float] = ()) -> np.ndarray:
    """Return the scatter of a stamp's pixels over that of its frame's, float64 (N,).

    A pixel between others is a weighted mean of them: of white noise the scatter is 1 where it lies
    on one, 0.78 in the middle of four, 0.893 on average. Stamps whose grid is turned against the
    frame's have all positions, others one. The variance along one axis is sum_d A(d) rho(d), A the
    autocorrelation of the weights; rho is taken to be the product of that of both axes.

    Parameters
    ----------
    grids
        As `resample.sky_grids` gives them, (N, 2, 3).
    side
        Of the stamps in pixels.
    correlation
        rho(1), rho(2), …: of the frame's pixels with those further along; nothing: white noise.
    """
    steps = np.floor(_POINTS * side).T - (side - 1) / 2
    known = np.where(np.isfinite(grids).all(axis=(1, 2), keepdims=True), grids, 0.0)
    known[:, :, 2] %= 1.0
    fine = (known * _POSITIONS).astype(np.float32)
    places = fine[:, :, :2] @ steps.astype(np.float32)
    places += fine[:, :, 2:]
    weights = 2.0 * np.array([0.5, *correlation])
    variance = np.maximum(weights @ _autocorrelation()[: len(weights)], 0.0).astype(np.float32)
    along, up = np.moveaxis(variance.take(places.astype(np.int32) & (_POSITIONS - 1)), 1, 0)
    shares: np.ndarray = np.sqrt(np.einsum("nk,nk->n", along, up) / len(_POINTS))
    return shares


@lru_cache(maxsize=1)
def _autocorrelation() -> np.ndarray:
    """Return the sum of the products of weights d apart, (6, positions between two pixels)."""
    table = kernel_table()
    weights = table[:, :: table.shape[1] // _POSITIONS].astype(np.float64)
    apart = [(weights[lag:] * weights[: TAPS - lag]).sum(axis=0) for lag in range(TAPS)]
    return np.array(apart)
