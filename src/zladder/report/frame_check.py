"""PSF, noise and depth of the mock sky's frames, measured back from their pixels.

What went into a frame stands in the index of its shard. What came out is measured as one would on
real frames: the sky's noise from the emptiest parts, the PSF from bright, lonely stars. Only where
the stars are is taken from the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

from zladder.metrics.normal import NMAD_FACTOR
from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import NANOMAGGY_ZERO_POINT_MAG
from zladder.universe.star_fits import fit_stars, noise_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DEPTH_SIGMAS = 5.0
BLOCK_PIXELS = 8
EMPTIEST_SHARE = 0.1  # of the blocks, by their mean
STAR_PIXELS = 25
LONELY_PIXELS = 18.0  # to the next object of the truth
LEAST_SIGNAL_TO_NOISE = 100.0
MOST_STARS = 12  # of a frame, the brightest that are not full
FULL_SHARE = 0.7  # of saturation: no star whose brightest pixel is above
FIRST_FWHM_PIXELS = 3.5
GOOD_RESIDUAL = 2.0  # sigma: a star with more has something else in its image
ARCSEC_PER_DEG = 3600.0
AGAIN = "render the frames again"
COLUMNS = (
    "run", "camcol", "field", "band", "sky_sigma_nmgy", "sky_sigma_measured_nmgy",
    "psf_fwhm_arcsec", "psf_fwhm_measured_arcsec", "psf_fwhm_scatter_arcsec", "n_stars",
    "depth_measured_mag",
)  # fmt: skip


def chosen_fields(index: pd.DataFrame, n_fields: int) -> pd.DataFrame:
    """Return the frames of a few fields, spread evenly over the index's, all bands of each."""
    names = ["run", "camcol", "field"]
    fields = index[names].drop_duplicates().sort_values(names, ignore_index=True)
    n = min(n_fields, len(fields))
    places = np.linspace(0, len(fields) - 1, n).round().astype(int)
    return index.merge(fields.iloc[places], on=names)


