"""HSC-like tracts: the sky in large tangent planes, from which the archive cuts its stamps.

A tract's projection is that of all its stamps, so that its point of tangency lies thousands of
pixels outside them. The grid is this sky's own; its numbers are not HSC's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zladder.survey.coadd import HSC_PIXEL_ARCSEC
from zladder.survey.projection import TangentPlane

TRACT_DEG = 1.5
TRACT_PIXELS = 36_000  # more than TRACT_DEG: neighbouring tracts overlap
PATCH_PIXELS = 4_000
FIRST_RING = -60  # at -90 degrees
TRACTS_PER_RING = 300  # no ring has more than 240

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tract:
    """One tract: its number, and its projection."""

    number: int
    plane: TangentPlane


def tract_of(ra_deg: float, dec_deg: float) -> Tract:
    """Return the tract in which a position lies."""
    ring = round(dec_deg / TRACT_DEG)
    tract_dec = ring * TRACT_DEG
    count = max(int(np.ceil(360.0 * np.cos(np.radians(tract_dec)) / TRACT_DEG)), 1)
    place = round(ra_deg / (360.0 / count)) % count
    middle = (TRACT_PIXELS - 1) / 2
    plane = TangentPlane(place * 360.0 / count, tract_dec, HSC_PIXEL_ARCSEC, 0.0, (middle, middle))
    return Tract((ring - FIRST_RING) * TRACTS_PER_RING + place, plane)


def patch_of(x: float, y: float) -> tuple[int, int]:
    """Return the patch of a pixel of a tract."""
    return int(x // PATCH_PIXELS), int(y // PATCH_PIXELS)
