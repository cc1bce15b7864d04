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
from scipy.special import expit, ndtr

from zladder.survey.observing import Seen

REDSHIFT_DECIMALS = 6
# vacuum wavelengths; of [O II] the doublet's middle
H_ALPHA_ANGSTROM, OXYGEN_II_ANGSTROM, LYMAN_ALPHA_ANGSTROM = 6564.6, 3728.5, 1215.67

Array = NDArray[np.float64]


def targeted(
    rng: np.random.Generator, programme: Mapping[str, Any], seen: Seen, i_band: int, g_band: int
) -> NDArray[np.bool_]:
    """Tell which galaxies lie in a programme's windows; shape (N,)."""
    magnitude, _ = seen.observed()
    i_mag, g_i_mag = magnitude[:, i_band], magnitude[:, g_band] - magnitude[:, i_band]
    with np.errstate(invalid="ignore"):  # NaN: not detected, not chosen
        window = (i_mag >= programme["i_bright_mag"]) & (i_mag < programme["i_faint_mag"])
        window &= (g_i_mag >= programme["g_i_min_mag"]) & (g_i_mag < programme["g_i_max_mag"])
    return window & (rng.random(len(window)) < _photoz_share(programme, seen.galaxies.z))


def _photoz_share(programme: Mapping[str, Any], z: Array) -> Array:
    """Probability that a photometric redshift of the programme's scatter is in its window."""
    scatter = programme["photoz_scatter"] * (1 + z)
    above = ndtr((z - programme["photoz_min"]) / scatter)
    return above - ndtr((z - programme["photoz_max"]) / scatter)


def success_share(settings: Mapping[str, Any], z: Array, i_mag: Array) -> Array:
    """Probability that a spectrum gives a redshift, by visible lines and observed brightness.

    With H alpha in the spectrograph there are many lines (``success``); with only [O II] or only
    Lyman alpha one strong line (``one_line_success``); with none of them, between z = 1.5 and 2,
    almost nothing (``no_line_success``). Faint spectra fail more often: half of them at
    ``half_i_mag``, a logistic law.

    Parameters
    ----------
    settings
        Block ``spectroscopy``.
    z, i_mag
        Shape (N,); NaN in the observed i magnitude (not detected) gives 0.
    """
    blue, red = settings["blue_end_angstrom"], settings["red_end_angstrom"]
    alpha = H_ALPHA_ANGSTROM * (1 + z) < red
    one = (OXYGEN_II_ANGSTROM * (1 + z) < red) | (LYMAN_ALPHA_ANGSTROM * (1 + z) > blue)
    by_lines = np.where(one, settings["one_line_success"], settings["no_line_success"])
    by_lines = np.where(alpha, settings["success"], by_lines)
    bright = expit((settings["half_i_mag"] - i_mag) / settings["width_mag"])
    return np.where(np.isnan(i_mag), 0.0, by_lines * bright)


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
