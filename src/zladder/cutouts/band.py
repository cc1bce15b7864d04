"""One band of the stamps of many galaxies, out of one frame: pixels, noise, width, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.kept_noise import noise_shares
from zladder.cutouts.layout import stamp_scale_arcsec
from zladder.cutouts.resample import areas, resample, sky_grids
from zladder.cutouts.windows import cut_windows, first_pixels, lie_inside, mask_bits, offsets
from zladder.tables.stamp_files import flag_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.cutouts.beside import Stamps
    from zladder.cutouts.frames import Frame


def cut_band(
    frame: Frame,
    index: int,
    stamps: Stamps,
    settings: Mapping[str, Any],
    xy: np.ndarray | None = None,
) -> np.ndarray:
    """Fill one band of the stamps of N galaxies, its noise and flags.

    Parameters
    ----------
    frame
        Of this band.
    index
        The band's place among the stamps' bands.
    stamps
        The datasets of N galaxies, changed in place.
    settings
        `stamp_pixels`, `pixel_scale_arcsec`, `grid`; `grid_scale_arcsec` where it is another.
    xy
        Where the galaxies lie in the frame, (N, 2), where that is not what its world coordinates
        say (grid "frame" alone).

    Returns
    -------
    numpy.ndarray
        Where the galaxies lie in the frame: x, y in pixels, (N, 2).
    """
    if settings["grid"] == "sky":
        return _cut_sky(frame, index, stamps, settings)
    if xy is None:
        xy = frame.wcs.wcs_world2pix(np.stack([stamps["ra"], stamps["dec"]], axis=1), 0)
    return _cut_pixels(frame, index, stamps, xy)


def fill_widths(stamps: Stamps, index: int, fwhm_arcsec: float | np.ndarray) -> None:
    """Set the widths of the point-spread function that are not there yet; one number or (N,)."""
    widths = stamps["psf_fwhm_arcsec"][:, index]
    widths[:] = np.where(np.isnan(widths), fwhm_arcsec, widths)


def _cut_pixels(frame: Frame, index: int, stamps: Stamps, xy: np.ndarray) -> np.ndarray:
    """Cut whole pixels of the frame; the galaxy lies within half a pixel of the middle."""
    flux, flags = stamps["flux"][:, index], stamps["flags"][:, index]
    side = flux.shape[-1]
    first = first_pixels(xy, side)
    cut_windows(frame.image, first, flux)
    stamps["offset_pixels"][:, index] = offsets(xy, first, side)
    stamps["sky_sigma_nmgy"][:, index] = frame.sky_sigma_nmgy
    flags[~lie_inside(first, side, frame.image.shape)] |= flag_value("edge")
    if frame.mask is not None:
        flags |= mask_bits(frame.mask, first, side)
    # Faults are looked for where there are fewer pixels: most frames have none at all.
    image = frame.image
    where = image if isinstance(image, np.ndarray) and image.size < flux.size else flux
    with np.errstate(invalid="ignore"):
        if not np.isfinite(where.sum()):
            flags[~np.isfinite(flux.sum(axis=(1, 2)))] |= flag_value("not_finite")
    if np.fmax.reduce(where, axis=None, initial=-np.inf) >= frame.saturation_nmgy:
        brightest = np.fmax.reduce(flux, axis=(1, 2))
        flags[brightest >= frame.saturation_nmgy] |= flag_value("saturated")
    return xy


def _cut_sky(frame: Frame, index: int, stamps: Stamps, settings: Mapping[str, Any]) -> np.ndarray:
    """Resample the frame onto a grid about the galaxy, the same one in every band."""
    flux, flags = stamps["flux"][:, index], stamps["flags"][:, index]
    scale, side = stamp_scale_arcsec(settings), flux.shape[-1]
    grids = sky_grids(frame.wcs, stamps["ra"], stamps["dec"], scale, side)
    with np.errstate(invalid="ignore"):  # infinite pixels become NaN, and these are flagged
        inside, brightest, bits = resample(
            frame.image, grids, flux, frame.mask, frame.saturation_nmgy
        )
        flux[~inside] = 0.0
        total = flux.sum(axis=(1, 2))
    area = areas(grids)
    flux *= area[:, None, None]
    stamps["offset_pixels"][:, index] = 0.0
    kept = noise_shares(grids, side, frame.sky_correlation)
    stamps["sky_sigma_nmgy"][:, index] = frame.sky_sigma_nmgy * area * kept
    flags |= bits
    flags[~inside] |= flag_value("edge")
    # A sum is finite where all its terms are: one pass, no array of the size of the pixels.
    flags[~np.isfinite(total)] |= flag_value("not_finite")
    flags[brightest >= frame.saturation_nmgy] |= flag_value("saturated")
    return grids[:, :, 2]
