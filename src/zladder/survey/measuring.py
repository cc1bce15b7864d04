"""Fluxes measured on the frames, at the places that the catalogue lists; nothing is deblended.

Names are SDSS's: `fiberMag` is the light within 1.5 arcsec, `psfMag` that over the share of a
star's light which falls there, `petroMag` the light within two Petrosian radii of r, the same
in all bands. The sky is the median of a ring about each object: where frames are overdense it
holds wings of the others. Errors know the noise seen in that ring, the photons of the object
itself and the error of the ring's median.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from zladder.metrics.normal import NMAD_FACTOR
from zladder.survey.apertures import annulus_offsets, aperture_sums
from zladder.survey.catalogues import SDSS_MISSING
from zladder.survey.conditions import Conditions
from zladder.survey.growth import (
    N_RADII,
    PROFILE_RADII_ARCSEC,
    grown,
    petrosian_radius_arcsec,
    radius_of_share_arcsec,
)
from zladder.survey.imaging import PIXEL_ARCSEC
from zladder.survey.renderer import Light, make_seeing, render
from zladder.tables.fluxes import MAG_PER_LN, NANOMAGGY_ZERO_POINT_MAG

MAX_CHUNK = 128  # objects whose pixels are held at a time
PSF_STAMP = 128
PHASES = (-0.375, -0.125, 0.125, 0.375)  # of a star within its pixel
SIGMA_STRIDE = 3  # every third pixel of the ring gives its noise to 2 %
MEDIAN_VARIANCE = np.pi / 2  # of a median over that of a mean, both of normal numbers

Array = NDArray[np.float64]


def measure_field(
    images: NDArray[np.float32], pixel: Array, conditions: Conditions, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Measure N objects of a field.

    Parameters
    ----------
    images
        Shape (B, H, W), nanomaggies. Beyond the edge, pixels are mirrored.
    pixel
        Shape (N, 2): where the catalogue lists them.
    conditions
        Seeing, gain and calibration of the frames.
    settings
        ``fiber_radius_arcsec`` and ``sky_annulus_arcsec`` (two numbers).

    Returns
    -------
    pandas.DataFrame
        N rows; see the module. Magnitudes of fluxes that are not positive are -9999.
    """
    inner, outer = (radius / PIXEL_ARCSEC for radius in settings["sky_annulus_arcsec"])
    radii = np.array([*PROFILE_RADII_ARCSEC, settings["fiber_radius_arcsec"]]) / PIXEL_ARCSEC
    pad = int(max(outer, radii.max())) + 3
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad)), mode="reflect")
    ring = annulus_offsets(inner, outer)
    chunks = [slice(start, start + MAX_CHUNK) for start in range(0, len(pixel), MAX_CHUNK)]
    skies, sigmas, sums = [], [], []
    for chunk in chunks:
        at = pixel[chunk] + pad
        sky, sigma = ring_sky(padded, at, ring)
        flux, area = aperture_sums(padded, at, radii.tolist())
        skies.append(sky)
        sigmas.append(sigma)
        sums.append(flux - sky[..., None] * area)
    n_bands = len(images)
    sigma = np.concatenate([np.zeros((0, n_bands)), *sigmas])
    flux = np.concatenate([np.zeros((0, n_bands, len(radii))), *sums])
    noise = _Noise(sigma, conditions.nmgy_per_count / conditions.electrons_per_count, len(ring))
    return _columns(flux, radii[-1], noise, conditions)


class _Noise:
    """The standard deviation of a flux within an area (pixels) about each object, (N, B)."""

    def __init__(self, sigma: Array, nmgy_per_electron: Array, n_ring: int) -> None:
        self.sigma, self.nmgy_per_electron, self.n_ring = sigma, nmgy_per_electron, n_ring

    def of(self, flux: Array, area: Array | float) -> Array:
        area = np.broadcast_to(np.asarray(area, dtype=np.float64), (len(flux),))[:, None]
        pixels = area + MEDIAN_VARIANCE * area**2 / self.n_ring
        photons = np.maximum(flux, 0.0) * self.nmgy_per_electron
        return np.sqrt(pixels * self.sigma**2 + photons)


