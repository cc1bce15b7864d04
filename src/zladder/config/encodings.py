"""How stamps are stored: the settings that their codes depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ASINH = ("asinh16", "asinh8")  # encodings by steps of the asinh; the others are floats
RANGE = ("lowest_softenings", "highest_softenings")  # what only these read of the stage cutouts


def stored_as(stage: Mapping[str, Any], survey: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `tables.stamp_pixels.pixel_attributes` reads beside the bands.

    Parameters
    ----------
    stage
        The settings of the stage cutouts.
    survey
        That of the stamps.
    """
    if stage["encoding"] not in ASINH:
        return {"encoding": stage["encoding"]}
    scale = {key: stage[key] for key in RANGE}
    return {"encoding": stage["encoding"], "softening_nmgy": survey["softening_nmgy"], **scale}
