"""What the headers of a FITS cutout tell: its bands, zero point, pixel scale, E(B-V)."""

from __future__ import annotations

import re
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import flux_factor
from zladder.tables.zero_points import nmgy_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zladder.tables.cutouts import Told
    from zladder.tables.fits_headers import Named

_HSC = re.compile(r"HSC-([GRIZY])2?")
_USUAL_BANDS = frozenset("ugrizy")


@dataclass(frozen=True)
class Plane:
    """One band of one galaxy: where it lies, and what its header says.

    `hdu` counts from 0, `index` is the plane of a cube or None for an image; `shape` is (rows,
    columns); `nmgy_per_unit` the nanomaggies of a pixel value of 1; pixel scale and E(B-V) are
    None where the header does not tell.
    """

    path: Path
    band: str
    hdu: int
    index: int | None
    shape: tuple[int, int]
    nmgy_per_unit: float
    pixel_scale_arcsec: float | None
    ebv_mag: float | None


def planes_of(path: Path, stem: str, told: Told) -> list[tuple[str, Plane]]:
    """Return (name of the galaxy, plane) of the planes of the first image of a file.

    Parameters
    ----------
    path
        The file.
    stem
        Its name without the suffix: ``NAME`` of a cube, ``NAME_BAND`` of an image.
    told
        What goes before the headers. Its bands are those of cubes.

    Raises
    ------
    BadInput
        A damaged file, one without an image, and headers that do not tell band or zero point where
        nobody else does, or tell another band than the name.
    """
    with quietly(path), fits.open(path, memmap=True) as hdus:
        number, shape = _first_image(path, hdus)
        _require_all_bytes(path, hdus[number])
        header = hdus[number].header
        named = [(f"HDU {number}", header), ("HDU 0", hdus[0].header)]
        if number:  # what holds for all of a file's images stands in the first header
            header = header.copy()
            header.extend(hdus[0].header, unique=True, bottom=True)
    name, bands = _bands(path, stem, header, shape, told)
    sides, factor = (shape[-2], shape[-1]), _nmgy_per_unit(path, named, told)
    scale, ebv_mag = _pixel_scale(header), _ebv(path, header, told)
    return [
        (name, Plane(path, band, number, index, sides, factor, scale, ebv_mag))
        for band, index in bands.items()
    ]


@contextmanager
def quietly(path: Path) -> Iterator[None]:
    """Hold back astropy's warnings, and tell what it raises of a damaged file as bad input."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage is found by size or by what is raised
            yield
    except (OSError, EOFError, zlib.error, TypeError, ValueError, KeyError) as error:
        found = (str(error) or type(error).__name__).splitlines()[0]
        hint = "cut off, damaged or not FITS: fetch or make it again"
        raise BadInput(path, "file", "a whole FITS file", found, hint) from error


def _first_image(path: Path, hdus: fits.HDUList) -> tuple[int, tuple[int, ...]]:
    """Return the number of the first HDU with an image, and the image's shape."""
    for number, hdu in enumerate(hdus):
        if hdu.is_image and hdu.shape and 0 not in hdu.shape:
            if len(hdu.shape) in (2, 3):
                return number, tuple(hdu.shape)
            expected, found = "an image (y, x) or a cube (band, y, x)", f"{hdu.shape}"
            hint = "take the other axes out"
            raise BadInput(path, f"HDU {number}", expected, found, hint)
    found = f"{len(hdus)} HDUs without one"
    raise BadInput(path, "HDUs", "an image", found, "give cutouts, not tables")


def _require_all_bytes(path: Path, hdu: fits.PrimaryHDU) -> None:
    place, size = hdu.fileinfo(), path.stat().st_size
    if path.suffix != ".gz" and size < place["datLoc"] + place["datSpan"]:
        message = f"{size} of {place['datLoc'] + place['datSpan']} bytes"
        raise OSError(message)


def _bands(
    path: Path, stem: str, header: fits.Header, shape: tuple[int, ...], told: Told
) -> tuple[str, dict[str, int | None]]:
    """Return (galaxy, {band: plane of the cube, or None})."""
    if len(shape) == 3:
        return stem, _cube_bands(path, header, shape[0], told)
    name, band = _named(path, stem, header)
    return name, {band: None}


