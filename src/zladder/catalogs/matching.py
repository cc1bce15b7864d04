"""A cross-match of two tables: one partner at most for each object, and how good it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.catalogs.crossmatch import Neighbours, match, neighbours
from zladder.catalogs.expressions import columns_of, evaluate
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from pathlib import Path

SHIFT_RADII = 10.0  # how far, in radii, the positions are moved to count chance matches
QUANTILES = (0.05, 0.5, 0.95, 0.99)
_WHY = "the tables are matched on the sphere: map ra and dec in the survey, or use one table"


def positions(frame: pd.DataFrame, file: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Return ra and dec in degrees, float64, shape (N,).

    Raises
    ------
    BadInput
        No ra or dec (says which), or a position that is not finite (says in which row).
    """
    missing = [name for name in ("ra", "dec") if name not in frame]
    if missing:
        raise BadInput(file, f"column {' and '.join(missing)}", "positions (ra, dec in degrees)",
                       f"no {' and no '.join(missing)}", _WHY)  # fmt: skip
    ra, dec = (frame[name].to_numpy(dtype=float, na_value=np.nan) for name in ("ra", "dec"))
    bad = ~(np.isfinite(ra) & np.isfinite(dec))
    if bad.any():
        row = int(np.argmax(bad))
        raise BadInput(file, f"column ra and dec, row {row + 1}", "a finite position",
                       f"({ra[row]}, {dec[row]})", "take such rows out of the file")  # fmt: skip
    return ra, dec


def candidates(frame: pd.DataFrame, keep: str, file: Path | str) -> np.ndarray:
    """Return the rows (int64) that may be matched: those of which a condition is true, or all.

    Raises
    ------
    BadInput
        A condition that cannot be read or names a column that is not there, or leaves no row.
    """
    if not keep:
        return np.arange(len(frame), dtype=np.int64)
    place = "match_to"
    for name in columns_of(keep, place, file):
        require_column(name, list(frame.columns), file)
    rows = np.flatnonzero(evaluate(frame, keep, place, file)).astype(np.int64)
    if not rows.size:
        raise BadInput(file, place, "a condition true of some objects", f"none where {keep}",
                       "see the column's values")  # fmt: skip
    return rows


def match_tables(
    small: pd.DataFrame,
    big: pd.DataFrame,
    radius_arcsec: float,
    small_file: Path | str,
    big_file: Path | str,
    chunk_rows: int = 1_000_000,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the pairs within the radius, each object of either side in one pair at most.

    Each small-side object takes its nearest big-side one; where two take the same, the nearer
    keeps it (of equals the first row) and the other goes without.

    Returns
    -------
    tuple
        Pairs ``row_small, row_big`` (int64, from 0), ``separation_arcsec``, in the order of the
        small side; and the quality: ``n_small, n_big, radius_arcsec``, ``n_matched``,
        ``n_unmatched`` (nothing within the radius), ``n_contested`` (lost to a nearer one),
        ``n_ambiguous`` (matched, with a second candidate within the radius), ``n_chance``
        (matches expected by chance), ``separation_quantiles_arcsec``.

    Raises
    ------
    BadInput
        A side without positions, or with one that is not finite.
    """
    here, there = positions(small, small_file), positions(big, big_file)
    found = neighbours(*here, *there, radius_arcsec, chunk_rows)
    index, n_contested = one_to_one(found.index, found.separation_arcsec)
    rows = np.flatnonzero(index >= 0)
    pairs = pd.DataFrame({
        "row_small": rows.astype(np.int64),
        "row_big": index[rows],
        "separation_arcsec": found.separation_arcsec[rows],
    })  # fmt: skip
    n_chance = chance_matches(*here, *there, radius_arcsec, chunk_rows)
    quality = {"n_small": len(small), "n_big": len(big), "radius_arcsec": radius_arcsec,
               "n_contested": n_contested, "n_chance": n_chance}  # fmt: skip
    return pairs, {**quality, **_figures(found, rows)}


def one_to_one(index: np.ndarray, separation_arcsec: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the indices, shape (N,), with -1 for those who lost a contest, and their number."""
    rows = np.flatnonzero(index >= 0)
    # Stable: of equally near rows the first stands first.
    nearest_first = rows[np.argsort(separation_arcsec[rows], kind="stable")]
    _, winners = np.unique(index[nearest_first], return_index=True)
    kept = np.full_like(index, -1)
    kept[nearest_first[winners]] = index[nearest_first[winners]]
    return kept, len(rows) - len(winners)


def chance_matches(
    ra_small: np.ndarray,
    dec_small: np.ndarray,
    ra_big: np.ndarray,
    dec_big: np.ndarray,
    radius_arcsec: float,
    chunk_rows: int = 1_000_000,
) -> int:
    """Return how many small-side objects find something ten radii away from their place.

    There nothing of theirs can be, but the sky is as crowded: as many of the matches are
    expected to be strangers. The shift is along the meridian, towards the equator.
    """
    step_deg = SHIFT_RADII * radius_arcsec / 3600.0
    shifted = dec_small - np.where(dec_small > 0, step_deg, -step_deg)
    index, _ = match(ra_small, shifted, ra_big, dec_big, radius_arcsec, chunk_rows)
    return int((index >= 0).sum())


def _figures(found: Neighbours, rows: np.ndarray) -> dict[str, Any]:
    separations = found.separation_arcsec[rows]
    quantiles = np.quantile(separations, QUANTILES) if rows.size else [None] * len(QUANTILES)
    return {
        "n_matched": len(rows),
        "n_unmatched": int((found.index < 0).sum()),
        "n_ambiguous": int(np.isfinite(found.second_arcsec[rows]).sum()),
        "separation_quantiles_arcsec": {
            f"{q:g}": None if value is None else float(value)
            for q, value in zip(QUANTILES, quantiles, strict=True)
        },
    }
