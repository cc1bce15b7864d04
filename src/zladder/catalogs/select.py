"""Join a sample's labels and photometry, and apply its cuts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zladder.catalogs.cuts import apply_cuts
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

# What the photometric survey says of these stays; what the label survey says of them goes.
_FROM_PHOTOMETRY = re.compile(r"object_id|ra|dec|ebv_mag|(mag|mag_err|extinction)_\w+")


def select_sample(
    labels: pd.DataFrame,
    photometry: pd.DataFrame,
    pairs: pd.DataFrame | None,
    settings: Mapping[str, Any],
    file: Path,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (sample, cut-flow).

    Parameters
    ----------
    labels, photometry
        Standard catalogues; the same one where a survey gives both.
    pairs
        `left_index` (labels), `right_index` (photometry), `separation_arcsec` of the cross-match, or
        None where one survey gives both.
    settings
        `name`, `deredden`, `cuts` of the sample.
    file
        The catalogue that messages name.

    Returns
    -------
    tuple
        Identifier, position and photometry of a matched galaxy are those of the photometric survey,
        so that two samples with the same photometry know each other's galaxies; everything else of
        a name that both surveys use is the label survey's.

    Raises
    ------
    BadInput
        For cuts that do not fit the table, and dereddening without extinctions.
    """
    joined = photometry if pairs is None else _join(labels, photometry, pairs)
    if settings["deredden"]:
        joined = deredden(joined, file)
    return apply_cuts(joined, settings["cuts"], file)


def _join(labels: pd.DataFrame, photometry: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a pair: identity and photometry from one survey, all else from the other.

    What only the photometric survey has of that all else (its extra columns) is kept too.
    """
    seen = photometry.iloc[pairs["right_index"]].reset_index(drop=True)
    named = labels.iloc[pairs["left_index"]].reset_index(drop=True)
    kept = [name for name in named.columns if not _FROM_PHOTOMETRY.fullmatch(name)]
    named = named[kept]
    taken = [name for name in seen.columns if name not in named.columns]
    joined = named.join(seen[taken])
    joined["match_separation_arcsec"] = pairs["separation_arcsec"].to_numpy()
    return joined


def deredden(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return the table with Galactic extinction subtracted from every magnitude.

    Raises
    ------
    BadInput
        If a band has no `extinction_{band}`.
    """
    corrected = frame.copy()
    bands = [
        name.removeprefix("mag_")
        for name in frame.columns
        if name.startswith("mag_") and not name.startswith("mag_err_")
    ]
    for band in bands:
        if f"extinction_{band}" not in frame.columns:
            hint = "map the survey's extinctions, or set deredden: false"
            place = f"column 'extinction_{band}'"
            raise BadInput(file, place, "the Galactic extinction in mag", "no such column", hint)
        corrected[f"mag_{band}"] = frame[f"mag_{band}"] - frame[f"extinction_{band}"]
    return corrected
