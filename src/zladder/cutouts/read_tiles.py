"""CFHTLS tiles: one file a tile and band, counts by a zero point, read window by window.

A tile of 19354 x 19354 pixels takes 1.5 GB: it is mapped, never copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.frames import (
    ZERO_POINT_HINT,
    Frame,
    Plane,
    sky_correlation,
    sky_sigma_nmgy,
)
from zladder.cutouts.hdus import Hdu, headers_of, image_hdu, scaled, some_rows
from zladder.cutouts.headers import require_filter, require_same_image, saturation_nmgy, world
from zladder.cutouts.tile_names import names_of, weights_path
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import flag_value
from zladder.tables.zero_points import nmgy_per_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_IMAGE = ("PRIMARY", 0)


def read_tile(path: Path, band: str, expected: Mapping[str, Any]) -> Frame:
    """Return a tile, checked; its pixels stay in the file.

    A pixel without data is flagged `missing`: where its weight is not above 0, or, without a file
    of weights, where it is exactly 0. The noise is measured, for
    the sky's grid also how far it is correlated, in rows spread over the tile. The file
    does not tell the width of its stars.

    Parameters
    ----------
    path
        The file.
    band
        The letter that its name says.
    expected
        `pixel_scale_arcsec`; `grid`; `zero_point_mag`, if it is known; `shape` of the other
        bands, or None; `bands`, `path` and, where there are files of weights, `weights`: templates
        of names; `band_files` where bands have other names.

    Raises
    ------
    BadInput
        A missing, damaged or compressed file, no image, another band, unit, zero point, shape or
        pixel scale than expected, no finite world coordinates, weights that are not there or not
        of the tile's shape, or a tile without data.
    """
    image = _only_image(path)
    require_filter(path, image.where, image.header, band, names_of(band, expected))
    wcs = world(path, image.where, image.header, float(expected["pixel_scale_arcsec"]))
    require_same_image(path, image.where, image.raw.shape, expected["shape"])
    named = [(image.where, image.header)]
    factor = nmgy_per_unit(path, named, expected.get("zero_point_mag"), ZERO_POINT_HINT)
    weights = image
    if "weights" in expected:
        weights = _weights(weights_path(path, expected), image)
    weigh, flux = scaled(weights), scaled(image, factor)
    is_weight, on_sky = weights is not image, expected["grid"] == "sky"

    def missing(raw: np.ndarray) -> np.ndarray:
        values = weigh(raw)
        lacks = ~(values > 0) if is_weight else values == 0
        return lacks.astype(np.uint32) * flag_value("missing")

    some, lacks = flux(some_rows(image.raw)), missing(some_rows(weights.raw)) != 0
    sky = some[~lacks]
    if not np.isfinite(sky).any():
        raise BadInput(path, image.where, "pixels with data", "none in the rows looked at",
                       "take the tile out of the folder, or fetch it again")  # fmt: skip
    return Frame(
        path=path,
        image=Plane(image.raw, flux),
        wcs=wcs,
        sky_sigma_nmgy=sky_sigma_nmgy(sky),
        saturation_nmgy=saturation_nmgy(image.header, factor),
        mask=Plane(weights.raw, missing),
        sky_correlation=sky_correlation(np.where(lacks, np.nan, some)) if on_sky else (),
    )


def _only_image(path: Path) -> Hdu:
    """Return the image of a file that has one, in HDU 0."""
    found = headers_of(path)
    if any(header.get("ZIMAGE", False) for header, _ in found):
        raise BadInput(path, "file", "an image that can be read in parts", "a compressed one",
                       "unpack the tile (funpack)")  # fmt: skip
    return image_hdu(path, found[:1], *_IMAGE)


def _weights(path: Path, image: Hdu) -> Hdu:
    weights = _only_image(path)
    require_same_image(path, weights.where, weights.raw.shape, image.raw.shape)
    return weights
