"""Whether the galaxies asked for find room on the mock sky, and its images too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zladder.config.imaging import FIRST_FIELD, field_numbers
from zladder.provenance.errors import BadInput
from zladder.survey.areas import deep_and_wide
from zladder.survey.imaging import needed_area_deg2
from zladder.survey.tiles import MARGIN_ARCSEC, lay_tiles

LAST_FIELD = 2**12 - 1  # twelve bits of SDSS's objID


def check_fields(settings: Mapping[str, Any]) -> None:
    """Refuse more fields than an object's identifier has numbers for."""
    last = max(number.field for number in field_numbers(settings))
    if last > LAST_FIELD:
        expected = f"so many that no sample needs more than {LAST_FIELD - FIRST_FIELD + 1} fields"
        place, found = "survey/imaging/galaxies_per_field", f"fields up to {last}"
        raise BadInput("config", place, expected, found, "put more galaxies into a field")


def check_areas(settings: Mapping[str, Any]) -> None:
    """Refuse numbers of galaxies that need more area than the sky of these settings has."""
    deep, wide = deep_and_wide(settings)
    needed = {"deep": deep.area_deg2, "wide": wide.area_deg2, "main": needed_area_deg2(settings)}
    for name, area_deg2 in needed.items():
        available = settings["sky"][f"{name}_area_deg2"]
        if area_deg2 > available * (1 + 1e-9):
            raise BadInput(
                "config",
                f"survey/sky/{name}_area_deg2",
                f"at least {area_deg2:.4g} for the numbers of galaxies asked for",
                f"{available:g}",
                "ask for fewer galaxies, or for more in a square degree",
            )


def check_tiles(settings: Mapping[str, Any]) -> None:
    """Refuse tiles that, with the margin whose light they show, leave the field they look at.

    Two such tiles cannot overlap: the wide one is 0.35 of the wide field's height north of the
    deep one, and what fits there is at most 0.3 of it high.
    """
    fields = dict(zip(("deep", "wide"), deep_and_wide(settings), strict=True))
    for tile in lay_tiles(settings):
        reach = tile.size_pixels / 2 + MARGIN_ARCSEC / tile.plane.pixel_arcsec
        middle = (tile.size_pixels - 1) / 2
        x, y = middle + reach * np.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]])
        if not fields[tile.layer].contains(*tile.plane.to_sky(x, y)).all():
            height = np.subtract(*fields[tile.layer].dec_range_deg[::-1])
            expected = f"a tile that lies in the {tile.layer} field, {height:.3g} deg high"
            found = f"{tile.size_pixels} pixels and {MARGIN_ARCSEC:g} arcsec on each side"
            hint = "smaller tiles, or more galaxies"
            raise BadInput("config", "survey/cfhtls/tile_pixels", expected, found, hint)
