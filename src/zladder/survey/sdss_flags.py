"""The columns by which users of SDSS's catalogues remove what is no good galaxy.

Names, types and values are the survey's: PhotoObjAll's ``type`` (3 galaxy, 6 star), ``mode``
(1 primary, 2 secondary), ``clean`` (1, or 0), ``insideMask`` (0, or the bits of its
InsideMask); SpecObjAll's ``class`` and ``zWarning`` (0, or bits).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PHOTO_FLAGS = ("type", "mode", "clean", "insideMask")
IN_MASK_BRIGHT_STAR, IN_MASK_TRAIL = 2, 4
SMALL_DELTA_CHI2 = 4  # bit 2 of zWarning: no redshift fits much better than another
_GOOD: dict[str, Any] = {
    "type": 3,
    "mode": 1,
    "clean": 1,
    "insideMask": 0,
    "class": "GALAXY",
    "zWarning": 0,
}


def flag_columns(z: NDArray[np.float64], **flags: Any) -> pd.DataFrame:
    """Return labels of N listed objects: those of good galaxies but for the flags given.

    Parameters
    ----------
    z
        Shape (N,): the redshift that the spectroscopic catalogue lists.
    **flags
        One value, or one for each object.
    """
    unknown = set(flags) - set(_GOOD)
    if unknown:
        message = f"no flags of SDSS: {sorted(unknown)}"
        raise ValueError(message)
    return pd.DataFrame({"z": z, "lost_band": -1, **_GOOD, **flags}, index=range(len(z)))
