"""HSC-like cutouts as files: one a galaxy and band, image, mask and variance, as the archive's.

Counts of zero point 27.0. The projection is that of the whole tract. The mask has the planes of
the pipeline's masks by name (`MP_*`); their bits differ between releases, so that only names count.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zladder.survey.coadd import Coadd, pixel_variance
from zladder.survey.fits_bytes import Card, image_bytes, primary_bytes
from zladder.survey.tracts import TRACT_PIXELS, Tract

MASK_PLANES = (
    "BAD",
    "SAT",
    "INTRP",
    "CR",
    "EDGE",
    "DETECTED",
    "DETECTED_NEGATIVE",
    "SUSPECT",
    "NO_DATA",
    "BRIGHT_OBJECT",
    "CROSSTALK",
    "NOT_DEBLENDED",
    "UNMASKEDNAN",
    "CLIPPED",
)
DETECTED_SIGMAS = 5.0  # of a pixel: a plain threshold, where the pipeline smooths first
CUTOUT_NAME = "{band}/{object_id}.fits"


class Place(NamedTuple):
    """Where a stamp is cut: its tract, patch, and first pixel in the tract."""

    tract: Tract
    patch: tuple[int, int]
    corner: tuple[int, int]


def cutout_bytes(image_nmgy: NDArray[np.float32], place: Place, coadd: Coadd, index: int) -> bytes:
    """Return a file as the archive gives it: an empty primary HDU, image, mask, variance.

    Parameters
    ----------
    image_nmgy
        Shape (S, S): with its noise.
    place
        Where it is cut.
    coadd, index
        The images, and which of their bands.
    """
    count = np.float32(coadd.counts_per_nmgy)
    projection = _projection_cards(place)
    planes = [(f"MP_{plane}", bit, "") for bit, plane in enumerate(MASK_PLANES)]
    variance = pixel_variance(image_nmgy, coadd, index) * count**2  # from what is observed
    return b"".join(
        [
            primary_bytes(_primary_cards(place, coadd, index)),
            image_bytes(image_nmgy * count, [_kind("IMAGE"), *projection]),
            image_bytes(mask_of(image_nmgy, coadd, index), [_kind("MASK"), *projection, *planes]),
            image_bytes(variance, [_kind("VARIANCE"), *projection]),
        ]
    )


def _kind(name: str) -> Card:
    return "EXTTYPE", name, ""


def mask_of(image_nmgy: NDArray[np.float32], coadd: Coadd, index: int) -> NDArray[np.int32]:
    """Return the mask: SAT where a pixel is full, DETECTED where it stands above the sky."""
    full = image_nmgy >= np.float32(coadd.saturation_nmgy[index])
    bright = image_nmgy > DETECTED_SIGMAS * coadd.sky_sigma_nmgy[index]
    mask = full.astype(np.int32) << MASK_PLANES.index("SAT")
    return mask | bright.astype(np.int32) << MASK_PLANES.index("DETECTED")


def _primary_cards(place: Place, coadd: Coadd, index: int) -> list[Card]:
    return [
        ("TELESCOP", "Subaru", "layout of the file"),
        ("INSTRUME", "Hyper Suprime-Cam", "layout of the file"),
        ("FILTER", f"HSC-{coadd.bands[index].upper()}", ""),
        ("FLUXMAG0", float(10 ** (0.4 * coadd.zero_point_mag)), "counts of magnitude zero"),
        ("TRACT", place.tract.number, "of this sky's own grid"),
        ("PATCH", f"{place.patch[0]},{place.patch[1]}", ""),
        ("COMMENT", "Simulated by zladder", ""),
    ]


def _projection_cards(place: Place) -> list[Card]:
    plane, (x, y) = place.tract.plane, place.corner
    middle = (TRACT_PIXELS + 1) / 2
    scale = float(plane.cd[1, 1])
    return [
        ("EQUINOX", 2000.0, ""),
        ("RADESYS", "ICRS", ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", middle - x, "pixels from 1; outside the stamp"),
        ("CRPIX2", middle - y, "pixels from 1; outside the stamp"),
        ("CRVAL1", plane.ra_deg, "deg"),
        ("CRVAL2", plane.dec_deg, "deg"),
        ("CD1_1", -scale, "deg per pixel"),
        ("CD1_2", 0.0, "deg per pixel"),
        ("CD2_1", 0.0, "deg per pixel"),
        ("CD2_2", scale, "deg per pixel"),
        ("LTV1", -x, "first pixel in the tract, counted down"),
        ("LTV2", -y, "first pixel in the tract, counted down"),
    ]


def cutout_path(folder: Path, object_id: int, band: str) -> Path:
    """Return where a cutout lies: named by the galaxy's identifier."""
    return folder / CUTOUT_NAME.format(band=band, object_id=object_id)


def place_of(target: Mapping[str, Any], tract: Tract) -> Place:
    """Return the place that a row of targets tells."""
    return Place(
        tract,
        (int(target["patch_x"]), int(target["patch_y"])),
        (int(target["x_corner"]), int(target["y_corner"])),
    )