def _columns(
    flux: Array, fiber_radius: float, noise: _Noise, conditions: Conditions
) -> pd.DataFrame:
    """Return the table from fluxes within the profile's radii and, last, the fiber's."""
    bands, r_band = conditions.bands, conditions.bands.index("r")
    growth = grown(flux[..., :-1])
    petro_rad = petrosian_radius_arcsec(growth, r_band)
    reach = np.minimum(N_RADII * petro_rad, PROFILE_RADII_ARCSEC[-1])
    petro, fiber = growth.at(reach), flux[..., -1]
    fiber_noise = noise.of(fiber, np.pi * fiber_radius**2)
    star_share = enclosed_share(conditions, fiber_radius)
    columns: dict[str, Array] = {}
    for name, values, errors in (
        ("petroMag", petro, noise.of(petro, np.pi * (reach / PIXEL_ARCSEC) ** 2)),
        ("fiberMag", fiber, fiber_noise),
        ("psfMag", fiber / star_share, fiber_noise / star_share),
    ):
        magnitude, error = as_magnitudes(values, errors)
        columns |= {f"{name}_{band}": magnitude[:, k] for k, band in enumerate(bands)}
        columns |= {f"{name}Err_{band}": error[:, k] for k, band in enumerate(bands)}
    columns["petroRad_r"] = petro_rad
    for share, name in ((0.5, "petroR50_r"), (0.9, "petroR90_r")):
        columns[name] = radius_of_share_arcsec(growth, r_band, petro[:, r_band], share)
    return pd.DataFrame(columns).fillna(SDSS_MISSING)


def ring_sky(
    images: NDArray[np.floating], pixel: Array, ring: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Return the median of a ring about each place, and the noise of a pixel of it; (N, B).

    The noise is that of differences between neighbouring pixels: the wings of other objects,
    which are many in overdense frames, are smooth, the noise is not.
    """
    centre = np.round(pixel).astype(np.int64)
    x, y = centre[:, :1] + ring[:, 0], centre[:, 1:] + ring[:, 1]
    values = images[:, y, x]  # (B, N, K)
    step = values[..., ::SIGMA_STRIDE] - images[:, y[:, ::SIGMA_STRIDE], x[:, ::SIGMA_STRIDE] + 1]
    sigma = NMAD_FACTOR / np.sqrt(2.0) * np.median(np.abs(step), axis=2)
    sky = np.median(values, axis=2, overwrite_input=True)
    return sky.T.astype(np.float64), sigma.T.astype(np.float64)


def enclosed_share(conditions: Conditions, radius: float) -> Array:
    """Return the share of a star's light within a radius (pixels) in each band, shape (B,).

    A star as the frames have it, seeing and pixel, averaged over its places within a pixel.
    """
    x, y = (values.ravel() for values in np.meshgrid(PHASES, PHASES))
    n, n_bands = len(x), len(conditions.bands)
    zeros = torch.zeros(n, dtype=torch.float64)
    light = Light(
        disc_flux=torch.ones((n, n_bands), dtype=torch.float64),
        bulge_flux=torch.zeros((n, n_bands), dtype=torch.float64),
        disc_radius=zeros,
        bulge_radius=zeros,
        disc_ratio=zeros + 1,
        bulge_ratio=zeros + 1,
        angle=zeros,
        offset=torch.tensor(np.stack([x, y], axis=1)),
    )
    seeing = make_seeing(conditions.seeing_fwhm_arcsec / PIXEL_ARCSEC, conditions.moffat_beta)
    stamps = render(light, seeing, PSF_STAMP).numpy()
    centre = PSF_STAMP // 2 + np.stack([x, y], axis=1)
    shares = [aperture_sums(stamps[k], centre[[k]], [radius])[0][0, :, 0] for k in range(n)]
    return np.mean(shares, axis=0)


def as_magnitudes(flux_nmgy: Array, error_nmgy: Array) -> tuple[Array, Array]:
    """Return AB magnitudes and errors, -9999 in both where the flux is not positive."""
    seen = flux_nmgy > 0
    positive = np.where(seen, flux_nmgy, 1.0)
    magnitude = NANOMAGGY_ZERO_POINT_MAG - 2.5 * np.log10(positive)
    error = MAG_PER_LN * error_nmgy / positive
    return np.where(seen, magnitude, SDSS_MISSING), np.where(seen, error, SDSS_MISSING)