def check_frames(index: pd.DataFrame, folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Return what was measured on frames beside what went in, a row a frame (`COLUMNS`).

    Parameters
    ----------
    index
        Rows of the shards' indices: ``run camcol field band path sky_sigma_nmgy psf_fwhm_arcsec
        saturation_nmgy``; paths are relative to `folder`.
    folder
        Of the frames.
    truth
        ``run camcol field ra dec is_star``, a row an object.

    Raises
    ------
    BadInput
        If a frame is not there.
    """
    rows = []
    for (run, camcol, field), frames in index.groupby(["run", "camcol", "field"], sort=True):
        there = (truth["run"] == run) & (truth["camcol"] == camcol) & (truth["field"] == field)
        for frame in frames.to_dict("records"):
            path = folder / str(frame["path"])
            found = check_frame(path, truth[there], frame["saturation_nmgy"])
            rows.append({**frame, **found})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def check_frame(path: Path, objects: pd.DataFrame, saturation_nmgy: float) -> dict[str, float]:
    """Return noise, PSF and depth of one frame; NaN where no star serves.

    Parameters
    ----------
    path
        A frame: image in the first HDU, calibrated in nanomaggies, with its projection.
    objects
        ``ra dec is_star`` of all objects in the field.
    saturation_nmgy
        Value of a full pixel.
    """
    if not path.is_file():
        raise BadInput(path, "the file", "a frame of the index", "nothing", AGAIN)
    with fits.open(path) as hdus:
        header = hdus[0].header
        image = np.asarray(hdus[0].data, dtype=np.float32)
    sigma = sky_sigma(image)
    projection = projection_of(header)
    scale = ARCSEC_PER_DEG * float(np.sqrt(abs(np.linalg.det(projection.wcs.cd))))
    stamps = star_stamps(image, lonely_stars(projection, objects), saturation_nmgy, sigma)
    fwhm, beta = _shapes(stamps, sigma)
    if not len(fwhm):
        return {
            "sky_sigma_measured_nmgy": sigma, "psf_fwhm_measured_arcsec": np.nan,
            "psf_fwhm_scatter_arcsec": np.nan, "n_stars": 0, "depth_measured_mag": np.nan,
        }  # fmt: skip
    middle = np.array([np.median(fwhm)])
    pixels = noise_pixels(middle, np.array([np.median(beta)]))[0]
    depth = NANOMAGGY_ZERO_POINT_MAG - 2.5 * np.log10(DEPTH_SIGMAS * sigma * np.sqrt(pixels))
    return {
        "sky_sigma_measured_nmgy": sigma,
        "psf_fwhm_measured_arcsec": float(middle[0] * scale),
        "psf_fwhm_scatter_arcsec": float(_scatter(fwhm) * scale),
        "n_stars": len(fwhm),
        "depth_measured_mag": float(depth),
    }


def projection_of(header: fits.Header) -> WCS:
    """Return the tangent plane of a frame, from its own cards alone."""
    projection = WCS(naxis=2)
    projection.wcs.ctype = [header["CTYPE1"], header["CTYPE2"]]
    projection.wcs.crpix = [header["CRPIX1"], header["CRPIX2"]]
    projection.wcs.crval = [header["CRVAL1"], header["CRVAL2"]]
    projection.wcs.cd = [[header[f"CD{row}_{column}"] for column in (1, 2)] for row in (1, 2)]
    return projection


def sky_sigma(image: NDArray[np.float32]) -> float:
    """Return the noise of a pixel of the sky, from the emptiest tenth of an image.

    The image is dealt into blocks; those of the lowest mean are taken. For even noise the mean of
    a block says nothing of the differences from it, so that the choice does not bend the answer:
    their MAD, times sqrt(n / (n - 1)) for the mean that was taken off.
    """
    rows, columns = (length // BLOCK_PIXELS for length in image.shape)
    cut = image[: rows * BLOCK_PIXELS, : columns * BLOCK_PIXELS]
    blocks = cut.reshape(rows, BLOCK_PIXELS, columns, BLOCK_PIXELS)
    means = blocks.mean(axis=(1, 3))
    n = max(1, int(EMPTIEST_SHARE * means.size))
    lowest = np.argpartition(means, n - 1, axis=None)[:n]
    row, column = np.unravel_index(lowest, means.shape)
    apart = blocks[row, :, column, :] - means[row, column][:, None, None]
    per_block = BLOCK_PIXELS**2
    mad = np.median(np.abs(apart - np.median(apart)))
    return float(NMAD_FACTOR * mad * np.sqrt(per_block / (per_block - 1)))


def lonely_stars(projection: WCS, objects: pd.DataFrame) -> NDArray[np.float64]:
    """Return the pixels, counted from 0, of stars without a neighbour; shape (N, 2): x, y."""
    pixels = np.stack(
        projection.wcs_world2pix(objects["ra"].to_numpy(), objects["dec"].to_numpy(), 0), axis=1
    )
    stars = np.flatnonzero(objects["is_star"].to_numpy())
    apart = np.hypot(*(pixels[stars, None] - pixels[None]).transpose(2, 0, 1))
    apart[np.arange(len(stars)), stars] = np.inf
    return pixels[stars[apart.min(axis=1, initial=np.inf) > LONELY_PIXELS]]


def star_stamps(
    image: NDArray[np.float32],
    pixels: NDArray[np.float64],
    saturation_nmgy: float,
    sigma: float,
) -> NDArray[np.float64]:
    """Return images of the stars that serve: whole, bright, not full; brightest first."""
    half = STAR_PIXELS // 2
    found = []
    for x, y in np.round(pixels).astype(int):
        if x < half or y < half or x + half >= image.shape[1] or y + half >= image.shape[0]:
            continue
        stamp = image[y - half : y + half + 1, x - half : x + half + 1].astype(np.float64)
        light = float((stamp - np.median(stamp)).sum())
        bright = light > LEAST_SIGNAL_TO_NOISE * sigma * STAR_PIXELS / 3
        if bright and stamp.max() < FULL_SHARE * saturation_nmgy:
            found.append((light, stamp))
    found.sort(key=lambda entry: -entry[0])
    empty = np.empty((0, STAR_PIXELS, STAR_PIXELS))
    return np.array([stamp for _, stamp in found[:MOST_STARS]]) if found else empty


def _shapes(
    stamps: NDArray[np.float64], sigma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return FWHM in pixels and beta of the stars that a single profile suits."""
    if not len(stamps):
        return np.empty(0), np.empty(0)
    fit = fit_stars(stamps, np.full(len(stamps), sigma), FIRST_FWHM_PIXELS)
    # photons of a bright core add to the sky's noise: allow for 3 % of the peak
    peak = stamps.max(axis=(1, 2)) / sigma
    good = fit.residual < np.maximum(GOOD_RESIDUAL, 0.03 * peak)
    return fit.fwhm_pixels[good], fit.beta[good]


def _scatter(values: NDArray[np.float64]) -> float:
    return float(NMAD_FACTOR * np.median(np.abs(values - np.median(values))))
