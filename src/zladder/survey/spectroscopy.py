"""The spectroscopic list: several programmes, each choosing by what it had seen of the galaxies.

A programme takes galaxies in a window of observed i magnitude and g - i colour, some also in a
window of an earlier photometric redshift; whether a redshift comes out depends on whether strong
lines fall into the spectrograph. All of it is a known function of observed magnitudes and z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.observing import Seen
from zladder.universe.programmes import in_window, photoz_share

REDSHIFT_DECIMALS = 6

Array = NDArray[np.float64]


def targeted(
    rng: np.random.Generator, programme: Mapping[str, Any], seen: Seen, i_band: int, g_band: int
) -> NDArray[np.bool_]:
    """Tell which galaxies lie in a programme's windows; shape (N,)."""
    magnitude, _ = seen.observed()
    window = in_window(programme, magnitude[:, i_band], magnitude[:, g_band])
    return window & (rng.random(len(window)) < photoz_share(programme, seen.galaxies.z))


def spectroscopic_rows(
    rng: np.random.Generator, settings: Mapping[str, Any], z: Array
) -> pd.DataFrame:
    """Return the redshift columns of galaxies with spectra; N rows.

    Most redshifts are right to the scatter; of those not flagged homogeneous, half are wrong.
    """
    n = len(z)
    flag = rng.random(n) >= settings["inhomogeneous_share"]
    wrong = ~flag & (rng.random(n) < 0.5)
    other = rng.permutation(z) if n else z
    listed = np.where(wrong, other, z) + settings["redshift_scatter"] * rng.normal(size=n)
    error = settings["redshift_scatter"] * np.exp(0.3 * rng.normal(size=n))
    return pd.DataFrame(
        {
            "specz_redshift": listed.round(REDSHIFT_DECIMALS),
            "specz_redshift_err": error.round(REDSHIFT_DECIMALS),
            "specz_flag_homogeneous": flag,
        }
    )
