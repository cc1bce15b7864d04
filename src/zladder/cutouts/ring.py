"""What the border of a stamp tells: the noise of the sky, and pixels that were filled in."""

from __future__ import annotations

import numpy as np

from zladder.metrics.normal import NMAD_FACTOR

_RING_PIXELS = 2


def ring_noise(flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (noise of a pixel, float32 (N, B); whether the border has filled pixels, (N, B)).

    Of stamps (N, B, S, S): 1.4826 times the median absolute deviation of the outermost two rows and
    columns, pixels of exactly 0 left out; NaN where nothing is left.
    """
    width = _RING_PIXELS
    rows = flux[:, :, [*range(width), *range(-width, 0)]]
    columns = flux[:, :, width:-width][..., [*range(width), *range(-width, 0)]]
    shape = flux.shape[:2]
    ring = np.concatenate([rows.reshape(*shape, -1), columns.reshape(*shape, -1)], axis=2)
    zero = ring == 0
    filled = zero.any(axis=2)
    noise = _scatter(ring)
    for galaxy, band in np.argwhere(filled):
        real = ring[galaxy, band, ~zero[galaxy, band]]
        noise[galaxy, band] = _scatter(real) if real.size else np.nan
    return noise.astype(np.float32), filled


def without_pixels(flux: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return which bands of stamps (N, B, S, S) are 0 throughout, (N, B); `sums` of their pixels.

    Only where the sum is 0 are the pixels looked at.
    """
    empty = sums == 0
    for galaxy, band in np.argwhere(empty):
        empty[galaxy, band] = not flux[galaxy, band].any()
    return empty


def _scatter(values: np.ndarray) -> np.ndarray:
    """Return 1.4826 times the median absolute deviation over the last axis.

    Of an even number the lower of the two in the middle: one selection, not two and a test for NaN.
    """
    middle = (values.shape[-1] - 1) // 2
    away = values - np.partition(values, middle, axis=-1)[..., middle, None]
    np.abs(away, out=away)
    away.partition(middle, axis=-1)
    return NMAD_FACTOR * np.asarray(away[..., middle])
