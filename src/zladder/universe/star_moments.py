"""The shape of sources on pixels by adaptive moments: those of the Gaussian that suits them best.

Second moments under a Gaussian weight of the source's own shape and place (Bernstein & Jarvis 2002,
AJ 123, 583, section 3.1; the algorithm of SDSS and of HSC's `sdssshape`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Each step halves what is left of a Gaussian's error.
N_STEPS = 18
FIRST_SIGMA_PIXELS = 1.7
LEAST_SIGMA_PIXELS = 0.4


class Moments(NamedTuple):
    """Adaptive moments of N sources; every array has shape (N,), in pixels or their squares.

    NaN where there is no such Gaussian that the image holds: no light, or moments without end.
    """

    x: Array
    y: Array
    xx: Array
    yy: Array
    xy: Array

    @property
    def sigma_pixels(self) -> Array:
        """The determinant radius (I_xx I_yy - I_xy^2)^(1/4), which is a round Gaussian's sigma."""
        return (self.xx * self.yy - self.xy**2) ** 0.25


def adaptive_moments(images: Array) -> Moments:
    """Return the moments of sources near the middle of small images without sky.

    Parameters
    ----------
    images
        Shape (N, S, S); the middle's centre is (0, 0).
    """
    n, size = len(images), images.shape[-1]
    grid = np.arange(size) - (size - 1) / 2
    x, y, xy = np.zeros(n), np.zeros(n), np.zeros(n)
    xx, yy = np.full(n, FIRST_SIGMA_PIXELS**2), np.full(n, FIRST_SIGMA_PIXELS**2)
    with np.errstate(all="ignore"):  # what has no Gaussian ends as NaN
        for _ in range(N_STEPS):
            across, up = grid - x[:, None], grid - y[:, None]
            weighed = _weight(across, up, xx, yy, xy) * images
            light = weighed.sum(axis=(1, 2))
            rows, columns = weighed.sum(axis=2), weighed.sum(axis=1)
            shift_x = (columns * across).sum(axis=1) / light
            shift_y = (rows * up).sum(axis=1) / light
            # twice the weighed moments: those of a Gaussian under its own weight are half its own
            xx = 2 * (columns * across**2).sum(axis=1) / light - 2 * shift_x**2
            yy = 2 * (rows * up**2).sum(axis=1) / light - 2 * shift_y**2
            mixed = np.einsum("nij,ni,nj->n", weighed, up, across)
            xy = 2 * mixed / light - 2 * shift_x * shift_y
            x, y = x + 2 * shift_x, y + 2 * shift_y
        sigma = (xx * yy - xy**2) ** 0.25
        good = (sigma > LEAST_SIGMA_PIXELS) & (sigma < size / 4) & (light > 0)
        good &= (np.abs(x) < size / 4) & (np.abs(y) < size / 4)
    return Moments(*(np.where(good, values, np.nan) for values in (x, y, xx, yy, xy)))


def _weight(across: Array, up: Array, xx: Array, yy: Array, xy: Array) -> Array:
    """Return the Gaussian of these moments, 1 in its middle, shape (N, S, S)."""
    determinant = xx * yy - xy**2
    a, b, c = (-0.5 * part / determinant for part in (yy, xx, -2 * xy))
    power = (a[:, None] * across**2)[:, None, :] + (b[:, None] * up**2)[:, :, None]
    power += (c[:, None] * up)[:, :, None] * across[:, None, :]
    return np.exp(power, out=power)
