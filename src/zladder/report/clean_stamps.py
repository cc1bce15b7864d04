"""Which galaxies figures prefer: those whose stamps have no fault, where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.tables.stamp_files import have_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def clean_enough(galaxies: pd.DataFrame, n_places: int) -> pd.DataFrame:
    """Return the galaxies without a fault (`stamp_flags`) if they fill the places, else all."""
    clean = galaxies[~have_flags(galaxies["stamp_flags"])]
    return clean if len(clean) >= min(n_places, len(galaxies)) else galaxies


def clean_of_each(galaxies: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return the galaxies without a fault; of a group that has none such, all.

    Parameters
    ----------
    galaxies
        ``stamp_flags`` and the columns that make the groups.
    groups
        Names of these columns.
    """
    clean = ~have_flags(galaxies["stamp_flags"])
    some = galaxies.assign(clean=clean).groupby(list(groups))["clean"].transform("any")
    return galaxies[clean | ~some.to_numpy(dtype=bool)]
