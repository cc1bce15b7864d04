"""Another survey looks at objects that one has seen: the same galaxies and stars, other bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.observing import Seen
from zladder.survey.stars import same_stars
from zladder.survey.tiles import LAYERS
from zladder.universe.dust import extinction_curve
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.noise import Depth, miscalibrated, observe
from zladder.universe.photometry import PhotometryTable, extinction_mag, magnitudes
from zladder.universe.spectra import Spectra

Array = NDArray[np.float64]


def cfhtls_instruments(
    spectra: Spectra, settings: Mapping[str, Any], table: PhotometryTable | None = None
) -> dict[str, Instrument]:
    """Return the CFHTLS-like survey of each layer: one photometry table, two depths."""
    block = settings["cfhtls"]
    first = make_instrument(spectra, {"cfhtls": {**block, **block[LAYERS[0]]}}, "cfhtls", table)

    def depth(layer: str) -> Depth:
        deep, electron = (
            np.array([block[layer][key][band] for band in first.bands], dtype=np.float64)
            for key in ("depth_5sigma_mag", "electron_mag")
        )
        return Depth(deep, electron, first.depth.zero_point_scatter_mag)

    return {layer: replace(first, depth=depth(layer)) for layer in LAYERS}


def look_again(
    rng: np.random.Generator, instrument: Instrument, first: Instrument, seen: Seen
) -> Seen:
    """Return what a survey sees of objects seen by a first one, which knows stars by their colour.

    Parameters
    ----------
    rng
        Source of calibration errors and noise.
    instrument, first
        The survey that looks, and the one that has.
    seen
        N objects, as the first one sees them; stars have no redshift.
    """
    star = np.isnan(seen.galaxies.z)
    magnitude = np.empty((len(star), len(instrument.bands)))
    extinction = np.empty_like(magnitude)
    magnitude[~star], reddening = magnitudes(instrument.table, seen.galaxies.part(~star))
    extinction[~star] = extinction_mag(reddening, seen.ebv_mag[~star])
    waves = first.effective_angstrom, instrument.effective_angstrom
    magnitude[star] = same_stars(seen.magnitude[star], *waves)
    extinction[star] = seen.ebv_mag[star, None] * extinction_curve(waves[1])
    dimmed = magnitude + extinction
    recorded = miscalibrated(rng, dimmed, instrument.depth)
    flux, error = observe(rng, recorded, instrument.depth)
    return replace(
        seen, magnitude=magnitude, dimmed=dimmed, recorded=recorded, flux=flux, flux_error=error
    )
