"""The deep field and the wide one around it: as large as the numbers of galaxies ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zladder.survey.geometry import Field

DEEP_PART_MAX = 0.25  # the deep field's share of the wide one's area


def deep_and_wide(settings: Mapping[str, Any]) -> tuple[Field, Field]:
    """Return the deep field and the wide one around it, as large as the numbers ask for."""
    sky = settings["sky"]
    centre = (sky["deep_ra_deg"], sky["deep_dec_deg"])
    deep_area = settings["n_photoz"] / sky["photoz_per_deg2"]
    wide_area = max(settings["n_specz"] / sky["specz_per_deg2"], deep_area / DEEP_PART_MAX)
    return Field(*centre, deep_area), Field(*centre, wide_area)
