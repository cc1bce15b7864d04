"""Stamps with a pixel that the encoding does not hold: lost and listed, nothing is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.config.encodings import ASINH
from zladder.cutouts.beside import some
from zladder.cutouts.losses import Loss
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_pixels import limits_nmgy, pixel_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from zladder.cutouts.beside import Stamps

UNFIT = "unfit"  # kind of the loss


def holdable(
    stamps: Stamps,
    settings: Mapping[str, Any],
    key: tuple[Any, ...],
    image_of: Callable[[str], Path],
) -> tuple[Stamps, list[Loss]]:
    """Return (stamps whose pixels the encoding holds, losses: the others).

    Parameters
    ----------
    stamps
        Datasets of a field's stamps, pixels in nanomaggies and finite.
    settings
        `bands`, and what `pixel_attributes` reads.
    key
        Of the field.
    image_of
        The file that the pixels of a band are from.
    """
    attributes = pixel_attributes(settings)
    if attributes["encoding"] == "float32":
        return stamps, []
    low, high = limits_nmgy(attributes, len(settings["bands"]))
    darkest, brightest = (end(axis=(2, 3)) for end in (stamps["flux"].min, stamps["flux"].max))
    beyond = (darkest < low) | (brightest > high)
    lost = []
    for row in np.flatnonzero(beyond.any(axis=1)).tolist():
        at = int(np.argmax(beyond[row]))
        band = settings["bands"][at]
        pixel = brightest[row, at] if brightest[row, at] > high[at] else darkest[row, at]
        object_id = int(stamps["object_id"][row])
        place = f"object_id {object_id}, band {band}"
        expected = f"pixels from {low[at]:.5g} to {high[at]:.5g} nmgy, which cutouts.encoding holds"
        error = BadInput(image_of(band), place, expected,
                         f"one of {pixel:.6g} nmgy", _hint(attributes["encoding"]))  # fmt: skip
        lost.append(Loss(object_id, key, band, UNFIT, error))
    return (some(stamps, ~beyond.any(axis=1)) if lost else stamps), lost


def _hint(encoding: str) -> str:
    widen = "widen cutouts.lowest_softenings or cutouts.highest_softenings, or "
    return f"{widen if encoding in ASINH else ''}set cutouts.encoding: float32, which holds all"
