"""From the unit of an image to nanomaggies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from zladder.cutouts.headers import value
from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import NANOMAGGY_NAMES, NANOMAGGY_ZERO_POINT_MAG, NJY_PER_NANOMAGGY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from astropy.io import fits

    Named = tuple[str, fits.Header]  # what an HDU is called in messages, and its header

COUNTS = ("", "count", "counts", "adu", "dn", "electron", "electrons")  # in small letters
_UNTOLD = "no such keyword"
_TOLERANCE_MAG = 0.001


def told(headers: Sequence[Named], keyword: str) -> tuple[str, object]:
    """Return (HDU, value) of the first header that has a keyword, else the first HDU and words."""
    for where, header in headers:
        if keyword in header:
            return where, value(header, keyword)
    return headers[0][0], _UNTOLD


def nmgy_per_unit(path: Path, headers: Sequence[Named], zero_point_mag: float | None) -> float:
    """Return how many nanomaggies one unit of an image is.

    BUNIT may be nanomaggy or nJy. Anything that is a count, or no unit at all, is brought to
    nanomaggies by the zero point: FLUXMAG0 (HSC: counts of magnitude zero) or PHOTZP (MegaPipe) of
    the headers, else the survey's own.

    Parameters
    ----------
    path, headers
        The file; its headers, that of the image first.
    zero_point_mag
        AB magnitude of one count as the survey's settings say it; None if they do not.

    Raises
    ------
    BadInput
        For another unit, no zero point, or one that is not the survey's.
    """
    where, found = told(headers, "BUNIT")
    unit = "" if found == _UNTOLD else str(found).strip()
    if unit.lower() in NANOMAGGY_NAMES:
        return 1.0
    if unit.lower() == "njy":
        return 1.0 / NJY_PER_NANOMAGGY
    if unit.lower() not in COUNTS:
        raise BadInput(path, f"{where}, BUNIT", "nanomaggy, nJy or count", f"'{unit}'",
                       "give calibrated images in one of these units")  # fmt: skip
    zero_point = _zero_point_mag(path, headers, zero_point_mag)
    return float(10 ** (-0.4 * (zero_point - NANOMAGGY_ZERO_POINT_MAG)))


def _zero_point_mag(path: Path, headers: Sequence[Named], known: float | None) -> float:
    """Return the zero point that the headers tell, which must be the survey's."""
    for keyword in ("FLUXMAG0", "PHOTZP"):
        where, found = told(headers, keyword)
        if found == _UNTOLD:
            continue
        number = float(found) if isinstance(found, int | float) else np.nan
        if keyword == "FLUXMAG0":
            number = 2.5 * np.log10(number) if number > 0 else np.nan
        if not np.isfinite(number):
            _refuse(path, f"{where}, {keyword}", "a zero point", f"'{found}'")
        if known is not None and abs(number - known) > _TOLERANCE_MAG:
            _refuse(path, f"{where}, {keyword}", f"the survey's {known:g} mag", f"{number:.4f} mag")
        return float(number)
    if known is None:
        _refuse(path, headers[0][0], "a zero point (FLUXMAG0 or PHOTZP)", "none")
    return float(known)


def _refuse(path: Path, place: str, expected: str, found: str) -> NoReturn:
    hint = "correct frames.zero_point_mag of the survey, or give its own files"
    raise BadInput(path, place, expected, found, hint)
