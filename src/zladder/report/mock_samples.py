"""Redshifts and magnitudes of the mock sky's samples beside those of the real ones."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.report.style import (
    INK,
    PALETTE,
    SOFT,
    footline,
    headline,
    light_grid,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

OURS, REAL = PALETTE[0], PALETTE[1]
OURS_FILL = "#b9d2e5"
TOLERANCE = 0.15  # of a redshift; of a flux for magnitudes, of which 15 % would be 3 mag
SHOWN_PERCENT = (0.2, 99.4)
N_BINS = 45
QUANTILE_COLUMNS = (
    "sample", "column", "percent", "n", "ours", "lo95", "hi95", "real", "difference", "within",
)  # fmt: skip


def compare_quantiles(
    samples: Mapping[str, pd.DataFrame], quantiles: Mapping[str, Any]
) -> pd.DataFrame:
    """Return our quantiles beside the real ones, a row each (`QUANTILE_COLUMNS`).

    Parameters
    ----------
    samples
        {name: table with the columns that the references name}; only finite values count.
    quantiles
        {name: document of ``config/real_samples.yaml``}; where it has ``keep``, galaxies outside
        these ranges do not count.

    Returns
    -------
    table
        ``difference`` is ours / real - 1 of redshifts, ours - real in mag of magnitudes;
        ``within`` whether it is at most 15 %, of the flux for magnitudes. ``lo95``, ``hi95``: the
        order statistics between which the quantile of the population lies (binomial, 95 %).
    """
    rows = []
    for name, sample in samples.items():
        about = quantiles[name]
        kept = kept_rows(sample, about)
        for column, levels in sorted(about["quantiles"].items(), reverse=True):
            values = np.sort(kept[column].to_numpy(dtype=np.float64))
            values = values[np.isfinite(values)]
            for percent, real in sorted(levels.items(), key=lambda level: float(level[0])):
                ours, low, high = _quantile(values, float(percent) / 100)
                difference = ours - real if _is_magnitude(column) else ours / real - 1
                found = (len(values), ours, low, high, real, difference)
                within = bool(abs(difference) <= tolerance_of(column))
                rows.append((name, column, int(percent), *found, within))
    return pd.DataFrame(rows, columns=list(QUANTILE_COLUMNS))


def kept_rows(sample: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """Return the galaxies in the ranges (from, to] that ``keep`` names; all without any."""
    rows = np.ones(len(sample), dtype=bool)
    for column, (low, high) in about.get("keep", {}).items():
        rows &= (sample[column] > low).to_numpy() & (sample[column] <= high).to_numpy()
    return sample[rows]


def tolerance_of(column: str) -> float:
    """Return how far a quantile may be from the real one: relative, or in mag."""
    return 2.5 * float(np.log10(1 + TOLERANCE)) if _is_magnitude(column) else TOLERANCE


def _is_magnitude(column: str) -> bool:
    return column.startswith("mag_")


def _quantile(values: NDArray[np.float64], share: float) -> tuple[float, float, float]:
    """Return a quantile of sorted values and its interval; NaN of none."""
    n = len(values)
    if not n:
        return np.nan, np.nan, np.nan
    half = 1.96 * np.sqrt(n * share * (1 - share))
    low, high = (int(np.clip(n * share + sign * half, 0, n - 1)) for sign in (-1, 1))
    return float(np.quantile(values, share)), float(values[low]), float(values[high])


@styled
def draw_samples(
    samples: Mapping[str, pd.DataFrame], quantiles: Mapping[str, Any], compared: pd.DataFrame
) -> Figure:
    """Return a figure with a column a sample: histogram and distribution of z and of a magnitude.

    Parameters
    ----------
    samples, quantiles
        As of `compare_quantiles`.
    compared
        What it returns.
    """
    n = len(samples)
    figure = new_figure(max(3.9 * n, 6.5), 8.6)
    headline(figure, "The mock sky's samples beside the real ones")
    footline(
        figure,
        "filled and line: ours · outline and diamonds: the real sample, with bars of ±15 % (of the "
        "flux for magnitudes, 0.152 mag) · dots: ours at the same percent",
    )
    grid = figure.subplots(4, n, squeeze=False, height_ratios=(1.5, 1.1, 1.5, 1.1))
    for place, (name, sample) in enumerate(samples.items()):
        about = quantiles[name]
        kept = kept_rows(sample, about)
        for top, column in zip((0, 2), sorted(about["quantiles"], reverse=True), strict=False):
            found = compared[(compared["sample"] == name) & (compared["column"] == column)]
            values = kept[column].to_numpy(dtype=np.float64)
            values = values[np.isfinite(values)]
            real = about.get("histograms", {}).get(column)
            _histogram(grid[top, place], values, real, _label(column))
            _distribution(grid[top + 1, place], values, found, _label(column))
        grid[0, place].set_title(f"{_heading(name, kept, about)}\n" + fill(about["real"], 52),
                                 fontsize=8, linespacing=1.35)  # fmt: skip
    return figure


def _heading(name: str, kept: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return the name of a sample, which of its galaxies count, and how many these are."""
    ranges = about.get("keep", {}).items()
    words = [f"{low:g} < {column} ≤ {high:g}" for column, (low, high) in ranges]
    return " · ".join([name, *words, f"{len(kept):,} galaxies"])


