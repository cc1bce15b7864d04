"""A survey of three objects: its settings, its native table, what refuses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.standardize import standardize
from zladder.provenance.errors import BadInput

FILE = Path("survey/table.csv")
BIG = 2**60 + 1


def survey(**changes: Any) -> dict[str, Any]:
    """Return the survey's settings; a column of `columns` that is None is taken out."""
    settings: dict[str, Any] = {
        "name": "toy",
        "bands": ["u", "g"],
        "columns": {
            "object_id": "id",
            "ra": "RA",
            "dec": "DEC",
            "z_true": "zs",
            "mag_u": "u",
            "mag_g": "g",
            "mag_err_u": "eu",
            "mag_err_g": "eg",
        },
        "kind": "spec",
    }
    columns = {**settings["columns"], **changes.pop("columns", {})}
    columns = {name: source for name, source in columns.items() if source is not None}
    return {**settings, "columns": columns, **changes}


def raw(**changes: Any) -> pd.DataFrame:
    """Return the native table, columns changed or added."""
    table: dict[str, Any] = {
        "id": np.array([BIG, BIG + 1, 3]),
        "RA": [0.0, 359.5, 99.0],
        "DEC": [-90.0, 90.0, 0.0],
        "zs": [0.1, 0.2, 0.3],
        "u": [18.0, 19.0, 20.0],
        "g": [17.0, 18.0, 19.0],
        "eu": [0.1, 0.2, 0.3],
        "eg": [0.01, 0.02, 0.03],
        "u-g": [1.0, 1.0, 1.0],
    }
    return pd.DataFrame({**table, **changes})


def failure(frame: pd.DataFrame, settings: dict[str, Any]) -> BadInput:
    """Return what standardizing refuses the table or the settings with."""
    with pytest.raises(BadInput) as caught:
        standardize(frame, settings, FILE, "all")
    return caught.value
