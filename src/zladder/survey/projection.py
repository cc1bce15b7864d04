"""Tangent planes: where positions on the sky fall on the pixels of an image, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zladder.survey.geometry import ARCSEC_PER_DEG, displaced

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TangentPlane:
    """A gnomonic projection (TAN) onto square pixels.

    Attributes
    ----------
    ra_deg, dec_deg
        The point of tangency (ICRS).
    pixel_arcsec
        The side of a pixel.
    turn_deg
        By how much the image is turned: the +y axis points ``turn_deg`` from north through east.
    centre
        x, y of the point of tangency, in pixels counted from 0; it may lie outside the image.
    """

    ra_deg: float
    dec_deg: float
    pixel_arcsec: float
    turn_deg: float
    centre: tuple[float, float]

    @property
    def cd(self) -> Array:
        """The matrix CD1_1, CD1_2; CD2_1, CD2_2 in degrees per pixel; east is left of north."""
        scale = self.pixel_arcsec / ARCSEC_PER_DEG
        cosine, sine = np.cos(np.radians(self.turn_deg)), np.sin(np.radians(self.turn_deg))
        return scale * np.array([[-cosine, sine], [sine, cosine]])

    def to_sky(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return ra, dec (degrees) of pixels counted from 0.

        Calabretta & Greisen (2002, A&A 395, 1077), section 5.1.3.
        """
        xi, eta = np.radians(self.cd @ np.stack([x - self.centre[0], y - self.centre[1]]))
        dec_0 = np.radians(self.dec_deg)
        across = np.cos(dec_0) - eta * np.sin(dec_0)
        ra = np.degrees(np.arctan2(xi, across)) + self.ra_deg
        up = np.sin(dec_0) + eta * np.cos(dec_0)
        return ra % 360.0, np.degrees(np.arctan2(up, np.hypot(xi, across)))

    def to_pixels(self, ra_deg: Array, dec_deg: Array) -> tuple[Array, Array]:
        """Return x, y of positions on the plane's side of the sky; the inverse of `to_sky`."""
        ra, dec = np.radians(ra_deg - self.ra_deg), np.radians(dec_deg)
        dec_0 = np.radians(self.dec_deg)
        depth = np.sin(dec) * np.sin(dec_0) + np.cos(dec) * np.cos(dec_0) * np.cos(ra)
        xi = np.cos(dec) * np.sin(ra) / depth
        eta = (np.sin(dec) * np.cos(dec_0) - np.cos(dec) * np.sin(dec_0) * np.cos(ra)) / depth
        x, y = np.linalg.solve(self.cd, np.degrees(np.stack([xi, eta])))
        return x + self.centre[0], y + self.centre[1]

    def angle_rad(self, position_angle_deg: Array) -> Array:
        """Return position angles (from north through east) as angles from +x towards +y.

        As they are at the point of tangency; `angle_at_rad` knows how meridians converge.
        """
        angle = np.radians(position_angle_deg)
        x, y = np.linalg.solve(self.cd, np.stack([np.sin(angle), np.cos(angle)]))
        return np.arctan2(y, x)

    def angle_at_rad(self, position_angle_deg: Array, ra_deg: Array, dec_deg: Array) -> Array:
        """Return position angles at positions, shape (N,) each, as `angle_rad` does."""
        angle = np.radians(position_angle_deg)
        x, y = self.to_pixels(ra_deg, dec_deg)
        moved_x, moved_y = self.to_pixels(*displaced(ra_deg, dec_deg, np.sin(angle), np.cos(angle)))
        return np.arctan2(moved_y - y, moved_x - x)
