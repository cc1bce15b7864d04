"""HEALPix cells of positions."""

from __future__ import annotations

import numpy as np
from astropy import units
from astropy_healpix import HEALPix


def healpix_index(ra: np.ndarray, dec: np.ndarray, order: int) -> np.ndarray:
    """Return the nested HEALPix index of ICRS positions in deg, int64, same shape."""
    grid = HEALPix(nside=2**order, order="nested")
    return grid.lonlat_to_healpix(ra * units.deg, dec * units.deg).astype(np.int64)
