"""Filter curves: each as the weights of a sum over wavelengths that gives an AB magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import speclite.filters
from numpy.typing import NDArray

from zladder.provenance.errors import BadInput

MAX_STEP_ANGSTROM = 10.0
MIN_STEP_ANGSTROM = 4.0  # finer curves are thinned: ten times the work, less than 1 mmag
AB_ZERO_JY = 3630.780547701  # 10 ** (-0.4 * 48.6) erg/s/cm2/Hz: the definition of AB magnitudes
SPEED_OF_LIGHT_ANGSTROM_PER_S = 2.99792458e18
JY_CGS = 1e-23

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A filter, ready to be summed.

    Attributes
    ----------
    name
        The band's letter.
    wavelength_angstrom
        Observed wavelengths, shape (L,), steps of 4 to 10 angstrom or the curve's own.
    weight
        Shape (L,): ``-2.5 log10(sum(f_lambda * weight))`` is the AB magnitude of a spectrum
        ``f_lambda`` in erg/s/cm2/angstrom.
    """

    name: str
    wavelength_angstrom: Array
    weight: Array

    @property
    def cells_angstrom(self) -> tuple[Array, Array]:
        """The lower and upper ends of what each wavelength stands for, shape (L,) each."""
        middle = 0.5 * (self.wavelength_angstrom[1:] + self.wavelength_angstrom[:-1])
        first, last = self.wavelength_angstrom[[0]], self.wavelength_angstrom[[-1]]
        return np.concatenate([first, middle]), np.concatenate([middle, last])

    @property
    def effective_angstrom(self) -> float:
        """The mean wavelength of the photons counted from a flat AB spectrum."""
        photons = self.weight * ab_spectrum(self.wavelength_angstrom)
        return float(np.sum(photons * self.wavelength_angstrom) / np.sum(photons))


def ab_spectrum(wavelength_angstrom: Array) -> Array:
    """Return f_lambda (erg/s/cm2/angstrom) of a source of AB magnitude zero."""
    return AB_ZERO_JY * JY_CGS * SPEED_OF_LIGHT_ANGSTROM_PER_S / wavelength_angstrom**2


def load_bands(filter_names: Mapping[str, str], place: str) -> tuple[Band, ...]:
    """Load speclite's curves, in the order given.

    Parameters
    ----------
    filter_names
        Band letter -> speclite name, such as ``{"g": "hsc2017-g"}``.
    place
        Where in the config they stand, for the message.

    Raises
    ------
    BadInput
        If speclite has no such filter.
    """
    return tuple(
        _load_band(letter, name, f"{place}/{letter}") for letter, name in filter_names.items()
    )


def _load_band(letter: str, name: str, place: str) -> Band:
    try:
        response = speclite.filters.load_filter(str(name), verbose=False)
    except (ValueError, OSError) as error:
        group = str(name).split("-")[0]
        raise BadInput(
            "config",
            place,
            "the name of a filter of speclite, such as sdss2010-r or hsc2017-i2",
            repr(name),
            f"speclite's documentation lists the bands of group '{group}', if it has that group",
        ) from error
    wave = _refined(np.asarray(response.wavelength, dtype=np.float64))
    curve = np.interp(wave, response.wavelength, response.response)
    steps = np.diff(wave)
    trapezium = 0.5 * (np.append(steps, 0.0) + np.append(0.0, steps))
    photons = trapezium * wave * curve  # CCDs count photons: one more power of wavelength
    return Band(letter, wave, photons / np.sum(photons * ab_spectrum(wave)))


def _refined(wave: Array) -> Array:
    """Return the grid thinned and with points added: steps between the two limits."""
    if np.median(np.diff(wave)) < MIN_STEP_ANGSTROM:
        return np.linspace(wave[0], wave[-1], int(np.ptp(wave) / MIN_STEP_ANGSTROM) + 1)
    pieces = [
        np.linspace(low, high, max(1, int(np.ceil((high - low) / MAX_STEP_ANGSTROM))), False)
        for low, high in pairwise(wave)
    ]
    return np.concatenate([*pieces, wave[-1:]])
