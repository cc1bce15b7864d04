"""Stamps on grids of their own: north up, east left, the galaxy in the middle; by Lanczos-3.

What SWarp does with RESAMPLING_TYPE LANCZOS3, PROJECTION_TYPE TAN and CENTER_TYPE MANUAL (Bertin et
al. 2002, ASP Conference Series 281, 228): each pixel of the new grid is looked up in the frame with
a kernel of 6 x 6 pixels whose weights add up to one. Fluxes are per pixel of the new grid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from zladder.tables.stamp_files import NOISE_LAGS

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from zladder.cutouts.frames import Pixels

HALF_TAPS = 3
TAPS = 2 * HALF_TAPS
_STEP_BITS = 15
_STEPS = 2**_STEP_BITS  # of the kernel's table: half a step is 1.5e-5 pixel
_FINER_BITS = 4  # of a position beyond that: it is the sum of two rounded terms
_NOWHERE = -(10**6)  # off every image
_ARCSEC_PER_RADIAN = 3600.0 * 180.0 / np.pi


def sky_grids(
    wcs: WCS, ra: np.ndarray, dec: np.ndarray, pixel_scale_arcsec: float, side: int
) -> np.ndarray:
    """Return the affine maps from grids on the sky to pixels of a frame, float64 (N, 2, 3).

    Column 0 is a step of one pixel to the right (west), column 1 one up (north), column 2 the
    galaxy itself; rows are x and y, (0, 0) the centre of the first pixel. A grid lies on the plane
    that touches the sky at its galaxy; between that and the frame's own plane an affine map is
    wrong by less than 1e-4 pixel for stamps within 2 degrees of the frame's tangent point.

    Parameters
    ----------
    wcs
        Of the frame.
    ra, dec
        Of the galaxies, deg, (N,).
    pixel_scale_arcsec, side
        Of the grids, side in pixels.
    """
    half = (side - 1) / 2 * pixel_scale_arcsec / _ARCSEC_PER_RADIAN
    alpha, delta = np.deg2rad(ra), np.deg2rad(dec)
    zero = np.zeros_like(alpha)
    centre = _vectors(alpha, delta)
    west = np.stack([np.sin(alpha), -np.cos(alpha), zero], axis=1)
    north = _vectors(alpha, delta + np.pi / 2)
    points = [centre + half * step for step in (west, -west, north, -north)]
    x, y, z = np.concatenate([*points, centre]).T
    sky = np.rad2deg(np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], axis=1))
    right, left, up, down, middle = np.split(wcs.wcs_world2pix(sky, 0), 5)
    return np.stack([(right - left) / (side - 1), (up - down) / (side - 1), middle], axis=2)


def resample(
    image: Pixels,
    grids: np.ndarray,
    out: np.ndarray,
    mask: Pixels | None = None,
    level: float = -np.inf,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill stamps from an image; where one needs a pixel that is not there, it stays as it was.

    Parameters
    ----------
    image
        float32, (rows, columns).
    grids
        As `sky_grids` gives them, (N, 2, 3).
    out
        float32, (N, S, S), filled.
    mask
        Bits of the image's pixels, uint32 (rows, columns), if there are any.
    level
        Of saturation: how bright a stamp's pixels are is told where one around it reaches this.

    Returns
    -------
    tuple
        Which stamps were filled, bool (N,); the brightest pixel of the frame under each of them,
        float32 (N,): what saturation is told by; and the mask's bits there, uint32 (N,).
    """
    first, last = _reach(grids, out.shape[-1])
    rows, columns = image.shape
    filled = (first >= 0).all(axis=1) & (last[:, 0] < columns) & (last[:, 1] < rows)
    brightest = np.zeros(len(out), dtype=np.float32)
    bits = np.zeros(len(out), dtype=np.uint32)
    marked = mask is not None and not (isinstance(mask, np.ndarray) and not mask.any())
    places = np.flatnonzero(filled)
    within = grids[places] - np.pad(first[places, :, None], ((0, 0), (0, 0), (2, 0)))
    fixed = _fixed_point(within, out.shape[-1])
    for row, grid, ways in zip(places.tolist(), within, fixed, strict=True):
        (x, y), (x_last, y_last) = first[row].tolist(), last[row].tolist()
        patch = np.ascontiguousarray(image[y : y_last + 1, x : x_last + 1])
        brightest[row] = np.fmax.reduce(patch, axis=None)
        look = bool(brightest[row] >= level)
        found = _fill(patch, ways, out[row], look)
        brightest[row] = found if look else brightest[row]
        if mask is not None and marked:
            bits[row] = _bits(mask[y : y_last + 1, x : x_last + 1], grid, out.shape[-1])
    return filled, brightest, bits


