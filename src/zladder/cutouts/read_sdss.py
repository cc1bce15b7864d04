"""SDSS corrected frames: finding, checking and reading one.

Layout and header: the survey's data model (DR16 BOSS_PHOTOOBJ, frames). The image in HDU 0 is
calibrated to nanomaggies and sky-subtracted; in a tile-compressed file it stands in HDU 1.
"""

from __future__ import annotations

import bz2
import io
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from astropy.io import fits

from zladder.cutouts.frames import Frame, sky_sigma_nmgy
from zladder.cutouts.hdus import DAMAGE, decompressed, refuse
from zladder.cutouts.headers import require_header, require_same_image, saturation_nmgy, world
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BZIP2, TILED = ".bz2", ".fz"
_MAKE_IT = "fetch it, or paint the mock sky's frames again: snakemake --forcerun render_frames"


def frame_path(root: Path, key: tuple[int, int, int], band: str) -> Path:
    """Return where the frame of (run, camcol, field) lies.

    The plain file, else compressed by bzip2, else tile by tile (RICE); where none is there, the
    path of the plain one.
    """
    run, camcol, field = key
    name = f"frame-{band}-{run:06d}-{camcol}-{field:04d}.fits"
    plain = root / str(run) / str(camcol) / name
    places = [plain, *(plain.with_name(name + suffix) for suffix in (BZIP2, TILED))]
    return next((path for path in places if path.is_file()), plain)


def read_frame(path: Path, band: str, expected: Mapping[str, Any]) -> Frame:
    """Return a frame, checked. It has no mask, and does not tell the width of its stars.

    Parameters
    ----------
    path
        The file, `.fits`, `.fits.bz2` or `.fits.fz`.
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
    where, header, image = _read_image(path)
    require_header(path, where, header, band, expected["key"])
    wcs = world(path, where, header, float(expected["pixel_scale_arcsec"]))
    require_same_image(path, where, image.shape, expected["shape"])
    return Frame(path, image, wcs, sky_sigma_nmgy(image), saturation_nmgy(header))


def _read_image(path: Path) -> tuple[str, fits.Header, np.ndarray]:
    """Return the HDU's name, its header, the image (float32 of this machine, rows x columns)."""
    if not path.is_file():
        raise BadInput(path, "file", "a frame", "no such file", _MAKE_IT)
    if path.suffix == TILED:
        return "HDU 1", *decompressed(path, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage is found by size, below
            with _opened(path) as stream:
                return "HDU 0", *_first_image(path, stream)
    except DAMAGE as error:
        refuse(path, str(error) or type(error).__name__, error)


def _opened(path: Path) -> BinaryIO:
    """Return the bytes of the file: unpacked in memory, once, where it is compressed."""
    if path.suffix == BZIP2:
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
        refuse(path, f"{end} of {start + n_bytes} bytes")
    stream.seek(start)
    image = np.frombuffer(stream.read(n_bytes), dtype=">f4").reshape(sides[1], sides[0])
    return header, image.astype(np.float32)
