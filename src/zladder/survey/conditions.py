"""The night of each frame: seeing, sky, gain; and what follows from them for every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.config.imaging import FieldNumber
from zladder.provenance.errors import BadInput
from zladder.survey.imaging import PIXEL_ARCSEC
from zladder.survey.streams import generator
from zladder.tables.fluxes import NANOMAGGY_ZERO_POINT_MAG
from zladder.universe.hankel import moffat_transform
from zladder.universe.noise import DEPTH_SIGMAS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Conditions:
    """The B frames of one field; every array has shape (B,).

    Attributes
    ----------
    bands
        Their letters.
    moffat_beta
        Of the seeing, in all bands.
    seeing_fwhm_arcsec
        Full width of a star before it falls on pixels.
    nmgy_per_count
        The calibration.
    electrons_per_count, dark_variance_counts2
        Of the detector.
    sky_counts
        The sky's light in a pixel.
    saturation_nmgy
        What a pixel shows, above the sky, when it is full.
    """

    bands: tuple[str, ...]
    moffat_beta: float
    seeing_fwhm_arcsec: Array
    nmgy_per_count: Array
    electrons_per_count: Array
    dark_variance_counts2: Array
    sky_counts: Array
    saturation_nmgy: Array

    @property
    def pixel_arcsec(self) -> float:
        """The side of a pixel."""
        return PIXEL_ARCSEC

    @property
    def sky_sigma_nmgy(self) -> Array:
        """Standard deviation of a pixel without an object."""
        variance = self.sky_counts / self.electrons_per_count + self.dark_variance_counts2
        return self.nmgy_per_count * np.sqrt(variance)


def draw_conditions(settings: Mapping[str, Any], seed: int, number: FieldNumber) -> Conditions:
    """Return the conditions of a field: its own, whatever the other fields are.

    Parameters
    ----------
    settings
        Blocks ``imaging`` and ``sdss`` of the survey stage.
    seed
        The sky's.
    number
        The field.

    Raises
    ------
    BadInput
        If a depth asks for less noise than the detector makes.
    """
    block, sdss = settings["imaging"], settings["sdss"]
    bands = tuple(sdss["filters"])

    def column(key: str) -> Array:
        return np.array([block[key][band] for band in bands], dtype=np.float64)

    electron_mag = np.array([sdss["electron_mag"][band] for band in bands])
    gain, dark = column("electrons_per_count"), column("dark_variance_counts2")
    nmgy_per_count = gain * 10 ** (-0.4 * (electron_mag - NANOMAGGY_ZERO_POINT_MAG))
    sigma = pixel_sigma_nmgy(
        column("psf_depth_5sigma_mag"), column("seeing_fwhm_arcsec"), block["moffat_beta"]
    )
    median_sky = gain * ((sigma / nmgy_per_count) ** 2 - dark)
    _check_sky(bands, median_sky)
    rng = generator(seed, "frames", *number)
    seeing = column("seeing_fwhm_arcsec") * np.exp(block["seeing_scatter_ln"] * rng.normal())
    sky = median_sky * np.exp(block["sky_scatter_ln"] * rng.normal(size=len(bands)))
    return Conditions(
        bands=bands,
        moffat_beta=block["moffat_beta"],
        seeing_fwhm_arcsec=seeing,
        nmgy_per_count=nmgy_per_count,
        electrons_per_count=gain,
        dark_variance_counts2=dark,
        sky_counts=sky,
        saturation_nmgy=(block["full_well_electrons"] / gain - sky) * nmgy_per_count,
    )


def _check_sky(bands: tuple[str, ...], sky_counts: Array) -> None:
    for band, counts in zip(bands, sky_counts, strict=True):
        if counts < 0:
            expected = "a depth that leaves noise to the sky"
            found = f"detector noise alone is more, by {-counts:.3g} counts of sky"
            hint = "lower the depth, or dark_variance_counts2"
            place = f"survey/imaging/psf_depth_5sigma_mag/{band}"
            raise BadInput("config", place, expected, found, hint)


def pixel_sigma_nmgy(
    depth_5sigma_mag: Array, fwhm_arcsec: Array, beta: float, pixel_arcsec: float = PIXEL_ARCSEC
) -> Array:
    """Return the noise of a pixel from the depth for a star whose profile is known; shape (B,).

    With even noise the best estimate of the flux has the variance sigma^2 / sum(P^2), P the
    star's share in each pixel; the sum is the mean of the squared transform (Parseval).
    """
    stars = [star_transform(fwhm / pixel_arcsec, beta) for fwhm in fwhm_arcsec]
    flux_sigma = 10 ** (-0.4 * (depth_5sigma_mag - NANOMAGGY_ZERO_POINT_MAG)) / DEPTH_SIGMAS
    return flux_sigma * np.sqrt([float(np.mean(star**2)) for star in stars])


def star_transform(fwhm_pixels: float, beta: float) -> Array:
    """Return the transform of a star in the middle of a pixel, shape (64, 64).

    Its mean is the star's share in the middle pixel, the mean of its square the sum of P^2.
    """
    k = 2 * np.pi * np.fft.fftfreq(64)
    pixel = np.outer(np.sinc(k / (2 * np.pi)), np.sinc(k / (2 * np.pi)))
    return moffat_transform(np.hypot(k, k[:, None]), fwhm_pixels, beta) * pixel
