"""Positions as points on the unit sphere, for trees of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ARCSEC_PER_RADIAN = 3600.0 * 180.0 / np.pi


def chord(angle_arcsec: float) -> float:
    """Return the straight distance of points this angle apart, a rounding error added."""
    return float(2.0 * np.sin(angle_arcsec / ARCSEC_PER_RADIAN / 2.0)) + 1e-15


def unit_vectors(frame: pd.DataFrame) -> np.ndarray:
    """Return points on the unit sphere, float64 (N, 3)."""
    ra, dec = np.deg2rad(frame["ra"].to_numpy()), np.deg2rad(frame["dec"].to_numpy())
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
