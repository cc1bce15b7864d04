"""Rest-frame galaxy spectra: four empirical shapes, mixed by type, dimmed by their own dust.

The shapes are those of Coleman, Wu & Weedman (1980, ApJS 43, 393), extended to the ultraviolet
and infrared by Bolzonella, Miralles & Pello (2000), as GalSim ships them (each file's header
says so). A type is a number: 0 elliptical, 1 Sbc, 2 Scd, 3 irregular; between two of them the
light of both is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zladder.provenance.errors import BadInput

SHAPES = ("E", "Sbc", "Scd", "Im")
LAST_TYPE = float(len(SHAPES) - 1)
NORMALISATION_ANGSTROM = (5450.0, 5550.0)
N_MODES = 3
MODE_RANGE_ANGSTROM = (2500.0, 10000.0)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spectra:
    """The four shapes on one wavelength grid.

    Attributes
    ----------
    wavelength_angstrom
        Shape (W,), increasing, rest frame.
    flux
        Shape (4, W), per angstrom; each has mean 1 between 5450 and 5550 angstrom.
    """

    wavelength_angstrom: Array
    flux: Array


def spectra_folder() -> Path:
    """Return the folder of GalSim's spectra, without the 1.5 s that importing GalSim takes.

    Raises
    ------
    BadInput
        If GalSim is not installed.
    """
    spec = find_spec("galsim")
    if spec is None or spec.origin is None:
        raise BadInput(
            "environment", "package galsim", "installed", "not found", "run `make env` again"
        )
    return Path(spec.origin).parent / "share" / "SEDs"


def load_spectra(folder: Path | None = None) -> Spectra:
    """Read the four shapes, resample them linearly on the union of their grids, normalise.

    Raises
    ------
    BadInput
        If a file is missing or holds anything but two columns of numbers.
    """
    folder = spectra_folder() if folder is None else folder
    tables = [_read_shape(folder / f"CWW_{shape}_ext.sed") for shape in SHAPES]
    grid = np.unique(np.concatenate([table[:, 0] for table in tables]))
    flux = np.array([np.interp(grid, table[:, 0], table[:, 1]) for table in tables])
    low, high = NORMALISATION_ANGSTROM
    fine = np.linspace(low, high, 101)
    level = np.array([np.interp(fine, grid, row).mean() for row in flux])
    return Spectra(grid, flux / level[:, None])


def _read_shape(path: Path) -> Array:
    """Read wavelength (angstrom) and flux (per angstrom), shape (n, 2)."""
    hint = "GalSim 2.8 ships this file; reinstall it"
    if not path.is_file():
        raise BadInput(path, "file", "a spectrum as text", "no such file", hint)
    try:
        table = np.loadtxt(path, comments="#", ndmin=2)
    except ValueError as error:
        raise BadInput(path, "rows", "two numbers in each", str(error), hint) from error
    if table.shape[1] != 2 or len(table) < 2:
        raise BadInput(path, "shape", "(rows, 2)", str(table.shape), hint)
    return table


def shape_weights(sed_type: Array) -> Array:
    """Return the weight of each of the four shapes for types of shape (N,); shape (N, 4)."""
    position = np.clip(np.asarray(sed_type, dtype=np.float64), 0.0, LAST_TYPE)
    return np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(len(SHAPES))))


def dust_curve(wavelength_angstrom: Array) -> Array:
    """Return A(wavelength) / E(B-V) of a galaxy's own dust.

    Calzetti et al. (2000, ApJ 533, 682), eq. 4, with R_V = 4.05; below 0.12 micron the blue
    branch goes on, above 2.2 micron the red one, never below zero.
    """
    x = 1e4 / np.asarray(wavelength_angstrom, dtype=np.float64)  # 1 / micron
    blue = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 4.05
    red = 2.659 * (-1.857 + 1.040 * x) + 4.05
    return np.maximum(np.where(x > 1 / 0.63, blue, red), 0.0)


def mode_curves(wavelength_angstrom: Array) -> Array:
    """Return the three smooth modes in which real spectra differ from the shapes, shape (3, W).

    Cosines in the logarithm of the rest wavelength, of rms 1 over 2500-10000 angstrom, flat
    outside: one, two and three half waves, as slow as differences of age and metals are. Light
    is multiplied by 1 + sum of amplitude times mode.
    """
    low, high = np.log(MODE_RANGE_ANGSTROM)
    phase = np.clip((np.log(wavelength_angstrom) - low) / (high - low), 0.0, 1.0)
    orders = np.arange(1, N_MODES + 1)[:, None]
    return np.sqrt(2.0) * np.cos(np.pi * orders * phase)


def galaxy_spectrum(
    spectra: Spectra, sed_type: float, ebv_internal_mag: float, mode_amplitudes: Array
) -> Array:
    """Return one galaxy's rest-frame spectrum, shape (W,), in the shapes' units."""
    wave = spectra.wavelength_angstrom
    light = shape_weights(np.array([sed_type]))[0] @ spectra.flux
    light = light * 10 ** (-0.4 * ebv_internal_mag * dust_curve(wave))
    return light * (1.0 + mode_amplitudes @ mode_curves(wave))
