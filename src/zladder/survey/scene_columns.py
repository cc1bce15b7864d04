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
    return [*FieldNumber._fields, *object_columns(bands)]


def object_columns(bands: Sequence[str]) -> list[str]:
    """Return what every scene says of an object: place in the image, shape, fluxes."""
    fluxes = [f"{part}_flux_{band}_nmgy" for band in bands for part in ("disc", "bulge")]
    return ["x_pixel", "y_pixel", *SHAPE_COLUMNS, *fluxes]


def tile_scene_columns(bands: Sequence[str]) -> list[str]:
    """Return the columns of the scene of tiles: `layer` says in which."""
    return ["layer", *object_columns(bands)]


def stamp_scene_columns(bands: Sequence[str]) -> list[str]:
    """Return the columns of the scene of cutouts: `object_id` says in whose."""
    return ["object_id", *object_columns(bands)]
