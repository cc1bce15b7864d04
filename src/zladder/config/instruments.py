"""Which instruments the settings of the mock sky describe. Nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TABULATED = ("filters", "z_max")  # all that the tables of magnitudes depend on


def tabulated_settings(survey: Mapping[str, Any]) -> dict[str, Any]:
    """Return {instrument: its filters and last redshift} of every block with ``filters``."""
    return {
        name: {key: block[key] for key in _TABULATED}
        for name, block in survey.items()
        if isinstance(block, Mapping) and "filters" in block
    }
