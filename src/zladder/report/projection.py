"""Maps of the sky on which equal areas look equal: Lambert's azimuthal projection, and Hammer's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WIDEST_DEG = 80.0  # from the middle of an azimuthal map to its edge; beyond, the whole sky is shown
# Half axes of the circle that a hemisphere becomes, and of the ellipse of the whole sky.
HEMISPHERE_DEG = float(np.degrees(np.sqrt(2.0)))
WHOLE_SKY_DEG = (2 * HEMISPHERE_DEG, HEMISPHERE_DEG)
STEPS_DEG = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


@dataclass(frozen=True)
class Map:
    """A projection: its middle in deg, and whether it shows the whole sky."""

    ra_deg: float
    dec_deg: float
    whole: bool

    def project(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (x, y) in deg, x growing to the east, of positions in deg.

        The area of any part of the map is that of the part of the sky. Formulas: Calabretta &
        Greisen 2002 (A&A 395, 1077), sections 5.1.7 (ZEA) and 5.3.4 (AIT, which is Hammer's).
        """
        longitude = np.radians((np.asarray(ra_deg) - self.ra_deg + 180.0) % 360.0 - 180.0)
        latitude = np.radians(dec_deg)
        if self.whole:
            longitude = longitude / 2.0
            middle = 0.0
        else:
            middle = np.radians(self.dec_deg)
        cosine = np.cos(latitude) * np.cos(longitude)
        ahead = np.sin(middle) * np.sin(latitude) + np.cos(middle) * cosine
        scale = np.degrees(np.sqrt(2.0 / np.maximum(1.0 + ahead, 1e-12)))
        x = scale * np.cos(latitude) * np.sin(longitude) * (2.0 if self.whole else 1.0)
        y = scale * (np.cos(middle) * np.sin(latitude) - np.sin(middle) * cosine)
        return x, y


def map_of(ra_deg: np.ndarray, dec_deg: np.ndarray) -> Map:
    """Return the map about the mean direction of positions; of the whole sky if they are wide."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    points = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    mean = points.mean(axis=1)
    length = float(np.linalg.norm(mean))
    if length < 1e-9:
        return Map(0.0, 0.0, whole=True)
    middle = mean / length
    farthest = float(np.degrees(np.arccos(np.clip(middle @ points, -1, 1).min())))
    centre_ra = float(np.degrees(np.arctan2(middle[1], middle[0])) % 360.0)
    centre_dec = float(np.degrees(np.arcsin(np.clip(middle[2], -1, 1))))
    return Map(centre_ra, centre_dec, whole=farthest > WIDEST_DEG)


def step_of(span_deg: float) -> float:
    """Return the step between lines of a grid that puts about four into a span."""
    return min(STEPS_DEG, key=lambda step: abs(np.log(step / (span_deg / 4.0))))


def crossings(line: np.ndarray, across: np.ndarray, level: float) -> np.ndarray:
    """Return the values of `across` where a polyline, both (n,), passes a level."""
    below = line < level
    at = np.flatnonzero(below[1:] != below[:-1])
    share = (level - line[at]) / (line[at + 1] - line[at])
    return across[at] + share * (across[at + 1] - across[at])
