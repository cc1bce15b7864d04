"""Stars of the Milky Way, as contaminants: black bodies, brighter ones rarer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zladder.survey.observing import Dust, Instrument, Seen
from zladder.universe.dust import extinction_curve
from zladder.universe.galaxies import Galaxies
from zladder.universe.noise import miscalibrated, observe

PLANCK_OVER_BOLTZMANN_ANGSTROM_K = 1.43877688e8  # h c / k
TEMPERATURE_K = (3500.0, 8000.0)
N_TEMPERATURES = 1000
I_RANGE_MAG = (18.0, 25.5)
COUNTS_SLOPE_PER_MAG = 0.15  # d log10 N / d mag, as faint counts at high latitude have it

Array = NDArray[np.float64]


def star_magnitudes(
    rng: np.random.Generator,
    n: int,
    effective_angstrom: Array,
    i_band: int,
    i_range_mag: Sequence[float] = I_RANGE_MAG,
) -> Array:
    """Draw stars' AB magnitudes in the bands, shape (n, B), scaled to an i magnitude each."""
    low, high = (10 ** (COUNTS_SLOPE_PER_MAG * mag) for mag in i_range_mag)
    i_mag = np.log10(rng.uniform(low, high, n)) / COUNTS_SLOPE_PER_MAG
    coolest, hottest = np.log(TEMPERATURE_K)
    temperature_k = np.exp(rng.uniform(coolest, hottest, n))
    shape_mag = _planck_mag(effective_angstrom, temperature_k)
    return i_mag[:, None] + shape_mag - shape_mag[:, i_band, None]


def same_stars(magnitude: Array, from_angstrom: Array, to_angstrom: Array) -> Array:
    """Return the magnitudes of stars in other bands, shape (N, B'), from those they have (N, B).

    A black body's colour tells its temperature: the first band minus the last one, through a
    table good to 1e-4 mag.
    """
    temperatures = np.geomspace(*TEMPERATURE_K, N_TEMPERATURES)
    ends = _planck_mag(from_angstrom[[0, -1]], temperatures)
    colour = ends[:, 0] - ends[:, 1]  # falls as the temperature rises
    found = magnitude[:, 0] - magnitude[:, -1]
    temperature_k = np.interp(found, colour[::-1], temperatures[::-1])
    level = magnitude[:, :1] - _planck_mag(from_angstrom[:1], temperature_k)
    return level + _planck_mag(to_angstrom, temperature_k)


def _planck_mag(wavelength_angstrom: Array, temperature_k: Array) -> Array:
    """Return Planck's law per frequency as magnitudes of any zero point, shape (N, B)."""
    x = PLANCK_OVER_BOLTZMANN_ANGSTROM_K / (wavelength_angstrom * temperature_k[:, None])
    return 2.5 * np.log10(np.expm1(x) * wavelength_angstrom**3)


def seen_stars(
    rng: np.random.Generator,
    instrument: Instrument,
    dust: Dust,
    position: tuple[Array, Array],
    i_range_mag: Sequence[float] = I_RANGE_MAG,
) -> Seen:
    """Return what a survey sees of stars behind all the dust; their galaxy columns are NaN."""
    n = len(position[0])
    wave = instrument.effective_angstrom
    magnitude = star_magnitudes(rng, n, wave, instrument.bands.index("i"), i_range_mag)
    ebv, stored = dust.at(position)
    dimmed = magnitude + ebv[:, None] * extinction_curve(wave)
    recorded = miscalibrated(rng, dimmed, instrument.depth)
    flux, error = observe(rng, recorded, instrument.depth)
    return Seen(no_galaxies(n), *position, ebv, stored, magnitude, dimmed, recorded, flux, error)


def no_galaxies(n: int) -> Galaxies:
    """Return the galaxy columns of ``n`` objects that are none: NaN."""
    nothing = np.full(n, np.nan)
    return Galaxies(
        z=nothing,
        abs_mag_r=nothing,
        is_early=np.zeros(n, dtype=bool),
        sed_type=nothing,
        ebv_internal_mag=nothing,
        sed_modes=np.full((n, 3), np.nan),
        structure=nothing,
        cos_inclination=nothing,
    )
