"""What the header of an image must say, and what is made of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from astropy.wcs import WCS

from zladder.provenance.errors import BadInput
from zladder.tables.fits_headers import value
from zladder.tables.fluxes import NANOMAGGY_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from astropy.io import fits

_POINT = ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2")
_MATRIX = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
_DISTORTED = ("A_ORDER", "PV1_1")  # SIP's and SCAMP's polynomials, which nothing here follows
_TURNED = {  # where nothing is turned by them; PC00i00j is the old form of PCi_j
    "CROTA1": 0.0, "CROTA2": 0.0, "LONPOLE": 180.0,
    "PC001001": 1.0, "PC001002": 0.0, "PC002001": 0.0, "PC002002": 1.0,
}  # fmt: skip
_SYSTEMS = ("ICRS", "FK5")  # of equinox 2000 they agree to 0.03 arcsec (Feissel & Mignard 1998)
_NEEDS_WORLD = "a frame needs world coordinates: write the keyword, or resample to a plain TAN"
_SCALE_TOLERANCE = 0.01  # SDSS chips differ by 0.1 %
# HSC-G and HSC-I2 of HSC, g and g.MP9401 of MegaCam: a letter with the camera's and version's marks
_FILTER = re.compile(r"(?:HSC-)?([A-Za-z])(?:\d|\.MP\d+)?")
# The converter of the SDSS camera has 16 bits; what lies below its end by the bias and the sky
# (over a thousand counts, not in the header) is taken as saturated too.
SATURATED_COUNTS = 60000.0


def require_header(path: Path, where: str, header: fits.Header, band: str,
                   key: tuple[int, int, int]) -> None:  # fmt: skip
    """Refuse an SDSS frame of another band, field or unit.

    Parameters
    ----------
    path, where
        The file and its HDU, for messages.
    header, band, key
        What is found; the band and (run, camcol, field) that the file's name says.

    Raises
    ------
    BadInput
        Each fault with its keyword; RUN, CAMCOL and FRAME are compared where they are there.
    """
    found = str(value(header, "FILTER")).strip()
    if found != band:
        _refuse_band(path, where, band, found)
    unit = str(value(header, "BUNIT")).strip()
    if unit.lower() not in NANOMAGGY_NAMES:
        raise BadInput(path, f"{where}, BUNIT", "'nanomaggy'", f"'{unit}'",
                       "give calibrated, sky-subtracted frames")  # fmt: skip
    for keyword, number in zip(("RUN", "CAMCOL", "FRAME"), key, strict=True):
        found = str(value(header, keyword)).strip()  # may be a text, as EXPTIME is
        if keyword in header and _number_in(found) != number:
            raise BadInput(path, f"{where}, {keyword}", f"{number}, as the file's name says",
                           found, "the file has another's name")  # fmt: skip


def require_filter(
    path: Path, where: str, header: fits.Header, band: str, names: Sequence[str] = ()
) -> None:
    """Refuse an image of another band: FILTER is the band's letter, as HSC and MegaCam write it.

    Or another of the names that its files may have: MegaCam's newer i filter is called y in T0007.

    Raises
    ------
    BadInput
        For another band, or none.
    """
    found = str(value(header, "FILTER")).strip()
    named = _FILTER.fullmatch(found)
    letters = {name.lower() for name in (band, *names)}
    if named is None or named.group(1).lower() not in letters:
        _refuse_band(path, where, band, found)


def _refuse_band(path: Path, where: str, band: str, found: str) -> None:
    hint = "the file has another's name, or belongs to another band"
    raise BadInput(path, f"{where}, FILTER", f"'{band}', as the file's name says",
                   f"'{found}'", hint)  # fmt: skip


def world(path: Path, where: str, header: fits.Header, pixel_scale_arcsec: float) -> WCS:
    """Return the world coordinates of an image: TAN, in deg, pixel (0, 0) the first one's centre.

    Positions and images are both ICRS (EQUINOX 2000): no equinox is changed.

    Raises
    ------
    BadInput
        Another projection, a distortion, axes turned by CROTA, LONPOLE or PC00i00j, other units,
        equinoxes or systems, a number that is missing or not finite, or pixels of another size than
        the survey's.
    """
    for axis, kind in ((1, "RA---TAN"), (2, "DEC--TAN")):
        found = value(header, f"CTYPE{axis}")
        if found != kind:
            raise BadInput(path, f"{where}, CTYPE{axis}", f"'{kind}'", f"'{found}'",
                           _NEEDS_WORLD)  # fmt: skip
    for keyword in _DISTORTED:
        if keyword in header:
            raise BadInput(path, f"{where}, {keyword}", "a projection without distortion",
                           f"{keyword} {value(header, keyword)}",
                           "resample the image to a plain TAN projection")  # fmt: skip
    _require_plain(path, where, header)
    _require_j2000(path, where, header)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    x, y, ra, dec = (_number(path, where, header, keyword) for keyword in _POINT)
    wcs.wcs.crpix, wcs.wcs.crval = [x, y], [ra, dec]
    wcs.wcs.cd = _matrix(path, where, header)
    side = 3600.0 * np.sqrt(abs(np.linalg.det(wcs.wcs.cd)))
    if not abs(side / pixel_scale_arcsec - 1.0) < _SCALE_TOLERANCE:
        raise BadInput(path, f"{where}, CD1_1 to CD2_2", f"pixels of {pixel_scale_arcsec} arcsec",
                       f"{side:.4g} arcsec",
                       "correct frames.pixel_scale_arcsec of the survey")  # fmt: skip
    return wcs


def _require_plain(path: Path, where: str, header: fits.Header) -> None:
    """Refuse keywords that turn the axes or count in other units: `world` reads none of them."""
    for keyword, plain in _TURNED.items():
        if _number(path, where, header, keyword, plain) != plain:
            raise BadInput(path, f"{where}, {keyword}", f"{plain:g}, or no such keyword",
                           f"{value(header, keyword)}",
                           "write how the image is turned as CD1_1 to CD2_2")  # fmt: skip
    for keyword in ("CUNIT1", "CUNIT2"):
        found = str(value(header, keyword)).strip()
        if keyword in header and found.lower() not in ("deg", "degree", "degrees"):
            raise BadInput(path, f"{where}, {keyword}", "deg, or no such keyword", f"'{found}'",
                           "write CRVAL and CD in degrees")  # fmt: skip


def _require_j2000(path: Path, where: str, header: fits.Header) -> None:
    """Refuse another equinox than 2000, another system than ICRS or FK5: `world` changes none."""
    hint = "project the image anew, to ICRS, for example with SWarp"
    year = str(value(header, "EQUINOX")).strip()
    if "EQUINOX" in header and _number_in(year.removeprefix("J")) != 2000.0:
        raise BadInput(path, f"{where}, EQUINOX", "2000, or no such keyword", f"'{year}'", hint)
    for keyword in ("RADESYS", "RADECSYS"):
        system = str(value(header, keyword)).strip()
        if keyword in header and system.upper() not in _SYSTEMS:
            raise BadInput(path, f"{where}, {keyword}", "ICRS or FK5, or no such keyword",
                           f"'{system}'", hint)  # fmt: skip


def _matrix(path: Path, where: str, header: fits.Header) -> np.ndarray:
    """Return deg per pixel, (2, 2): of CDi_j, else of CDELTi and PCi_j (FITS standard 4.0, 8).

    Where there is some CDi_j, those that are not there are 0: HSC's headers may leave zeros out.
    But pixels are square: one whose partner (CD2_2 of CD1_1, CD2_1 of CD1_2) is not 0 was lost.
    """
    some = any(keyword in header for keyword in _MATRIX)
    if "CDELT1" in header and not some:
        steps = [_number(path, where, header, f"CDELT{axis}") for axis in (1, 2)]
        turn = [[_number(path, where, header, f"PC{i}_{j}", float(i == j)) for j in (1, 2)]
                for i in (1, 2)]  # fmt: skip
        return np.diag(steps) @ np.array(turn)
    zero = 0.0 if some else None
    numbers = np.array([_number(path, where, header, keyword, zero) for keyword in _MATRIX])
    for keyword, partner in zip(_MATRIX, numbers[::-1], strict=True):
        if abs(partner) > _SCALE_TOLERANCE * np.abs(numbers).max():
            _number(path, where, header, keyword)
    return numbers.reshape(2, 2)


def _number(
    path: Path, where: str, header: fits.Header, keyword: str, default: float | None = None
) -> float:
    number = value(header, keyword)
    if default is not None and keyword not in header:
        return default
    if not isinstance(number, int | float) or not np.isfinite(number):
        raise BadInput(path, f"{where}, {keyword}", "a finite number", f"'{number}'",
                       _NEEDS_WORLD)  # fmt: skip
    return float(number)


def _number_in(words: str) -> float:
    """Return the number that some words are, NaN if they are none."""
    try:
        return float(words)
    except ValueError:
        return float("nan")


def require_same_image(
    path: Path, where: str, found: tuple[int, ...], shape: tuple[int, ...] | None
) -> None:
    """Refuse a frame whose shape (rows, columns) is not that of its field's other bands."""
    if shape is not None and found != shape:
        rows, columns = shape
        raise BadInput(path, f"{where}, NAXIS1 and NAXIS2",
                       f"{columns} x {rows} pixels, as in the field's other bands",
                       f"{found[1]} x {found[0]}", "fetch it again")  # fmt: skip


def saturation_nmgy(header: fits.Header, nmgy_per_unit: float = 1.0) -> float:
    """Return the flux of a saturated pixel: SATURATE where it is told, else from NMGY, else inf.

    SATURATE is in the image's own unit; NMGY, of SDSS, is nanomaggies per count.
    """
    level, per_count = value(header, "SATURATE"), value(header, "NMGY")
    if isinstance(level, int | float) and level > 0:
        return float(level) * nmgy_per_unit
    if isinstance(per_count, int | float) and per_count > 0:
        return SATURATED_COUNTS * float(per_count)
    return float("inf")