def _named(path: Path, stem: str, header: fits.Header) -> tuple[str, str]:
    """Return (galaxy, band) of an image; the header's FILTER or BAND goes before the name's."""
    name, _, last = stem.rpartition("_")
    if not name:
        expected, hint = "NAME_BAND.fits, such as 1237_g.fits", "rename the files"
        raise BadInput(path, "name of the file", expected, path.name, hint)
    named = band_of(last)
    stored = next((str(header[key]) for key in ("FILTER", "BAND") if header.get(key)), "")
    if not stored.strip():
        return name, named
    band = band_of(stored)
    if band != named and named in _USUAL_BANDS:
        expected = f"'{named}', as the file's name says"
        hint = "the file has another's name, or belongs to another band"
        raise BadInput(path, "FILTER or BAND", expected, f"'{stored.strip()}'", hint)
    return name, band


def band_of(text: str) -> str:
    """Return the band that a filter's name means: g of ``g``, ``HSC-G``, ``g.MP9401``."""
    word = re.split(r"[\s.]", text.strip())[0]
    hsc = _HSC.fullmatch(word)
    return hsc[1].lower() if hsc else word


def _cube_bands(
    path: Path, header: fits.Header, n_planes: int, told: Told
) -> dict[str, int | None]:
    """Return {band: plane} of a cube: those told, else BANDS of its header (``g,r,z`` or grz)."""
    stored = str(header.get("BANDS", ""))
    words = stored.replace(",", " ").split()
    bands = told.bands or tuple(words if len(words) > 1 else stored.strip())
    if len(bands) != n_planes or len(set(bands)) != n_planes:
        found = f"{n_planes} planes"
        expected = f"one plane a band: {', '.join(bands)}" if bands else "BANDS, such as 'grz'"
        hint = "name the planes of the cubes in order: --bands"
        raise BadInput(path, "BANDS", expected, found, hint)
    return {band: place for place, band in enumerate(bands)}


def _nmgy_per_unit(path: Path, headers: list[Named], told: Told) -> float:
    """Return the nanomaggies of a pixel value of 1: by what is told, else by the headers."""
    if told.zero_point_mag is not None:
        return flux_factor(told.zero_point_mag)
    return nmgy_per_unit(path, headers, None, "give --zero-point MAG")


def _pixel_scale(header: fits.Header) -> float | None:
    """Return the width of a pixel in arcsec, the root of the area that CDi_j or CDELTi tell.

    None without celestial coordinates (their units are deg).
    """
    if not str(header.get("CTYPE1", "")).startswith(("RA--", "DEC-")):
        return None
    if "CD1_1" in header:
        matrix = _matrix(header, "CD", np.zeros((2, 2)))
    else:
        steps = np.array([_number(header, f"CDELT{axis}", 0.0) for axis in (1, 2)])
        matrix = _matrix(header, "PC", np.eye(2)) * steps[:, None]
    scale = 3600.0 * float(np.sqrt(abs(np.linalg.det(matrix))))
    return scale if np.isfinite(scale) and scale > 0 else None


def _matrix(header: fits.Header, name: str, usual: np.ndarray) -> np.ndarray:
    """Return the two by two numbers of a matrix of the header; `usual` where one is missing."""
    rows = [
        [_number(header, f"{name}{i}_{j}", float(usual[i - 1, j - 1])) for j in (1, 2)]
        for i in (1, 2)
    ]
    return np.array(rows, dtype=np.float64)


def _ebv(path: Path, header: fits.Header, told: Told) -> float | None:
    value = _number(header, told.ebv) if told.ebv else None
    if value is not None and value < 0:
        hint = "correct it, or give --ebv as a number"
        raise BadInput(path, f"{told.ebv}", "mag, 0 or more", f"{value:g}", hint)
    return value


def _number(header: fits.Header, keyword: str, otherwise: float | None = None) -> float | None:
    """Return the number of a keyword; `otherwise` where there is none."""
    try:
        value = header.get(keyword)
    except fits.VerifyError:  # such as NaN, which FITS cannot say
        return otherwise
    return float(value) if isinstance(value, int | float) else otherwise
