"""The header-data units of a FITS file: found by name or number, their pixels left in the file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from astropy.io import fits

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Located = tuple[fits.Header, int]  # header, and where its data start in the file

# What astropy raises where a file is no whole FITS file.
DAMAGE = (OSError, EOFError, TypeError, ValueError, KeyError, fits.VerifyError)
MAPPED_BYTES = 1 << 23  # larger files are mapped into memory, not read
_BLOCK_BYTES = 2880  # of which a FITS file consists
_NAMES = ("EXTNAME", "EXTTYPE")
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}  # by BITPIX
_FETCH = "fetch it again"
_SCALING = ("BSCALE", "BZERO", "BLANK")
_ALL_PIXELS, _SOME_ROWS = 1 << 20, 64  # rows lie together in a file: few pages are read


@dataclass(frozen=True)
class Hdu:
    """One image of a file.

    Attributes
    ----------
    where
        What it is called in messages.
    header
        Its cards.
    raw
        Its numbers as the file has them, shape (rows, columns).
    """

    where: str
    header: fits.Header
    raw: np.ndarray


def headers_of(path: Path) -> list[Located]:
    """Return header and place of the data (bytes from the start) of each HDU; no data are read.

    Raises
    ------
    BadInput
        A missing or damaged file, or one that ends before its data do.
    """
    if not path.is_file():
        raise BadInput(path, "file", "an image", "no such file", "fetch it, or correct frames.path")
    found: list[Located] = []
    size, end = path.stat().st_size, 0
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")  # damage is found by size, below
            while not found or end < size:
                stream.seek(end)
                header = fits.Header.fromfile(stream)
                start, n_bytes = stream.tell(), header.data_size
                if start + n_bytes > size:
                    refuse(path, f"{size} of {start + n_bytes} bytes")
                found.append((header, start))
                end = start + -(-n_bytes // _BLOCK_BYTES) * _BLOCK_BYTES
    except DAMAGE as error:
        refuse(path, str(error) or type(error).__name__, error)
    return found


def image_hdu(path: Path, found: Sequence[Located], name: str, number: int) -> Hdu:
    """Return the image of this name, or the HDU of this number in a file that names none.

    HDU 0 is always called by its number.

    Raises
    ------
    BadInput
        If there is no such HDU, or it is no image of two dimensions.
    """
    number = _find(path, found, name, number)
    where, (header, start) = f"HDU {number}", found[number]
    shape = image_shape(path, where, header)
    if header.get("ZIMAGE", False):
        return Hdu(where, *decompressed(path, number))
    return Hdu(where, header, _raw(path, start, np.dtype(_TYPES[header["BITPIX"]]), shape))


def image_header(
    path: Path, found: Sequence[Located], name: str, number: int
) -> tuple[str, fits.Header, tuple[int, int]]:
    """Return what `image_hdu` would, without its pixels: HDU, header, shape (rows, columns)."""
    number = _find(path, found, name, number)
    where, header = f"HDU {number}", found[number][0]
    return where, header, image_shape(path, where, header)


def image_shape(path: Path, where: str, header: fits.Header) -> tuple[int, int]:
    """Return rows and columns of an image, compressed or not.

    Raises
    ------
    BadInput
        If it is none, or not of two dimensions.
    """
    packed = "Z" if header.get("ZIMAGE", False) else ""
    axes, bits = header.get(f"{packed}NAXIS"), header.get(f"{packed}BITPIX", 0)
    sides = [int(header.get(f"{packed}NAXIS{axis}", 0)) for axis in (1, 2)]
    is_image = packed or str(header.get("XTENSION", "IMAGE")).strip() == "IMAGE"
    if not is_image or bits not in _TYPES or axes != 2 or min(sides) < 1:
        found = f"{'image' if is_image else 'table'}, NAXIS {axes}, BITPIX {bits}, sides {sides}"
        raise BadInput(path, where, "an image of two dimensions", found,
                       "is this the survey's own file?")  # fmt: skip
    return sides[1], sides[0]


def _find(path: Path, found: Sequence[Located], name: str, number: int) -> int:
    """Return which HDU an image stands in: by its name, in a file without names by number."""
    names = [_name(header) for header, _ in found]
    if any(names) and number:
        number = names.index(name) if name in names else len(names)
    if number >= len(found):
        said = ", ".join(f"{place} {one or 'unnamed'}" for place, one in enumerate(names))
        raise BadInput(path, f"HDU {number} ({name})", f"an image, {name.lower()}",
                       f"no such HDU (HDU {said})",
                       "ask the archive for image, mask and variance")  # fmt: skip
    return number


def decompressed(path: Path, number: int) -> tuple[fits.Header, np.ndarray]:
    """Return header and image of a tile-compressed HDU, unpacked once; float32, (rows, columns).

    Integers keep their type. Scaled ones are brought to their values.

    Raises
    ------
    BadInput
        A damaged file, or none of that kind.
    """
    image, header, said = None, fits.Header(), ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(path, memmap=False) as hdus:  # scaled integers refuse a map
                said = f"{len(hdus)} HDUs, none of that kind there"
                if number < len(hdus) and isinstance(hdus[number], fits.CompImageHDU):
                    image, header = hdus[number].data, hdus[number].header
    except Exception as error:  # the decoder's own is not public
        refuse(path, str(error) or type(error).__name__, error)
    if image is None:
        raise BadInput(path, f"HDU {number}", "a tile-compressed image", said,
                       "is this the survey's own file?")  # fmt: skip
    if image.ndim != 2:
        raise BadInput(path, f"HDU {number}", "an image of two dimensions",
                       f"{image.ndim}", "is this the survey's own file?")  # fmt: skip
    for keyword in _SCALING:  # done already
        header.remove(keyword, ignore_missing=True)
    kind = image.dtype if image.dtype.kind in "iu" else np.dtype(np.float32)
    return header, np.ascontiguousarray(image, dtype=kind.newbyteorder("="))


def scaled(hdu: Hdu, factor: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes values times a factor, float32, of the raw numbers of some pixels.

    BSCALE, BZERO and, for integers, BLANK (no value: NaN) as in the FITS standard 4.0, 4.4.2.
    """
    header = hdu.header
    scale, zero = float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
    whole = hdu.raw.dtype.kind in "iu"
    blank = header.get("BLANK") if whole else None

    def convert(raw: np.ndarray) -> np.ndarray:
        if not whole and (scale, zero) == (1.0, 0.0):
            values = raw.astype(np.float32)
            values *= np.float32(factor)
            return values
        values = ((raw.astype(np.float64) * scale + zero) * factor).astype(np.float32)
        if blank is not None:
            values[raw == blank] = np.nan
        return values

    return convert


