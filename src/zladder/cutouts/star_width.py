"""The width of the point-spread function of a frame, measured on the frame's own stars.

For frames whose catalogue does not tell it. Stars are what is bright, not full, of one and the same
shape, and no larger than anything else: galaxies scatter in size and ellipticity, stars do not.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from zladder.universe.star_fits import fit_stars
from zladder.universe.star_moments import adaptive_moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from zladder.cutouts.frames import Frame

    Array = NDArray[np.float64]

log = logging.getLogger("zladder")

# All numbers are this project's choice.
LEAST_SIDE_PIXELS = 256  # smaller images, such as cutouts, have no stars to tell by
WHOLE_PIXELS = 1 << 22  # a frame of fewer is looked at whole, others in strips of rows
STRIP_ROWS, MOST_PIXELS = 128, 20_000_000  # rows lie together in a file
STAR_PIXELS = 21
PEAK_SIGMAS = 20.0  # of a star's brightest pixel: sizes are good to 1 %
FULL_SHARE = 0.7  # of saturation: above it a star may be cut off
MOST_PEAKS = 250  # of a frame, the brightest
SAME_SIZE, SAME_SHAPE = 0.06, 0.06  # stars differ by less, in ln sigma and in each ellipticity
LEAST_STARS, LEAST_SHARE = 5, 0.1  # of the peaks that have one shape
MOST_SMALLER = 0.5  # peaks smaller than stars, over the number of these: nothing real is
MOST_FITTED = 24
GOOD_RESIDUAL, GOOD_PEAK_SHARE = 2.0, 0.03  # sigma of the sky; of the star's own peak
FWHM_PER_SIGMA = 2.1  # of a Moffat profile, where the fit begins


def star_fwhm_arcsec(frame: Frame) -> tuple[float, int]:
    """Return the full width at half maximum of a frame's stars, and by how many it is told.

    The median of Moffat profiles, integrated over pixels, that are fitted to the brightest peaks of
    the one shape that most peaks have. Of a large frame only a few strips of rows are read. NaN
    where fewer than `LEAST_STARS` peaks, or less than `LEAST_SHARE` of them, have one shape, or too
    many are smaller (`MOST_SMALLER`).
    """
    images = _brightest(frame)
    stars, sigma_pixels = _alike(images)
    if len(stars) < LEAST_STARS:
        return float("nan"), len(stars)
    images = images[stars[:MOST_FITTED]]
    noise = np.full(len(images), frame.sky_sigma_nmgy)
    fit = fit_stars(images, noise, FWHM_PER_SIGMA * sigma_pixels)
    peaks = images.max(axis=(1, 2)) / frame.sky_sigma_nmgy
    good = fit.residual < np.maximum(GOOD_RESIDUAL, GOOD_PEAK_SHARE * peaks)
    if good.sum() < LEAST_STARS:
        return float("nan"), int(good.sum())
    side_arcsec = 3600.0 * float(np.sqrt(abs(np.linalg.det(frame.wcs.wcs.cd))))
    return float(np.median(fit.fwhm_pixels[good])) * side_arcsec, int(good.sum())


def known_width(frame: Frame, widths: dict[str, float]) -> float:
    """Return a frame's width, measured where it is not in `widths` yet, which remembers it."""
    name = str(frame.path)
    if name not in widths:
        widths[name] = float("nan")
        if min(frame.image.shape) >= LEAST_SIDE_PIXELS:
            widths[name], n_stars = star_fwhm_arcsec(frame)
            known = np.isfinite(widths[name])
            said = f"{widths[name]:.3f} arcsec" if known else "too few, not known"
            log.info("%s: width of the point-spread function by %d stars: %s",
                     frame.path.name, n_stars, said)  # fmt: skip
    return widths[name]


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows that are looked at: all of a small frame, else strips spread over it."""
    rows, columns = shape
    n_strips = min(rows, MOST_PIXELS // columns) // STRIP_ROWS
    if rows * columns <= WHOLE_PIXELS or n_strips == 0:
        yield slice(0, min(rows, WHOLE_PIXELS // columns))
        return
    for middle in (np.arange(n_strips) + 0.5) * rows / n_strips:
        first = int(middle) - STRIP_ROWS // 2
        yield slice(first, first + STRIP_ROWS)


def _brightest(frame: Frame) -> Array:
    """Return images (N, S, S) of the brightest peaks without fault, brightest first, less sky."""
    found: list[Array] = []
    for rows in _strips(frame.image.shape):
        window = (rows, slice(None))
        pixels = frame.image[window]
        mask = None if frame.mask is None else frame.mask[window]
        found += _images(pixels, mask, frame.sky_sigma_nmgy, frame.saturation_nmgy)
    found.sort(key=lambda image: -float(image.max()))
    return np.array(found[:MOST_PEAKS]).reshape(-1, STAR_PIXELS, STAR_PIXELS)


def _images(
    pixels: np.ndarray, mask: np.ndarray | None, sigma: float, saturation: float
) -> Iterator[Array]:
    """Yield images around the local maxima that are bright and not full, without faulty pixels."""
    half = STAR_PIXELS // 2
    ring = np.ones((STAR_PIXELS, STAR_PIXELS), dtype=bool)
    ring[2:-2, 2:-2] = False
    for row, column in _peaks(pixels, PEAK_SIGMAS * sigma, FULL_SHARE * saturation):
        window = (slice(row - half, row + half + 1), slice(column - half, column + half + 1))
        if mask is not None and mask[window].any():
            continue
        image = pixels[window].astype(np.float64)
        if np.isfinite(image).all():
            yield image - np.median(image[ring])


def _peaks(pixels: np.ndarray, least: float, most: float) -> list[tuple[int, int]]:
    """Return rows and columns of the pixels between two levels that no neighbour exceeds.

    No peak lies nearer to an edge than half an image.
    """
    half = STAR_PIXELS // 2
    inner = pixels[half:-half, half:-half]
    if inner.size == 0:
        return []
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero(inner > least)
    rows, columns = rows + half, columns + half
    values = pixels[rows, columns]
    highest = values < most
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            beside = pixels[rows + dy, columns + dx]
            # of two equal pixels the first is the peak
            highest &= beside < values if (dy, dx) < (0, 0) else ~(beside > values)
    return list(zip(rows[highest].tolist(), columns[highest].tolist(), strict=True))


def _alike(images: Array) -> tuple[NDArray[np.int64], float]:
    """Return which images have the shape that most have, and its sigma in pixels.

    None where these are too few or too small a share, or many are smaller: a group of galaxies.
    """
    moments = adaptive_moments(images)
    sigma_pixels = moments.sigma_pixels
    known = np.flatnonzero(np.isfinite(sigma_pixels))
    if len(known) < LEAST_STARS:
        return known[:0], float("nan")
    xx, yy, xy = (part[known] for part in (moments.xx, moments.yy, moments.xy))
    size, total = np.log(sigma_pixels[known]), xx + yy
    shapes = np.stack([size / SAME_SIZE, (xx - yy) / total / SAME_SHAPE,
                       2 * xy / total / SAME_SHAPE], axis=1)  # fmt: skip
    apart = np.abs(shapes[:, None] - shapes[None]).max(axis=2)
    alike = apart[int(np.argmax((apart < 1).sum(axis=1)))] < 1
    stars = known[alike]
    middle = float(np.median(size[alike]))
    smaller = int((size < middle - 2 * SAME_SIZE).sum())
    if len(stars) < max(LEAST_STARS, LEAST_SHARE * len(known), smaller / MOST_SMALLER):
        return known[:0], float("nan")
    return stars, float(np.exp(middle))
