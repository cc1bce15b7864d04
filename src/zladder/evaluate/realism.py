"""Does the mock sky look like the real one? Its numbers beside measured and published ones.

Quantiles have the distribution-free interval of order statistics, which needs no resampling; a
share has Wilson's (1927, J. Am. Stat. Assoc. 22, 209).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Interval = tuple[float, float, float]

COLUMNS = ("quantity", "where", "ours", "lo95", "hi95", "published", "source", "within")
NORMAL_95 = 1.959964
FEWEST = 20  # galaxies; fewer give NaN
RED_SHARE = "red share"


def measure_realism(
    samples: Mapping[str, pd.DataFrame],
    references: Mapping[str, Mapping[str, Any]],
    paths: Mapping[str, Path],
) -> pd.DataFrame:
    """Return one row for each number of the references.

    Parameters
    ----------
    samples
        Name -> table with standard columns.
    references
        Name -> document of ``config/references``; those of samples that are not given are left out.
    paths
        Where the samples came from, for messages.

    Returns
    -------
    pandas.DataFrame
        ``quantity`` and ``where`` (text), ``ours`` with its 95 % interval ``lo95, hi95`` (NaN for
        fewer than 20 galaxies), ``published``, ``source``, and ``within``: whether the interval,
        widened by the reference's tolerance, holds the published number.

    Raises
    ------
    BadInput
        If a sample lacks a column that a reference asks for.
    """
    rows = [
        row
        for document in references.values()
        if document["sample"] in samples
        for entry in document["quantities"]
        for row in _rows(samples[document["sample"]], document, entry, paths[document["sample"]])
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"within": bool})


def _rows(
    sample: pd.DataFrame, document: Mapping[str, Any], entry: Mapping[str, Any], path: Path
) -> list[dict[str, Any]]:
    """Return the rows of one quantity in one range, one a statistic."""
    chosen, words = _chosen(sample, document, entry, path)
    is_share = entry["quantity"] == RED_SHARE
    values = _is_red(chosen, document, path) if is_share else _column(chosen, entry, path)
    values = values[np.isfinite(values)]
    rows = []
    for statistic, published in entry["published"].items():
        ours, low, high = _statistic(values, statistic)
        relative = entry.get("relative_tolerance", 0.0) * abs(published)
        reach = entry.get("tolerance", relative)
        name = entry["quantity"] if statistic == "share" else f"{entry['quantity']}, {statistic}"
        within = bool(low - reach <= published <= high + reach)  # never with NaN
        numbers = (ours, low, high, float(published))
        rows.append(dict(zip(COLUMNS, (name, words, *numbers, document["source"], within),
                             strict=True)))  # fmt: skip
    return rows


def _chosen(
    sample: pd.DataFrame, document: Mapping[str, Any], entry: Mapping[str, Any], path: Path
) -> tuple[pd.DataFrame, str]:
    """Return the galaxies that count, and which these are in words."""
    ranges = dict(document.get("keep", {}))
    if "z_true" in entry:
        ranges["z_true"] = entry["z_true"]
    rows = np.ones(len(sample), dtype=bool)
    words = [document["sample"]]
    for column, (low, high) in ranges.items():
        require_column(column, list(sample.columns), path)
        rows &= (sample[column] > low).to_numpy() & (sample[column] <= high).to_numpy()
        words.append(f"{low:g} < {column} ≤ {high:g}")
    chosen = sample[rows]
    if "side" in entry:
        red = _is_red(chosen, document, path) > 0
        chosen = chosen[red if entry["side"] == "red" else ~red]
        words.append(entry["side"])
    return chosen, ", ".join(words)


def _is_red(frame: pd.DataFrame, document: Mapping[str, Any], path: Path) -> np.ndarray:
    """Return 1 for galaxies redder in g - r than the document's line, else 0; shape (N,)."""
    if "red_line" not in document:
        expected = "the line between red and blue galaxies"
        hint = "give level_mag and slope_mag_per_z"
        raise BadInput("config/references", "red_line", expected, "no such key", hint)
    line = document["red_line"]
    limit_mag = line["level_mag"] + line["slope_mag_per_z"] * frame["z_true"].to_numpy()
    colour = _column(frame, {"quantity": "mag_g - mag_r"}, path)
    return np.asarray(colour > limit_mag, dtype=np.float64)


def _column(frame: pd.DataFrame, entry: Mapping[str, Any], path: Path) -> np.ndarray:
    """Return a column or the difference of two, float64 (N,)."""
    names = entry["quantity"].split(" - ")
    for name in names:
        require_column(name, list(frame.columns), path)
    first, *rest = (frame[name].to_numpy(dtype=np.float64) for name in names)
    with np.errstate(invalid="ignore"):  # inf - inf: not detected in either band
        return np.asarray(first - rest[0]) if rest else first


def _statistic(values: np.ndarray, statistic: str) -> Interval:
    """Return a statistic of N values and its 95 % interval; NaN for fewer than 20."""
    if len(values) < FEWEST:
        return np.nan, np.nan, np.nan
    if statistic == "share":
        return wilson_interval(int(values.sum()), len(values))
    if statistic == "width":
        low, high = quantile_interval(values, 0.16), quantile_interval(values, 0.84)
        width = 0.5 * (high[0] - low[0])
        below = 0.5 * np.hypot(high[0] - high[1], low[2] - low[0])
        above = 0.5 * np.hypot(high[2] - high[0], low[0] - low[1])
        return width, width - below, width + above
    return quantile_interval(values, int(statistic[1:]) / 100)


def quantile_interval(values: np.ndarray, share: float) -> Interval:
    """Return a quantile and the 95 % interval between two order statistics.

    The number of values below the true quantile is binomial; its normal approximation gives the
    ranks.
    """
    reach = NORMAL_95 * np.sqrt(share * (1 - share) / len(values))
    wanted = np.clip([share, share - reach, share + reach], 0.0, 1.0)
    middle, low, high = np.quantile(values, wanted)
    return float(middle), float(low), float(high)


def wilson_interval(n_yes: int, n: int) -> Interval:
    """Return a share and Wilson's 95 % score interval."""
    share, z2 = n_yes / n, NORMAL_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return share, float(centre - half), float(centre + half)
