"""The CFHTLS-like tiles: where they lie, how large they are, how their files are called.

The deep one looks at the middle of the deep field, as CFHTLS's D2 looks at COSMOS, so that its
galaxies are those of the HSC-like and COSMOS-like catalogues. The wide one lies in the wide field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.areas import deep_and_wide
from zladder.survey.coadd import CFHTLS_PIXEL_ARCSEC
from zladder.survey.geometry import ARCSEC_PER_DEG
from zladder.survey.projection import TangentPlane

LAYERS = ("wide", "deep")
# as T0007 names them: D-85 holds the best 85 % of the exposures of a deep field
LAYER_NAMES = {"wide": "W", "deep": "D-85"}
TILE_NAME = "CFHTLS_{layer}_{band}_{position}_T0007_MEDIAN.fits"
WIDE_TILE_OFFSET = 0.35  # north of the deep field's centre, over the wide field's height
# light of objects this far outside an image is painted; chosen, brighter stars shine farther
MARGIN_ARCSEC = 10.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tile:
    """One square tile, north up.

    Attributes
    ----------
    layer
        One of `LAYERS`.
    ra_deg, dec_deg
        Of its middle, the point of tangency (ICRS).
    size_pixels
        Its side.
    """

    layer: str
    ra_deg: float
    dec_deg: float
    size_pixels: int

    @property
    def plane(self) -> TangentPlane:
        """The projection."""
        middle = (self.size_pixels - 1) / 2
        return TangentPlane(self.ra_deg, self.dec_deg, CFHTLS_PIXEL_ARCSEC, 0.0, (middle, middle))

    def near(self, ra_deg: Array, dec_deg: Array, margin_arcsec: float) -> NDArray[np.bool_]:
        """Tell which positions, shape (N,), lie in the tile or a margin around it."""
        margin = margin_arcsec / CFHTLS_PIXEL_ARCSEC
        x, y = self.plane.to_pixels(ra_deg, dec_deg)
        low, high = -0.5 - margin, self.size_pixels - 0.5 + margin
        return (x >= low) & (x < high) & (y >= low) & (y < high)

    def file_name(self, band: str) -> str:
        """Return how its image in a band is called."""
        position = sexagesimal(self.ra_deg, self.dec_deg)
        return TILE_NAME.format(layer=LAYER_NAMES[self.layer], band=band, position=position)


def lay_tiles(settings: Mapping[str, Any]) -> tuple[Tile, ...]:
    """Return a tile of each of `LAYERS`."""
    deep, wide = deep_and_wide(settings)
    size = settings["cfhtls"]["tile_pixels"]
    low, high = wide.dec_range_deg
    north = deep.dec_deg + WIDE_TILE_OFFSET * (high - low)
    return (
        Tile("wide", deep.ra_deg, north, size),
        Tile("deep", deep.ra_deg, deep.dec_deg, size),
    )


def sexagesimal(ra_deg: float, dec_deg: float) -> str:
    """Return a position as HHMMSS+DDMMSS, to the nearest second."""
    hours = round(ra_deg % 360.0 / 15.0 * ARCSEC_PER_DEG) % (24 * 3600)
    degrees = round(abs(dec_deg) * ARCSEC_PER_DEG)
    sign = "-" if dec_deg < 0 else "+"
    return f"{_digits(hours)}{sign}{_digits(degrees)}"


def _digits(seconds: int) -> str:
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
