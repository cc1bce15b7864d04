"""What the header of a frame must say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import NANOMAGGY_NAMES

if TYPE_CHECKING:
    from pathlib import Path

WORLD_NUMBERS = ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
# The converter of the SDSS camera has 16 bits; what lies below its end by the bias and the sky
# (over a thousand counts, not in the header) is taken as saturated too.
SATURATED_COUNTS = 60000.0


def require_header(path: Path, header: fits.Header, band: str, key: tuple[int, int, int]) -> None:
    """Refuse a frame of another band, field or unit, or without finite world coordinates.

    Raises
    ------
    BadInput
        Each fault with its keyword; RUN, CAMCOL and FRAME are compared where they are there.
    """
    found = str(_value(header, "FILTER")).strip()
    if found != band:
        hint = "the file has another's name, or belongs to another band"
        raise BadInput(path, "HDU 0, FILTER", f"'{band}', as the file's name says",
                       f"'{found}'", hint)  # fmt: skip
    unit = str(_value(header, "BUNIT")).strip()
    if unit.lower() not in NANOMAGGY_NAMES:
        raise BadInput(path, "HDU 0, BUNIT", "'nanomaggy'", f"'{unit}'",
                       "give calibrated, sky-subtracted frames")  # fmt: skip
    for keyword, number in zip(("RUN", "CAMCOL", "FRAME"), key, strict=True):
        if keyword in header and _value(header, keyword) != number:
            raise BadInput(path, f"HDU 0, {keyword}", f"{number}, as the file's name says",
                           f"{_value(header, keyword)}", "the file has another's name")  # fmt: skip
    _require_world(path, header)


def _require_world(path: Path, header: fits.Header) -> None:
    """Refuse a header without TAN coordinates in deg, all of their numbers finite."""
    for axis, kind in ((1, "RA---TAN"), (2, "DEC--TAN")):
        found = _value(header, f"CTYPE{axis}")
        if found != kind:
            raise BadInput(path, f"HDU 0, CTYPE{axis}", f"'{kind}'", f"'{found}'",
                           "a frame needs world coordinates: fetch it again")  # fmt: skip
    for keyword in WORLD_NUMBERS:
        number = _value(header, keyword)
        if not isinstance(number, int | float) or not np.isfinite(number):
            raise BadInput(path, f"HDU 0, {keyword}", "a finite number", f"'{number}'",
                           "a frame needs world coordinates: fetch it again")  # fmt: skip


def _value(header: fits.Header, keyword: str) -> object:
    """Return a keyword's value; words that say so where it is missing or cannot be read."""
    try:
        return header.get(keyword, "no such keyword")
    except fits.VerifyError:  # such as NaN, which FITS cannot say
        return "not readable"


def require_same_image(path: Path, image: np.ndarray, shape: tuple[int, ...] | None) -> None:
    """Refuse a frame whose shape (rows, columns) is not that of its field's other bands."""
    if shape is not None and image.shape != shape:
        rows, columns = shape
        raise BadInput(path, "HDU 0, NAXIS1 and NAXIS2",
                       f"{columns} x {rows} pixels, as in the field's other bands",
                       f"{image.shape[1]} x {image.shape[0]}", "fetch it again")  # fmt: skip


def saturation_nmgy(header: fits.Header) -> float:
    """Return the flux of a saturated pixel: SATURATE where it is told, else from NMGY, else inf.

    NMGY is nanomaggies per count.
    """
    level, per_count = _value(header, "SATURATE"), _value(header, "NMGY")
    if isinstance(level, int | float) and level > 0:
        return float(level)
    if isinstance(per_count, int | float) and per_count > 0:
        return SATURATED_COUNTS * float(per_count)
    return float("inf")
