"""The fields of the imaging survey: where they lie, how they are turned, where their pixels are.

A field is one frame of 2048 x 1489 pixels in each band. Fields are spread over the area of the
main sample, so that each lies behind its own dust, and do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.config.imaging import FRAME_ROWS, FieldNumber, field_numbers
from zladder.survey.geometry import Field, unit_vectors
from zladder.survey.projection import TangentPlane
from zladder.survey.spacing import distance_for, spaced_points
from zladder.survey.streams import generator

WIDTH_PIXELS, HEIGHT_PIXELS = 2048, FRAME_ROWS
PIXEL_ARCSEC = 0.396
FIELD_SEPARATION_DEG = 0.3  # more than a frame's diagonal, 0.28

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ImagingField:
    """One field, with a tangent plane that is turned against north.

    Attributes
    ----------
    number
        Run, camcol and field.
    ra_deg, dec_deg
        Of the point of tangency, in the middle of the frame (ICRS).
    turn_deg
        By how much the frame is turned: the +y axis points ``turn_deg`` from north through east.
    """

    number: FieldNumber
    ra_deg: float
    dec_deg: float
    turn_deg: float

    @property
    def plane(self) -> TangentPlane:
        """The projection."""
        return TangentPlane(self.ra_deg, self.dec_deg, PIXEL_ARCSEC, self.turn_deg, CENTRE)

    @property
    def cd(self) -> Array:
        """The matrix CD1_1, CD1_2; CD2_1, CD2_2 in degrees per pixel; east is left of north."""
        return self.plane.cd

    def to_sky(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return ra, dec (degrees) of pixels counted from 0."""
        return self.plane.to_sky(x, y)

    def to_pixels(self, ra_deg: Array, dec_deg: Array) -> tuple[Array, Array]:
        """Return x, y of positions on the field's side of the sky; the inverse of `to_sky`."""
        return self.plane.to_pixels(ra_deg, dec_deg)

    def angle_rad(self, position_angle_deg: Array) -> Array:
        """Return position angles (from north through east) as angles from +x towards +y."""
        return self.plane.angle_rad(position_angle_deg)


CENTRE = ((WIDTH_PIXELS - 1) / 2, (HEIGHT_PIXELS - 1) / 2)


def main_area(settings: Mapping[str, Any]) -> Field:
    """Return the part of the sky over which the fields are spread."""
    sky = settings["sky"]
    return Field(sky["main_ra_deg"], sky["main_dec_deg"], sky["main_area_deg2"])


def needed_area_deg2(settings: Mapping[str, Any]) -> float:
    """Return the area in which the fields have room, four times as much as they cover."""
    return len(field_numbers(settings)) * 4 * FIELD_SEPARATION_DEG**2


def lay_fields(settings: Mapping[str, Any], seed: int) -> list[ImagingField]:
    """Return the fields of the main sample, then those of the deeper one.

    Parameters
    ----------
    settings
        ``n_main``, ``n_deep``, ``sky`` and ``imaging`` of the survey stage.
    seed
        The sky's.
    """
    rng = generator(seed, "imaging fields")
    area, numbers = main_area(settings), field_numbers(settings)
    units = spaced_points(
        lambda n: unit_vectors(*area.draw(rng, n)), len(numbers), np.radians(FIELD_SEPARATION_DEG)
    )
    ra = np.degrees(np.arctan2(units[:, 1], units[:, 0])) % 360.0
    dec = np.degrees(np.arcsin(units[:, 2]))
    turn = rng.uniform(0.0, 360.0, len(numbers))
    rows = zip(numbers, ra.tolist(), dec.tolist(), turn.tolist(), strict=True)
    return [ImagingField(*row) for row in rows]


def draw_pixels(rng: np.random.Generator, n: int, edge_pixels: float) -> Array:
    """Return ``n`` places in a frame that keep off the edge and each other, shape (n, 2)."""
    size = np.array([WIDTH_PIXELS - 1, HEIGHT_PIXELS - 1]) - 2 * edge_pixels
    distance = distance_for(n, float(size.prod()))
    return spaced_points(lambda m: edge_pixels + size * rng.random((m, 2)), n, distance)
