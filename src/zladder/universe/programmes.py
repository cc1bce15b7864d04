"""Spectroscopic programmes: whom they take, and which spectra give a redshift.

A programme takes galaxies in a window of i magnitude, as earlier photometry saw it, and of g - i
colour, some also in a window of an earlier photometric redshift; whether a redshift comes out
depends on whether strong lines fall into the spectrograph. All of it is a known function of
observed magnitudes and z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

# vacuum wavelengths; of [O II] the doublet's middle
H_ALPHA_ANGSTROM, OXYGEN_II_ANGSTROM, LYMAN_ALPHA_ANGSTROM = 6564.6, 3728.5, 1215.67
TARGET_SIGMAS = 3.0  # a limit is felt no farther
SPECZ_RANGE = (0.01, 4.0)  # of usable labels, without its ends; the samples are cut there too

Array = NDArray[np.float64]


def window_share(
    programme: Mapping[str, Any], target_scatter_mag: float, i_mag: Array, g_mag: Array
) -> Array:
    """Probability that a programme took galaxies of these observed magnitudes for targets, (N,).

    It chose on earlier photometry: what this called brighter than a limit scatters by
    ``target_scatter_mag`` about it here. NaN (not detected) is never chosen.
    """
    g_i_mag = g_mag - i_mag
    bright = ndtr((i_mag - programme["i_bright_mag"]) / target_scatter_mag)
    faint = ndtr((programme["i_faint_mag"] - i_mag) / target_scatter_mag)
    with np.errstate(invalid="ignore"):
        colour = (g_i_mag >= programme["g_i_min_mag"]) & (g_i_mag < programme["g_i_max_mag"])
    share = np.maximum(bright + faint - 1.0, 0.0)
    return np.where(colour & np.isfinite(share), share, 0.0)


def faintest_target_mag(spectroscopy: Mapping[str, Any], programme: Mapping[str, Any]) -> float:
    """Return the i magnitude beyond which next to nothing is a programme's target."""
    scatter: float = spectroscopy["target_scatter_mag"]
    return float(programme["i_faint_mag"]) + TARGET_SIGMAS * scatter


def photoz_share(programme: Mapping[str, Any], z: Array) -> Array:
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
