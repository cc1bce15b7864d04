"""What every frame tells, in whatever file it lies: pixels, world coordinates, noise, mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zladder.metrics.normal import NMAD_FACTOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from astropy.wcs import WCS

# The noise is measured on every n-th pixel: a prime, so that columns are visited evenly.
_SKY_STRIDE = 97
_LEAST_SKY_PIXELS = 5000
_LAGS = 3  # beyond, Lanczos-3 weighs correlations by less than 0.01
_LEAST_PAIRS = 500
ZERO_POINT_HINT = "correct frames.zero_point_mag of the survey, or give its own files"


@dataclass(frozen=True)
class Plane:
    """Pixels that stay in their file until a window of them is asked for: `plane[rows, columns]`.

    Attributes
    ----------
    raw
        As the file has them, shape (rows, columns): an array over a memory map.
    convert
        Makes the pixels of a window from the raw ones.
    """

    raw: np.ndarray
    convert: Callable[[np.ndarray], np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self.raw.shape

    def __getitem__(self, window: tuple[slice, slice]) -> np.ndarray:
        """Return the pixels of a window."""
        return self.convert(self.raw[window])


Pixels = np.ndarray | Plane


@dataclass(frozen=True)
class Frame:
    """One band of one field.

    Attributes
    ----------
    image
        nanomaggies, float32, shape (rows, columns); cut by two slices.
    wcs
        Pixel (0, 0) is the centre of the first one.
    sky_sigma_nmgy
        Noise of a pixel of empty sky.
    saturation_nmgy
        What no pixel can reach; inf where the header does not tell.
    mask
        Bits of STAMP_FLAGS, uint32, shape (rows, columns); None where the file has no mask.
    psf_fwhm_arcsec
        Width of the point-spread function; NaN where the file does not tell.
    sky_correlation
        Of a pixel of empty sky with the first, second, … one further along; nothing: white noise.
    """

    path: Path
    image: Pixels
    wcs: WCS
    sky_sigma_nmgy: float
    saturation_nmgy: float
    mask: Pixels | None = None
    psf_fwhm_arcsec: float = float("nan")
    sky_correlation: tuple[float, ...] = ()


def sky_sigma_nmgy(image: np.ndarray) -> float:
    """Return the noise of a sky-subtracted image, shape (rows, columns), robustly.

    1.4826 times the median absolute deviation of every 97th finite pixel (of all of them in a
    small image); galaxies cover too little of a frame to matter.
    """
    flat = image.reshape(-1)
    some = flat[::_SKY_STRIDE] if flat.size >= _SKY_STRIDE * _LEAST_SKY_PIXELS else flat
    some = some[np.isfinite(some)]
    if some.size == 0:
        return float("nan")
    return float(NMAD_FACTOR * np.median(np.abs(some - np.median(some))))


def sky_correlation(rows: np.ndarray) -> tuple[float, ...]:
    """Return how sky pixels correlate with those 1, 2 and 3 further in their row, robustly.

    1 - (NMAD of the differences / NMAD of the pixels)^2 / 2: stacks are resampled exposures, whose
    noise is not white. Nothing, as of white noise, where there are too few pixels or no noise.

    Parameters
    ----------
    rows
        Whole rows, shape (rows, columns); pixels that do not count are NaN.
    """
    spread = sky_sigma_nmgy(rows)
    if not spread > 0.0:
        return ()
    found = []
    for lag in range(1, _LAGS + 1):
        steps = np.abs(rows[:, lag:] - rows[:, :-lag])
        steps = steps[np.isfinite(steps)]
        if steps.size < _LEAST_PAIRS:
            return ()
        found.append(1.0 - 0.5 * float(NMAD_FACTOR * np.median(steps) / spread) ** 2)
    return tuple(found)
