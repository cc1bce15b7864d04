"""The shape of stars: Moffat profiles on pixels, fitted to many small images at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Gauss-Legendre on a pixel: three points a side integrate a Moffat profile of three pixels'
# width to better than 1e-4 of its peak.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)
SUB_PIXELS, SUB_WEIGHTS = _NODES / 2, _WEIGHTS / 2
N_STEPS = 12
DAMPING = 1e-3  # of Levenberg's, relative to the diagonal
FIRST_BETA = 3.0
LEAST = np.array([-np.inf, -np.inf, -np.inf, -np.inf, np.log(0.3), np.log(1.2)])
MOST = np.array([np.inf, np.inf, np.inf, np.inf, np.log(60.0), np.log(30.0)])
LARGEST_STEP = np.array([np.inf, np.inf, 1.0, 1.0, 0.3, 0.3])
DIFFERENCES = np.array([1.0, 1.0, 1e-3, 1e-3, 1e-4, 1e-4])


@dataclass(frozen=True)
class StarShapes:
    """What was fitted to N stars; every array has shape (N,).

    Attributes
    ----------
    flux
        Of the whole profile, in the unit of the images.
    fwhm_pixels, beta
        Of the Moffat profile before it falls on pixels.
    residual
        Root mean square of what the profile leaves, over the sky's sigma.
    """

    flux: Array
    fwhm_pixels: Array
    beta: Array
    residual: Array


def moffat_on_pixels(
    size: int, x_pixel: Array, y_pixel: Array, fwhm_pixels: Array, beta: Array
) -> Array:
    """Return the share of a star's light in each pixel, shape (N, size, size).

    Parameters
    ----------
    size
        Pixels a side; the middle one's centre is (0, 0).
    x_pixel, y_pixel
        Where the stars lie, shape (N,).
    fwhm_pixels, beta
        Of the profile ``(1 + (r / a)^2)^-beta`` (Moffat 1969, A&A 3, 455), shape (N,).
    """
    alpha = fwhm_pixels / (2 * np.sqrt(2 ** (1 / beta) - 1))
    peak = (beta - 1) / (np.pi * alpha**2)
    grid = np.arange(size) - (size - 1) / 2
    total = np.zeros((len(alpha), size, size))
    for dx, wx in zip(SUB_PIXELS, SUB_WEIGHTS, strict=True):
        across = ((grid + dx - x_pixel[:, None]) / alpha[:, None])[:, None, :] ** 2
        for dy, wy in zip(SUB_PIXELS, SUB_WEIGHTS, strict=True):
            up = ((grid + dy - y_pixel[:, None]) / alpha[:, None])[:, :, None] ** 2
            power = np.log1p(across + up)
            power *= -beta[:, None, None]
            total += wx * wy * np.exp(power, out=power)
    return total * peak[:, None, None]


def fit_stars(images: Array, sigma: Array, first_fwhm_pixels: float) -> StarShapes:
    """Return the Moffat profiles that suit images of single stars best, by least squares.

    Levenberg-Marquardt on flux, sky, position, ln fwhm and ln beta, all stars at once. The noise
    of a pixel is taken as even: the weight of the core is what its light gives it.

    Parameters
    ----------
    images
        Shape (N, S, S), S odd, a star near the middle of each.
    sigma
        Noise of a pixel of each, shape (N,).
    first_fwhm_pixels
        Where the search begins.
    """
    n, size = len(images), images.shape[-1]
    sky = np.median(images, axis=(1, 2))
    flux = np.maximum((images - sky[:, None, None]).sum(axis=(1, 2)), sigma)
    width = np.full(n, np.log(first_fwhm_pixels))
    found = np.stack(
        [flux, sky, np.zeros(n), np.zeros(n), width, np.full(n, np.log(FIRST_BETA))], axis=1
    )
    for _ in range(N_STEPS):
        shape = _shape(found, size)
        left = images - found[:, 0, None, None] * shape - found[:, 1, None, None]
        slopes = _slopes(found, shape, size)
        normal = slopes @ slopes.transpose(0, 2, 1)
        diagonal = np.arange(len(LARGEST_STEP))
        normal[:, diagonal, diagonal] *= 1 + DAMPING
        pull = (slopes @ left.reshape(n, -1, 1))[..., 0]
        step = np.linalg.solve(normal, pull[..., None])[..., 0]
        found = np.clip(found + np.clip(step, -LARGEST_STEP, LARGEST_STEP), LEAST, MOST)
    left = images - found[:, 0, None, None] * _shape(found, size) - found[:, 1, None, None]
    residual = np.sqrt(np.mean(left**2, axis=(1, 2))) / sigma
    return StarShapes(found[:, 0], np.exp(found[:, 4]), np.exp(found[:, 5]), residual)


def _shape(found: Array, size: int) -> Array:
    return moffat_on_pixels(
        size, found[:, 2], found[:, 3], np.exp(found[:, 4]), np.exp(found[:, 5])
    )


def _slopes(found: Array, shape: Array, size: int) -> Array:
    """Return the derivatives of each image by its six numbers, shape (N, 6, S * S)."""
    n = len(found)
    slopes = [shape, np.ones_like(shape)]
    for index in range(2, 6):
        moved = found.copy()
        moved[:, index] += DIFFERENCES[index]
        slopes.append(found[:, 0, None, None] * (_shape(moved, size) - shape) / DIFFERENCES[index])
    return np.stack(slopes, axis=1).reshape(n, 6, -1)


def noise_pixels(fwhm_pixels: Array, beta: Array) -> Array:
    """Return over how many pixels' noise a star's flux is taken, 1 / sum(P^2), shape (N,).

    P is its share in each pixel, averaged over where in a pixel the star may lie.
    """
    places = np.linspace(-0.375, 0.375, 4)
    total = np.zeros(len(fwhm_pixels))
    for x in places:
        for y in places:
            middle = np.full(len(fwhm_pixels), 1.0)
            shape = moffat_on_pixels(41, x * middle, y * middle, fwhm_pixels, beta)
            total += (shape**2).sum(axis=(1, 2)) / len(places) ** 2
    return 1 / total
