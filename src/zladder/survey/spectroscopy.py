"""The spectroscopic list: several programmes, each choosing by what it had seen of the galaxies.

A programme takes galaxies in a window of i magnitude, as earlier photometry saw it, and of g - i
colour, some also in a window of an earlier photometric redshift; whether a redshift comes out
depends on whether strong lines fall into the spectrograph. All of it is a known function of
observed magnitudes and z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.observing import Seen
from zladder.universe.programmes import photoz_share, window_share

REDSHIFT_DECIMALS = 6

Array = NDArray[np.float64]
Bands = tuple[int, int]


def targeted(
    rng: np.random.Generator, settings: Mapping[str, Any], name: str, seen: Seen, bands: Bands
) -> NDArray[np.bool_]:
    """Tell which galaxies a programme takes for targets; shape (N,).

    ``settings`` is the block ``spectroscopy``; ``bands`` are the places of i and g.
    """
    programme, (magnitude, _) = settings["programmes"][name], seen.observed()
    i_mag, g_mag = magnitude[:, bands[0]], magnitude[:, bands[1]]
    window = window_share(programme, settings["target_scatter_mag"], i_mag, g_mag)
    return rng.random(len(window)) < window * photoz_share(programme, seen.galaxies.z)


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