def _bits(patch: np.ndarray, grid: np.ndarray, side: int) -> np.uint32:
    """Return the bits of the pixels next to those of a stamp, as for the brightest one."""
    steps = np.arange(side) - (side - 1) / 2
    x, y = (
        np.floor(along * steps + (up * steps)[:, None] + middle).astype(np.intp)
        for along, up, middle in grid.tolist()
    )
    near = [patch[y + down, x + right] for down in (0, 1) for right in (0, 1)]
    return np.uint32(np.bitwise_or.reduce(near, axis=None))


def areas(grids: np.ndarray) -> np.ndarray:
    """Return how many pixels of the frame one of each grid covers, (N,)."""
    along, up = grids[:, :, 0], grids[:, :, 1]
    return np.abs(along[:, 0] * up[:, 1] - along[:, 1] * up[:, 0])


def noise_correlation(ratio: float) -> np.ndarray:
    """Return how white noise correlates between pixels once it is interpolated, float64 (4, 4).

    By how many rows and columns of the new grid two pixels lie apart, 0 to 3; averaged over where
    between the frame's pixels they lie, and over how the grid is turned.

    Parameters
    ----------
    ratio
        Width of the new grid's pixels over that of the frame's.
    """
    steps = 512  # a pixel
    kernel = kernel_table()[::-1, :: _STEPS // steps].ravel().astype(np.float64)  # from -3 to 3
    alone = np.correlate(kernel, kernel, "full")[kernel.size - 1 :]
    turns = np.deg2rad(np.arange(90) + 0.5)[:, None, None]
    apart = ratio * np.arange(float(NOISE_LAGS))
    x = np.cos(turns) * apart - np.sin(turns) * apart[:, None]
    y = np.sin(turns) * apart + np.cos(turns) * apart[:, None]
    along, up = (
        np.interp(steps * np.abs(part), np.arange(alone.size), alone / alone[0], right=0.0)
        for part in (x, y)
    )
    return np.asarray((along * up).mean(axis=0))


@lru_cache(maxsize=1)
def kernel_table() -> np.ndarray:
    """Return the weights of six pixels in a row, float32 (6, steps).

    Of the pixels 2 before to 3 behind the one that a position lies in, for positions from 0 to 1
    behind its centre: sinc(x) sinc(x / 3), divided by their sum.
    """
    offset = np.arange(_STEPS) / _STEPS - np.arange(1 - HALF_TAPS, HALF_TAPS + 1)[:, None]
    weights = np.sinc(offset) * np.sinc(offset / HALF_TAPS)
    return np.ascontiguousarray(weights / weights.sum(axis=0), dtype=np.float32)


def _vectors(alpha: np.ndarray, delta: np.ndarray) -> np.ndarray:
    cosine = np.cos(delta)
    return np.stack([cosine * np.cos(alpha), cosine * np.sin(alpha), np.sin(delta)], axis=1)


def _reach(grids: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last pixel (x, y) that each stamp needs, int64 (N, 2)."""
    middle, reach = grids[:, :, 2], np.abs(grids[:, :, :2]).sum(axis=2) * (side - 1) / 2
    ends = (np.floor(middle - reach) - (HALF_TAPS - 1), np.floor(middle + reach) + HALF_TAPS)
    known = np.isfinite(grids).all(axis=(1, 2))[:, None]
    first, last = (
        np.where(known, end, _NOWHERE).clip(_NOWHERE, -_NOWHERE).astype(np.int64) for end in ends
    )
    return first, last


def _fixed_point(grids: np.ndarray, side: int) -> np.ndarray:
    """Return what columns and rows of grids add to a pixel's place, int32 (N, 2, x and y, S).

    In 2^-19 pixel, the galaxy's place and half a step of the table with the columns: cutting bits
    off then rounds to the nearest step. A patch has less than 2^12 pixels a side.
    """
    steps = np.arange(side) - (side - 1) / 2
    columns = grids[:, :, 0, None] * steps + (grids[:, :, 2, None] + 0.5 / _STEPS)
    rows = grids[:, :, 1, None] * steps
    return np.rint(np.stack([columns, rows], axis=1) * (_STEPS << _FINER_BITS)).astype(np.int32)


def _fill(patch: np.ndarray, ways: np.ndarray, stamp: np.ndarray, look: bool) -> float:
    """Interpolate one stamp; if asked return the brightest of the pixels next to its own."""
    width = patch.shape[1]
    place = (ways[0][:, None, :] + ways[1][:, :, None]).reshape(2, -1) >> _FINER_BITS
    x, y = place >> _STEP_BITS
    corner = y * np.int32(width) + (x - np.int32((HALF_TAPS - 1) * (width + 1)))
    place &= _STEPS - 1
    along, up = (
        table.take(step, axis=1, mode="wrap").view(np.float32)
        for table, step in zip(_tables(), place, strict=True)
    )
    return _add_up(_pairs(patch), corner.astype(np.intp), width, along, up, stamp, look)


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel's table for two neighbours of a row at once, complex64.

    Along the row: (3, steps), their weights; up: (6, steps), the weight of both.
    """
    weights = kernel_table()
    neighbours = weights.reshape(TAPS // 2, 2, _STEPS).transpose(0, 2, 1)
    return _as_pairs(neighbours), _as_pairs(np.stack([weights, weights], axis=2))


def _as_pairs(values: np.ndarray) -> np.ndarray:
    """Return float32 (..., 2) as complex64 (...): numpy takes eight bytes as fast as four."""
    return np.ascontiguousarray(values).view(np.complex64)[..., 0]


def _pairs(patch: np.ndarray) -> np.ndarray:
    """Return each pixel of a patch with the one that follows it, complex64 (rows x columns,)."""
    pairs = np.empty((patch.size, 2), dtype=np.float32)
    pairs[:, 0] = patch.ravel()
    pairs[:-1, 1] = pairs[1:, 0]
    pairs[-1, 1] = 0.0
    return _as_pairs(pairs)


def _add_up(
    pairs: np.ndarray,
    corner: np.ndarray,
    width: int,
    along: np.ndarray,
    up: np.ndarray,
    stamp: np.ndarray,
    look: bool,
) -> float:
    """Sum the 36 weighted pixels, two of a row at once; shifted views save adding to indices."""
    corners = corner + np.arange(0, TAPS * width, width)[:, None]
    taken = np.empty(corners.shape, dtype=np.complex64)
    taps = taken.view(np.float32)
    column, total = (np.zeros(2 * corner.size, dtype=np.float32) for _ in range(2))
    brightest = -np.inf
    for j in range(TAPS // 2):
        # Every index is inside; "wrap" spares the check that "raise" makes.
        pairs[2 * j :].take(corners, out=taken, mode="wrap")
        if look and 2 * j == HALF_TAPS - 1:
            near = np.fmax.reduce(taps[HALF_TAPS - 1 : HALF_TAPS + 1], axis=None)
            brightest = float(np.fmax(near, -np.inf))
        np.multiply(taps, up, out=taps)
        np.add.reduce(taps, axis=0, out=column)
        np.multiply(column, along[j], out=column)
        np.add(total, column, out=total)
    np.add(total[::2].reshape(stamp.shape), total[1::2].reshape(stamp.shape), out=stamp)
    return brightest
