"""Circular apertures on pixels: each pixel counts by the area of it that the circle covers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALF_DIAGONAL = np.sqrt(0.5)  # of a pixel

Array = NDArray[np.float64]


def quadrant_area(x: Array, y: Array, radius: float) -> Array:
    """Return the area of a circle about the origin that lies left of ``x`` and below ``y``.

    With H(t) the part of the circle below t, the corner inside the circle gives the quarter,
    the two strips and the rectangle between; outside, one or both of H.

    Parameters
    ----------
    x, y
        One shape.
    radius
        Above 0.
    """
    x, y = np.clip(x, -radius, radius), np.clip(y, -radius, radius)
    strip_x, strip_y = _strip(x, radius), _strip(y, radius)
    quarter = np.pi * radius**2 / 4
    inside = quarter + strip_x + strip_y + x * y
    below_x, below_y = 2 * (strip_x + quarter), 2 * (strip_y + quarter)
    outside = np.where(
        x > 0,
        np.where(y > 0, below_x + below_y - 4 * quarter, below_y),
        np.where(y > 0, below_x, 0.0),
    )
    return np.where(x**2 + y**2 <= radius**2, inside, outside)


def _strip(t: Array, radius: float) -> Array:
    """Return the area of the upper half circle between 0 and ``t``, negative for t < 0."""
    return 0.5 * (t * np.sqrt(radius**2 - t**2) + radius**2 * np.arcsin(t / radius))


def covered_area(dx: Array, dy: Array, radius: float) -> Array:
    """Return the area of unit pixels that a circle covers, exact.

    Parameters
    ----------
    dx, dy
        One shape: the pixel's centre minus the circle's.
    radius
        In pixels, above 0.
    """
    left, right, low, high = dx - 0.5, dx + 0.5, dy - 0.5, dy + 0.5
    return (
        quadrant_area(right, high, radius)
        - quadrant_area(left, high, radius)
        - quadrant_area(right, low, radius)
        + quadrant_area(left, low, radius)
    )


def circle_weights(dx: Array, dy: Array, radius: float) -> Array:
    """Return the covered area of every pixel of N stamps; only at the rim is it worked out.

    Parameters
    ----------
    dx, dy
        Shape (N, S): columns' and rows' centres minus the circle's.
    radius
        In pixels.

    Returns
    -------
    Array
        Shape (N, S, S), rows are y; from 0 to 1.
    """
    distance = np.hypot(dx[:, None, :], dy[:, :, None])
    weights = (distance <= radius - HALF_DIAGONAL).astype(np.float64)
    stamp, row, column = np.nonzero(np.abs(distance - radius) < HALF_DIAGONAL)
    area = covered_area(dx[stamp, column], dy[stamp, row], radius)
    weights[stamp, row, column] = np.clip(area, 0.0, 1.0)
    return weights


def aperture_sums(
    image: NDArray[np.floating], pixel: Array, radii: Sequence[float]
) -> tuple[Array, Array]:  # fmt: skip
    """Return the light within circles about N places.

    Parameters
    ----------
    image
        Shape (B, H, W).
    pixel
        Shape (N, 2): x, y counted from 0 at the first pixel's centre; every circle must lie
        within the image, with a pixel to spare.
    radii
        R of them, in pixels.

    Returns
    -------
    sums, areas
        Shape (N, B, R) and (R,): the covered area is the circle's.
    """
    half = int(np.ceil(max(radii))) + 1
    centre = np.round(pixel).astype(np.int64)
    offset = np.arange(-half, half + 1)
    x, y = centre[:, :1] + offset, centre[:, 1:] + offset  # (N, S)
    dx, dy = x - pixel[:, :1], y - pixel[:, 1:]
    stamps = image[:, y[:, :, None], x[:, None, :]]  # (B, N, S, S)
    sums = np.empty((len(pixel), len(image), len(radii)))
    for index, radius in enumerate(radii):
        reach = int(np.ceil(radius)) + 1
        part = slice(half - reach, half + reach + 1)  # a small circle needs few pixels
        weights = circle_weights(dx[:, part], dy[:, part], radius)
        sums[..., index] = np.einsum("nyx,bnyx->nb", weights, stamps[..., part, part])
    return sums, np.pi * np.asarray(radii, dtype=np.float64) ** 2


def annulus_offsets(inner: float, outer: float) -> NDArray[np.int64]:
    """Return the pixels whose centres lie in a ring about one, shape (K, 2): x, y."""
    reach = np.arange(-int(outer), int(outer) + 1)
    x, y = np.meshgrid(reach, reach)
    distance = np.hypot(x, y)
    inside = (distance >= inner) & (distance <= outer)
    return np.stack([x[inside], y[inside]], axis=1)
