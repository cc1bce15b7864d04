"""SDSS corrected frames: finding, checking and reading one.

Layout and header: the survey's data model (DR16 BOSS_PHOTOOBJ, frames). The image in HDU 0 is
calibrated to nanomaggies and sky-subtracted.
"""

from __future__ import annotations

import bz2
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from zladder.cutouts.headers import (
    WORLD_NUMBERS,
    require_header,
    require_same_image,
    saturation_nmgy,
)
from zladder.metrics.normal import NMAD_FACTOR
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The noise is measured on every n-th pixel: a prime, so that columns are visited evenly.
_SKY_STRIDE = 97
_LEAST_SKY_PIXELS = 5000
_MAKE_IT = "fetch it, or paint the mock sky's frames again: snakemake --forcerun render_frames"
_SCALE_TOLERANCE = 0.01  # SDSS chips differ by 0.1 %


@dataclass(frozen=True)
class Frame:
    """One band of one field.

    Attributes
    ----------
    image
        nanomaggies, float32, shape (rows, columns).
    wcs
        Pixel (0, 0) is the centre of the first one.
    sky_sigma_nmgy
        Noise of a pixel of empty sky.
    saturation_nmgy
        What no pixel can reach; inf where the header does not tell.
    mask
        Bits of STAMP_FLAGS, uint32, shape (rows, columns); None where the file has no mask.
    psf_fwhm_arcsec
        Width of the point-spread function; NaN where the file does not tell.
    """

    path: Path
    image: np.ndarray
    wcs: WCS
    sky_sigma_nmgy: float
    saturation_nmgy: float
    mask: np.ndarray | None = None
    psf_fwhm_arcsec: float = float("nan")


def frame_path(root: Path, key: tuple[int, int, int], band: str) -> Path:
    """Return where the frame of (run, camcol, field) lies: plain, else compressed by bzip2.

    Where neither is there, the path of the plain file.
    """
    run, camcol, field = key
    name = f"frame-{band}-{run:06d}-{camcol}-{field:04d}.fits"
    plain = root / str(run) / str(camcol) / name
    packed = plain.with_name(name + ".bz2")
    return packed if packed.is_file() and not plain.is_file() else plain


def read_frame(path: Path, band: str, expected: Mapping[str, Any]) -> Frame:
    """Return a frame, checked.

    Parameters
    ----------
    path
        The file, `.fits` or `.fits.bz2`.
    band
        The band that its name says.
    expected
        `pixel_scale_arcsec`; `shape`: the field's shape in another band, or None; `key`: (run,
        camcol, field).

    Raises
    ------
    BadInput
        A missing, empty, damaged or truncated file, no image, another band, unit, field, shape or
        pixel scale than expected, or no finite world coordinates.
    """
    header, image = _read_image(path)
    require_header(path, header, band, expected["key"])
    wcs = _world(path, header, float(expected["pixel_scale_arcsec"]))
    require_same_image(path, image, expected["shape"])
    return Frame(path, image, wcs, sky_sigma_nmgy(image), saturation_nmgy(header))


def sky_sigma_nmgy(image: np.ndarray) -> float:
    """Return the noise of a sky-subtracted image, shape (rows, columns), robustly.

    1.4826 times the median absolute deviation of every 97th finite pixel (of all of them in a
    small image); galaxies cover too little of a frame to matter.
    """
    flat = image.reshape(-1)
    some = flat[::_SKY_STRIDE] if flat.size >= _SKY_STRIDE * _LEAST_SKY_PIXELS else flat
    some = some[np.isfinite(some)]
    if some.size == 0:
        return float("nan")
    return float(NMAD_FACTOR * np.median(np.abs(some - np.median(some))))


def _read_image(path: Path) -> tuple[fits.Header, np.ndarray]:
    """Return header and image (float32 of this machine, rows x columns) of HDU 0."""
    if not path.is_file():
        raise BadInput(path, "file", "a frame", "no such file", _MAKE_IT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage is found by size, below
            with _opened(path) as stream:
                return _first_image(path, stream)
    except (OSError, EOFError, TypeError, ValueError, KeyError, fits.VerifyError) as error:
        _refuse(path, str(error) or type(error).__name__, error)


def _opened(path: Path) -> BinaryIO:
    """Return the bytes of the file: unpacked in memory, once, where it is compressed."""
    if path.suffix == ".bz2":
        return io.BytesIO(bz2.decompress(path.read_bytes()))
    return path.open("rb")


def _first_image(path: Path, stream: BinaryIO) -> tuple[fits.Header, np.ndarray]:
    header = fits.Header.fromfile(stream)
    start, end = stream.tell(), stream.seek(0, io.SEEK_END)
    sides = [int(header.get(f"NAXIS{axis}", 0)) for axis in (1, 2)]
    if header.get("NAXIS") != 2 or header.get("BITPIX") != -32 or min(sides) < 1:
        found = f"NAXIS {header.get('NAXIS')}, BITPIX {header.get('BITPIX')}, sides {sides}"
        raise BadInput(path, "HDU 0", "a two-dimensional image of 32-bit floats", found,
                       "is this a corrected frame?")  # fmt: skip
    n_bytes = 4 * sides[0] * sides[1]
    if end < start + n_bytes:
        _refuse(path, f"{end} of {start + n_bytes} bytes", None)
    stream.seek(start)
    image = np.frombuffer(stream.read(n_bytes), dtype=">f4").reshape(sides[1], sides[0])
    return header, image.astype(np.float32)


def _world(path: Path, header: fits.Header, pixel_scale_arcsec: float) -> WCS:
    """Return the world coordinates of a header whose keywords were found finite.

    SDSS positions and frames are both ICRS (EQUINOX 2000): no equinox is changed.
    """
    number = {name: float(header[name]) for name in WORLD_NUMBERS}
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [number["CRPIX1"], number["CRPIX2"]]
    wcs.wcs.crval = [number["CRVAL1"], number["CRVAL2"]]
    wcs.wcs.cd = [[number[f"CD{row}_{column}"] for column in (1, 2)] for row in (1, 2)]
    found = 3600.0 * np.sqrt(abs(np.linalg.det(wcs.wcs.cd)))
    if not abs(found / pixel_scale_arcsec - 1.0) < _SCALE_TOLERANCE:
        raise BadInput(path, "HDU 0, CD1_1 to CD2_2", f"pixels of {pixel_scale_arcsec} arcsec",
                       f"{found:.4g} arcsec",
                       "correct frames.pixel_scale_arcsec of the survey")  # fmt: skip
    return wcs


def _refuse(path: Path, found: str, cause: Exception | None) -> NoReturn:
    raise BadInput(path, "file", "a whole FITS file", found.splitlines()[0],
                   f"cut off, damaged or not FITS: {_MAKE_IT}") from cause  # fmt: skip
