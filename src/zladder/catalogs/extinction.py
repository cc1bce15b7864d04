"""Stored extinctions of a survey, brought to the scale on which dust is corrected here.

SDSS's catalogues list A_b on the scale of its DR12: 5.155, 3.793, 2.751, 2.086 and 1.479 times
E(B-V) of the map of Schlegel, Finkbeiner & Davis (1998). What dust takes away is less: 4.239,
3.303, 2.285, 1.698 and 1.263 times it (Schlafly & Finkbeiner 2011, ApJ 737, 103; both vectors as
in the code of Hayat et al. 2021, ApJL 911, L33).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.catalogs.column_map import survey_file
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

STORED = "stored_extinction_per_ebv"
CORRECTED = "extinction_per_ebv"


def rescaled_extinctions(numbers: pd.DataFrame, survey: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table with extinctions of every band on the survey's `extinction_per_ebv`.

    E(B-V) is the mean over the bands of what is stored over its own scale (the order of Hayat et
    al.); the extinction of a band is R_b E(B-V), in mag. A table of a survey that declares no
    `stored_extinction_per_ebv` comes back as it is. NaN in one band gives NaN in all.

    Raises
    ------
    BadInput
        If a band lacks one of the two numbers, a stored one is not positive, or the survey maps
        no extinction of a band.
    """
    if STORED not in survey:
        return numbers
    bands = survey["bands"]
    scales = {key: _per_band(survey, key) for key in (STORED, CORRECTED)}
    names = [f"extinction_{band}" for band in bands]
    for name in names:
        if name not in numbers.columns:
            hint = f"map it, or leave out {STORED}"
            expected = "a native column: the survey declares the scale of its extinctions"
            raise BadInput(survey_file(survey), f"columns.{name}", expected, "no such key", hint)
    stored = numbers[names].to_numpy(dtype=np.float64)
    ebv_mag = (stored / scales[STORED]).mean(axis=1)
    corrected = ebv_mag[:, None] * scales[CORRECTED]
    types = {name: numbers[name].dtype for name in names}
    return numbers.assign(
        **{name: corrected[:, k].astype(types[name]) for k, name in enumerate(names)}
    )


def _per_band(survey: Mapping[str, Any], key: str) -> np.ndarray:
    """Return the numbers of a mapping by band, shape (B,)."""
    known = survey.get(key, {})
    for band in survey["bands"]:
        if band not in known or (key == STORED and not known[band] > 0):
            expected = "a positive number for each band" if key == STORED else "one for each band"
            found = f"{known[band]}" if band in known else f"none for '{band}'"
            hint = "stored extinctions are divided by the one scale and multiplied by the other"
            raise BadInput(survey_file(survey), f"{key}.{band}", expected, found, hint)
    return np.array([known[band] for band in survey["bands"]], dtype=np.float64)
