"""The columns of a scene: what the simulation writes and the renderer reads."""

from __future__ import annotations

from collections.abc import Sequence

from zladder.config.imaging import FieldNumber

SHAPE_COLUMNS = (
    "disc_radius_arcsec",
    "bulge_radius_arcsec",
    "disc_axis_ratio",
    "bulge_axis_ratio",
    "position_angle_deg",
)


def scene_columns(bands: Sequence[str]) -> list[str]:
    """Return the columns of a scene in their order."""
    fluxes = [f"{part}_flux_{band}_nmgy" for band in bands for part in ("disc", "bulge")]
    return [*FieldNumber._fields, "x_pixel", "y_pixel", *SHAPE_COLUMNS, *fluxes]
