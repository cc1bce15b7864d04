"""Coadded images: what follows from depth, seeing and zero point for every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.config.names import BAND_ORDER
from zladder.survey.conditions import pixel_sigma_nmgy, star_transform
from zladder.tables.fluxes import NANOMAGGY_ZERO_POINT_MAG

HSC_PIXEL_ARCSEC, HSC_ZERO_POINT_MAG = 0.168, 27.0
CFHTLS_PIXEL_ARCSEC, CFHTLS_ZERO_POINT_MAG = 0.186, 30.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Coadd:
    """Images of one survey in B bands; arrays have shape (B,).

    Attributes
    ----------
    bands
        Their letters.
    pixel_arcsec
        The side of a pixel.
    zero_point_mag
        AB magnitude of one count.
    moffat_beta
        Of the seeing, in all bands.
    seeing_fwhm_arcsec
        Full width of a star before it falls on pixels.
    sky_sigma_nmgy
        Standard deviation of a pixel without an object.
    electron_nmgy
        The flux that gives one electron.
    saturation_nmgy
        What a pixel shows when it is full.
    """

    bands: tuple[str, ...]
    pixel_arcsec: float
    zero_point_mag: float
    moffat_beta: float
    seeing_fwhm_arcsec: Array
    sky_sigma_nmgy: Array
    electron_nmgy: Array
    saturation_nmgy: Array

    @property
    def counts_per_nmgy(self) -> float:
        """Counts of one nanomaggy."""
        return float(10 ** (0.4 * (self.zero_point_mag - NANOMAGGY_ZERO_POINT_MAG)))


def hsc_coadd(survey: Mapping[str, Any]) -> Coadd:
    """Return the HSC-like images: as deep as the catalogue (blocks ``hsc`` and ``hsc_images``)."""
    scale = HSC_PIXEL_ARCSEC, HSC_ZERO_POINT_MAG
    return _coadd(survey["hsc"], survey["hsc_images"], scale)


def cfhtls_coadd(survey: Mapping[str, Any], layer: str) -> Coadd:
    """Return the CFHTLS-like images of one layer (block ``cfhtls``)."""
    block = survey["cfhtls"]
    scale = CFHTLS_PIXEL_ARCSEC, CFHTLS_ZERO_POINT_MAG
    return _coadd({**block[layer], "filters": block["filters"]}, block, scale)


def _coadd(
    depth: Mapping[str, Any], images: Mapping[str, Any], scale: tuple[float, float]
) -> Coadd:
    bands, beta = in_order(depth["filters"]), images["moffat_beta"]

    def column(block: Mapping[str, float]) -> Array:
        return np.array([block[band] for band in bands], dtype=np.float64)

    pixel_arcsec, zero_point_mag = scale
    fwhm = column(images["psf_fwhm_arcsec"])
    peak = np.array([star_transform(one / pixel_arcsec, beta).mean() for one in fwhm])
    return Coadd(
        bands=bands,
        pixel_arcsec=pixel_arcsec,
        zero_point_mag=zero_point_mag,
        moffat_beta=beta,
        seeing_fwhm_arcsec=fwhm,
        sky_sigma_nmgy=pixel_sigma_nmgy(
            column(depth["depth_5sigma_mag"]), fwhm, beta, pixel_arcsec
        ),
        electron_nmgy=_nmgy(column(depth["electron_mag"])),
        saturation_nmgy=peak * _nmgy(np.full(len(bands), images["saturated_star_mag"])),
    )


def in_order(bands: Iterable[str]) -> tuple[str, ...]:
    """Return band letters from blue to red, as files have them; settings may be sorted by name."""
    return tuple(sorted(bands, key=lambda band: (BAND_ORDER + band).index(band)))


def _nmgy(magnitude: Array) -> Array:
    return 10 ** (-0.4 * (magnitude - NANOMAGGY_ZERO_POINT_MAG))


def coadd_noise(
    source: np.random.Generator | NDArray[np.float32],
    light_nmgy: NDArray[np.float32],
    coadd: Coadd,
    index: int,
) -> NDArray[np.float32]:
    """Return the light of one band with the noise of sky and photons, full pixels cut off.

    Parameters
    ----------
    source
        Of the noise; or standard normal numbers, one a pixel.
    light_nmgy
        Any shape.
    coadd, index
        The images, and which of their bands.
    """
    variance = pixel_variance(light_nmgy, coadd, index)
    if isinstance(source, np.random.Generator):
        noise = source.standard_normal(light_nmgy.shape, dtype=np.float32)
    else:
        noise = source.copy()
    noise *= np.sqrt(variance, out=variance)
    noise += light_nmgy
    return np.minimum(noise, np.float32(coadd.saturation_nmgy[index]), out=noise)


def pixel_variance(
    light_nmgy: NDArray[np.float32], coadd: Coadd, index: int
) -> NDArray[np.float32]:
    """Return the variance of pixels that show some light; negative light counts as none."""
    variance = np.maximum(light_nmgy, 0) * np.float32(coadd.electron_nmgy[index])
    variance += np.float32(coadd.sky_sigma_nmgy[index] ** 2)
    return variance
