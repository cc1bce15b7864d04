"""From the unit of a FITS image to nanomaggies: one rule for whatever reads images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.fits_headers import UNTOLD, told
from zladder.tables.fluxes import NANOMAGGY_NAMES, NJY_PER_NANOMAGGY, flux_factor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from zladder.tables.fits_headers import Named

COUNTS = ("", "count", "counts", "adu", "dn", "electron", "electrons")  # in small letters
ZERO_POINTS = ("FLUXMAG0", "PHOTZP", "MAGZERO", "MAGZPT")  # the first that is there counts
_TOLERANCE_MAG = 0.001


def nmgy_per_unit(
    path: Path, headers: Sequence[Named], known_mag: float | None, hint: str
) -> float:
    """Return how many nanomaggies one unit of an image is.

    BUNIT may be nanomaggy or nJy. Anything that is a count, or no unit at all, is brought to
    nanomaggies by the zero point: FLUXMAG0 (HSC: counts of magnitude zero), PHOTZP (MegaPipe),
    MAGZERO or MAGZPT of the headers, else what is known of all files.

    Parameters
    ----------
    path, headers
        The file; its headers, that of the image first.
    known_mag
        AB magnitude of one count of all such files; None if it is not known.
    hint
        What to do where there is no zero point, or another one than is known.

    Raises
    ------
    BadInput
        For another unit, no zero point, or one that is not the known one.
    """
    where, found = told(headers, "BUNIT")
    unit = "" if found == UNTOLD else str(found).strip()
    if unit.lower() in NANOMAGGY_NAMES:
        return 1.0
    if unit.lower() == "njy":
        return 1.0 / NJY_PER_NANOMAGGY
    if unit.lower() not in COUNTS:
        raise BadInput(path, f"{where}, BUNIT", "nanomaggy, nJy or count", f"'{unit}'",
                       f"give calibrated images in one of these units, or {hint}")  # fmt: skip
    return flux_factor(_zero_point_mag(path, headers, known_mag, hint))


def _zero_point_mag(
    path: Path, headers: Sequence[Named], known_mag: float | None, hint: str
) -> float:
    """Return the zero point that the headers tell, which must be the known one."""
    for keyword in ZERO_POINTS:
        where, found = told(headers, keyword)
        if found == UNTOLD:
            continue
        number = float(found) if isinstance(found, int | float) else np.nan
        if keyword == "FLUXMAG0":
            number = 2.5 * np.log10(number) if number > 0 else np.nan
        if not np.isfinite(number):
            raise BadInput(path, f"{where}, {keyword}", "a zero point", f"'{found}'", hint)
        if known_mag is not None and abs(number - known_mag) > _TOLERANCE_MAG:
            raise BadInput(path, f"{where}, {keyword}", f"the survey's {known_mag:g} mag",
                           f"{number:.4f} mag", hint)  # fmt: skip
        return float(number)
    if known_mag is None:
        expected = f"a zero point ({', '.join(ZERO_POINTS[:-1])} or {ZERO_POINTS[-1]})"
        raise BadInput(path, headers[0][0], expected, "none", hint)
    return float(known_mag)
