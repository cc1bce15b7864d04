"""How often pixels have a value: histograms without the comb of the codes that they were stored as.

A code stands for all fluxes that it is the nearest one to. Counted at one flux each, codes that lie
wider than bins leave some bins empty and fill others twice; here each is spread evenly over what it
stands for, as it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zladder.tables.stamp_pixels import code_ends_nmgy

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class ShownPixels:
    """Pixels as they are shown: a rising function of flux times a factor.

    Attributes
    ----------
    flux_nmgy
        Stored pixels, decoded, float32 (N, B, S, S).
    code_scale
        Of the codes that they were: `tables.stamp_pixels.code_scale`, float64 (2, N, B).
    factor
        Per nanomaggy, float32 (N, B).
    function
        Of arrays of any shape.
    """

    flux_nmgy: np.ndarray
    code_scale: np.ndarray
    factor: np.ndarray
    function: Callable[[np.ndarray], np.ndarray]

    @property
    def values(self) -> np.ndarray:
        """Their values, float32 (N, B, S, S)."""
        return self.function(self.flux_nmgy * self.factor[..., None, None])

    def reach(self) -> tuple[float, float]:
        """Return the range of what their codes stand for."""
        extremes = np.stack([self.flux_nmgy.min(axis=(2, 3)), self.flux_nmgy.max(axis=(2, 3))])
        ends = self.function(code_ends_nmgy(extremes, *self.code_scale) * self.factor)
        return float(ends.min()), float(ends.max())

    def shares(self, edges: np.ndarray) -> np.ndarray:
        """Return the share of a band's pixels in each bin, (B, bins).

        Bins are open below: values at the first edge are not counted.
        """
        n_stamps, n_bands = self.factor.shape
        counts = np.zeros((n_bands, len(edges) - 1))
        for stamp, band in np.ndindex(n_stamps, n_bands):
            flux, n = np.unique(self.flux_nmgy[stamp, band], return_counts=True)
            ends = code_ends_nmgy(flux, *self.code_scale[:, stamp, band])  # (2, n)
            values = self.function(ends * self.factor[stamp, band])
            # What one code ends with the next one begins with, but for rounding.
            places = np.maximum.accumulate(values.T.ravel())
            below = np.stack([np.cumsum(n) - n, np.cumsum(n)], axis=1).ravel()
            counts[band] += np.diff(np.interp(edges, places, below, left=0.0))
        return counts / (self.flux_nmgy.size / n_bands)
