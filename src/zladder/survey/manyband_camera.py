"""The many-band survey: its bands, its depths, and what it does not know of its zero points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.observing import Seen
from zladder.survey.streams import generator
from zladder.survey.template_grid import TemplateGrid, make_template_grid
from zladder.universe.dust import extinction_curve
from zladder.universe.filters import load_bands
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.noise import flux_njy, noise_njy
from zladder.universe.photometry import PhotometryTable
from zladder.universe.spectra import Spectra

LIMIT_BAND = "HSC_i"  # the catalogue's limit is in it

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SharedBand:
    """A filter that the wide HSC-like survey has too: columns in both, and how much deeper.

    ``exposures`` is the exposure time in units of the wide survey's.
    """

    column: int
    hsc_column: int
    exposures: float


@dataclass(frozen=True)
class ManyBandCamera:
    """B bands, the templates seen through them, and the error of each zero point, shape (B,)."""

    instrument: Instrument
    grid: TemplateGrid
    zero_point_error_mag: Array
    shared: tuple[SharedBand, ...]


def shared_bands(settings: Mapping[str, Any]) -> tuple[SharedBand, ...]:
    """Return the bands whose filter curve is one of the wide survey's.

    Exposure time goes with the square of depth: 10 ** (0.8 * difference in mag).
    """
    many, hsc = settings["manyband"], settings["hsc"]
    columns = {name: (k, letter) for k, (letter, name) in enumerate(hsc["filters"].items())}
    found = []
    for column, (band, name) in enumerate(many["filters"].items()):
        if name in columns:
            hsc_column, letter = columns[name]
            deeper_mag = many["depth_5sigma_mag"][band] - hsc["depth_5sigma_mag"][letter]
            found.append(SharedBand(column, hsc_column, 10 ** (0.8 * deeper_mag)))
    return tuple(found)


def make_manyband(
    spectra: Spectra,
    settings: Mapping[str, Any],
    seed: int,
    table: PhotometryTable | None = None,
) -> ManyBandCamera:
    """Build the survey (on a table made before, if there is one) and its templates.

    The errors of its zero points are drawn here.
    """
    block, shared = settings["manyband"], shared_bands(settings)
    bands = load_bands(block["filters"], "survey/manyband/filters")
    names = list(block["filters"])
    depth = np.array([block["depth_5sigma_mag"][name] for name in names])
    electron = depth + block["electron_offset_mag"]
    for band in shared:
        letter = list(settings["hsc"]["filters"])[band.hsc_column]
        gained_mag = 2.5 * np.log10(band.exposures)
        electron[band.column] = settings["hsc"]["electron_mag"][letter] + gained_mag
    per_ebv = extinction_curve(np.array([band.effective_angstrom for band in bands]))
    full = {
        **block,
        "electron_mag": dict(zip(names, electron, strict=True)),
        "zero_point_scatter_mag": dict.fromkeys(names, block["zero_point_scatter_mag"]),
        "extinction_per_ebv": dict(zip(names, per_ebv, strict=True)),
    }
    instrument = make_instrument(spectra, {"manyband": full}, "manyband", table)
    error = block["zero_point_error_mag"] * generator(seed, "manyband").normal(size=len(names))
    return ManyBandCamera(instrument, make_template_grid(instrument, block), error, shared)


def with_shared_noise(rng: np.random.Generator, camera: ManyBandCamera, hsc: Seen) -> Array:
    """Return deep fluxes in the shared bands that contain the wide survey's own, shape (N, S).

    The deep image is the mean of t exposures of which the wide survey's is one: its flux is
    (wide + (t - 1) others) / t, the others' noise that of t - 1 exposures. This is also the
    combination of least variance.
    """
    columns = np.array([band.hsc_column for band in camera.shared], dtype=np.int64)
    exposures = np.array([band.exposures for band in camera.shared])
    true_flux = flux_njy(hsc.recorded[:, columns])
    deep = camera.instrument.depth
    deep_columns = np.array([band.column for band in camera.shared], dtype=np.int64)
    deep_noise = noise_njy(true_flux, deep.columns(deep_columns))
    others_noise = deep_noise * np.sqrt(exposures / np.maximum(exposures - 1, 1e-12))
    others = true_flux + rng.normal(size=true_flux.shape) * others_noise
    return (hsc.flux[:, columns] + (exposures - 1) * others) / exposures