def _label(column: str) -> str:
    return f"{column} (AB mag)" if _is_magnitude(column) else "z (as labelled)"


def _histogram(
    axes: Axes, values: NDArray[np.float64], real: Mapping[str, Any] | None, label: str
) -> None:
    """Draw the density of ours, filled, and of the real sample, as an outline."""
    light_grid(axes, "y")
    axes.set(xlabel=label, ylabel="density")
    low, high = _ends(values, label)
    if len(values):
        axes.hist(values, bins=np.linspace(low, high, N_BINS + 1).tolist(), density=True,
                  color=OURS_FILL, edgecolor=OURS, linewidth=0.5)  # fmt: skip
    if real is not None:
        counts = np.array(real["counts"], dtype=np.float64)
        edges = real["start"] + real["width"] * np.arange(len(counts) + 1)
        axes.stairs(counts / counts.sum() / real["width"], edges, color=REAL, linewidth=1.3)
    axes.set_xlim(low, high)


def _distribution(axes: Axes, values: NDArray[np.float64], found: pd.DataFrame, label: str) -> None:
    """Draw the share of galaxies below a value, with the real quantiles on it."""
    light_grid(axes)
    axes.set(xlabel=label, ylabel="% below", ylim=(0, 100), yticks=[5, 25, 50, 75, 95])
    low, high = _ends(values, label)
    if len(values):
        ordered = np.sort(values)
        axes.plot(ordered, 100 * (np.arange(len(ordered)) + 0.5) / len(ordered), color=OURS)
    for row in found.itertuples():
        bar = tolerance_of(str(row.column))
        bar = bar if _is_magnitude(str(row.column)) else bar * row.real
        axes.errorbar(row.real, row.percent, xerr=bar, fmt="D", color=REAL, markersize=4.5,
                      elinewidth=2.2, alpha=0.9)  # fmt: skip
        axes.plot(row.ours, row.percent, "o", color=OURS, markersize=4, markeredgecolor="white",
                  markeredgewidth=0.5)  # fmt: skip
    n_within = int(found["within"].sum())
    axes.text(0.985, 0.06, f"{n_within} of {len(found)} within the bars", transform=axes.transAxes,
              ha="right", fontsize=7.5, color=INK if n_within == len(found) else SOFT,
              bbox={"fc": "white", "ec": "none", "pad": 1})  # fmt: skip
    axes.set_xlim(low, high)


def _ends(values: NDArray[np.float64], label: str) -> tuple[float, float]:
    """Return the ends of an axis that holds nearly all values."""
    if not len(values):
        return 0.0, 1.0
    low, high = (float(end) for end in np.percentile(values, SHOWN_PERCENT))
    low = 0.0 if label.startswith("z") else low
    return (low, high) if high > low else (low - 0.5, high + 0.5)
