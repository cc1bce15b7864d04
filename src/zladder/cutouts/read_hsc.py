"""HSC images: cutouts (a file a galaxy and band) and coadded patches, both of one layout.

Image, mask and variance in HDU 1, 2 and 3, north up, the projection that of the whole tract, so
that its reference pixel lies far outside. The bits of the mask are named by cards MP_*; they differ
between releases, so that only names count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.frames import ZERO_POINT_HINT, Frame, Plane, sky_correlation
from zladder.cutouts.hdus import Hdu, headers_of, image_hdu, scaled, some_rows
from zladder.cutouts.headers import (
    require_filter,
    require_same_image,
    saturation_nmgy,
    world,
)
from zladder.cutouts.tile_names import names_of
from zladder.provenance.errors import BadInput
from zladder.tables.fits_headers import told
from zladder.tables.stamp_files import flag_value
from zladder.tables.zero_points import nmgy_per_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HDUS = {"IMAGE": 1, "MASK": 2, "VARIANCE": 3}
# Planes that say a pixel is not what the sky showed. Others (DETECTED, CLIPPED, INEXACT_PSF, …) say
# something of sources or of how many exposures count.
PLANE_FLAGS = {
    "SAT": "saturated",
    "NO_DATA": "missing",
    "BAD": "masked",
    "CR": "masked",
    "EDGE": "masked",
    "INTRP": "masked",
    "SUSPECT": "masked",
    "CROSSTALK": "masked",
    "UNMASKEDNAN": "masked",
    "BRIGHT_OBJECT": "masked",
}
_PLANE, _BITS = "MP_", 32


def read_hsc(path: Path, band: str, expected: Mapping[str, Any]) -> Frame:
    """Return a cutout or a patch, checked; its pixels stay in the file if it is large.

    The noise is that of the variance plane: its square root, the median of the pixels in which
    nothing is detected. For the sky's grid, how far it is correlated is measured on the image's
    pixels there. The file does not tell the width of its stars.

    Parameters
    ----------
    path
        The file.
    band
        The letter that its name says.
    expected
        `pixel_scale_arcsec`; `grid`; `zero_point_mag`, if it is known; `shape` of the other
        bands, or None; `band_files` where bands have other names.

    Raises
    ------
    BadInput
        A missing or damaged file, a missing HDU, another band, unit, zero point, shape or pixel
        scale than expected, no finite world coordinates, no names of the mask's planes, or no
        variance above 0.
    """
    found = headers_of(path)
    image, mask, variance = (image_hdu(path, found, *item) for item in HDUS.items())
    headers = [(image.where, image.header), ("HDU 0", found[0][0])]
    where, _ = told(headers, "FILTER")
    require_filter(path, where, dict(headers)[where], band, names_of(band, expected))
    wcs = world(path, image.where, image.header, float(expected["pixel_scale_arcsec"]))
    require_same_image(path, image.where, image.raw.shape, expected["shape"])
    for plane in (mask, variance):
        _require_beside(path, plane, image)
    factor = nmgy_per_unit(path, headers, expected.get("zero_point_mag"), ZERO_POINT_HINT)
    planes = mask_planes(path, mask)
    variances, empty = _empty_sky(path, variance, mask, planes)
    return Frame(
        path=path,
        image=Plane(image.raw, scaled(image, factor)),
        wcs=wcs,
        sky_sigma_nmgy=factor * float(np.sqrt(np.median(variances[empty]))),
        saturation_nmgy=saturation_nmgy(image.header, factor),
        mask=Plane(mask.raw, _flags(planes)),
        sky_correlation=_correlation(image, empty) if expected["grid"] == "sky" else (),
    )


def mask_planes(path: Path, mask: Hdu) -> dict[str, int]:
    """Return {plane: bit} of a mask; planes without a meaning here are among them.

    Raises
    ------
    BadInput
        If the header names no plane, or a bit that no pixel has.
    """
    cards = {key: mask.header[key] for key in mask.header if key.startswith(_PLANE)}
    if not cards or mask.raw.dtype.kind not in "iu":
        raise BadInput(path, mask.where, f"integers with planes named by {_PLANE}*",
                       f"{len(cards)} such names, pixels of type {mask.raw.dtype}",
                       "give the mask as the archive has it")  # fmt: skip
    for name, bit in cards.items():
        if not isinstance(bit, int) or not 0 <= bit < _BITS:
            raise BadInput(path, f"{mask.where}, {name}", f"a bit from 0 to {_BITS - 1}",
                           f"{bit!r}", "give the mask as the archive has it")  # fmt: skip
    return {name.removeprefix(_PLANE): bit for name, bit in cards.items()}


def _flags(planes: Mapping[str, int]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes flags of stamps (uint32) of the mask's own bits."""
    bits = dict.fromkeys(PLANE_FLAGS.values(), 0)
    for plane, flag in PLANE_FLAGS.items():
        if plane in planes:
            bits[flag] |= 1 << planes[plane]

    def convert(raw: np.ndarray) -> np.ndarray:
        own = raw.astype(np.int64)
        flags = np.zeros(raw.shape, dtype=np.uint32)
        for name, wanted in bits.items():
            flags[(own & wanted) != 0] |= flag_value(name)
        return flags

    return convert


def _empty_sky(
    path: Path, variance: Hdu, mask: Hdu, planes: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the variances of some rows (rows, columns), and which of the pixels show the sky."""
    values = scaled(variance)(some_rows(variance.raw))
    usable = np.isfinite(values) & (values > 0)
    if not usable.any():
        raise BadInput(path, variance.where, "a variance above 0", "none in any pixel",
                       "the image has no data here: fetch another one")  # fmt: skip
    if "DETECTED" in planes:
        empty = usable & (some_rows(mask.raw).astype(np.int64) & 1 << planes["DETECTED"] == 0)
        usable = empty if empty.any() else usable
    return values, usable


def _correlation(image: Hdu, empty: np.ndarray) -> tuple[float, ...]:
    return sky_correlation(np.where(empty, scaled(image)(some_rows(image.raw)), np.nan))


def _require_beside(path: Path, plane: Hdu, image: Hdu) -> None:
    if plane.raw.shape != image.raw.shape:
        (rows, columns), (found_rows, found_columns) = image.raw.shape, plane.raw.shape
        raise BadInput(path, f"{plane.where}, NAXIS1 and NAXIS2",
                       f"{columns} x {rows} pixels, as the image", f"{found_columns} x "
                       f"{found_rows}", "fetch it again")  # fmt: skip