def some_rows(plane: np.ndarray) -> np.ndarray:
    """Return rows of an image that tell its noise: all of a small one, else evenly spaced ones."""
    rows = plane.shape[0]
    return plane if plane.size <= _ALL_PIXELS else plane[:: -(-rows // _SOME_ROWS)]


def refuse(path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    """Refuse a damaged file.

    Raises
    ------
    BadInput
        Always.
    """
    raise BadInput(path, "file", "a whole FITS file", found.splitlines()[0],
                   f"cut off, damaged or not FITS: {_FETCH}") from cause  # fmt: skip


def _name(header: fits.Header) -> str:
    """Return how an extension is called, in capitals; nothing for one without a name."""
    said = (str(header.get(key, "")).strip().upper() for key in _NAMES)
    return next((name for name in said if name and name != "COMPRESSED_IMAGE"), "")


def _raw(path: Path, start: int, kind: np.dtype, shape: tuple[int, int]) -> np.ndarray:
    """Return the numbers at a place of a file: mapped, or read where they are few."""
    if path.stat().st_size > MAPPED_BYTES:
        return np.memmap(path, kind, "r", start, shape)
    with path.open("rb") as stream:
        stream.seek(start)
        content = stream.read(kind.itemsize * shape[0] * shape[1])
    return np.frombuffer(content, kind).reshape(shape)
