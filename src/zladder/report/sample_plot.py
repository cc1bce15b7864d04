"""What a sample is made of: redshifts, magnitudes, colours; without labels, the light alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from zladder.report.metric_words import KIND_WORDS
from zladder.report.style import INK, count_bar, footline, headline, light_grid, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HISTOGRAM_COLOUR = "#7fa3bd"
MEDIAN_COLOUR = "#D55E00"
DENSITY_COLOURS = ("#c6d6c4", "#9dbf9a", "#4c9a78", "#1b6a63", "#0d2f3a")
CELLS_ACROSS = 52
SHOWN = (0.002, 0.998)  # quantiles of a colour or magnitude that the axis spans


@styled
def draw_sample(sample: pd.DataFrame, about: Mapping[str, object]) -> Figure:
    """Return a figure of three panels; without redshifts, against the magnitude instead.

    Parameters
    ----------
    sample
        ``mag_{band}`` (AB mag; inf not detected, NaN not observed), where it has labels ``z_true``
        and optional ``z_true_kind``; N rows.
    about
        ``sample`` (its name), ``bands`` (from blue to red), ``surveys`` (titles).
    """
    bands = list(about["bands"])  # type: ignore[call-overload]
    middle = len(bands) // 2
    blue, red = bands[max(middle - 1, 0)], bands[middle]
    reddest = bands[min(middle + 1, len(bands) - 1)]
    light = {band: sample[f"mag_{band}"].to_numpy(dtype=np.float64) for band in bands}
    figure = new_figure(11.5, 3.75)
    footline(figure, " · ".join(str(title) for title in about["surveys"]))  # type: ignore[attr-defined]
    axes = list(figure.subplots(1, 3, width_ratios=(1, 1.1, 1.1)))
    labelled = "z_true" in sample and bool(sample["z_true"].notna().any())
    words = f"redshifts {_kinds(sample)}" if labelled else "no redshifts: they carry no label"
    headline(figure, f"{about['sample']}: {len(sample):,} galaxies, {words}")
    magnitude, first = _Axis(f"mag_{red} (AB mag)", light[red]), _colour(light, blue, red)
    if labelled:
        z_true = _Axis("z_true", sample["z_true"].to_numpy(dtype=np.float64))
        _histogram(axes[0], z_true)
        _density(axes[1], z_true, magnitude, upside_down=True)
        _density(axes[2], z_true, first)
    else:
        _histogram(axes[0], magnitude)
        _density(axes[1], magnitude, first)
        _density(axes[2], first, _colour(light, red, reddest))
    return figure


class _Axis(NamedTuple):
    """What an axis shows: its label, and a value a galaxy, (N,)."""

    label: str
    values: np.ndarray


def _colour(light: Mapping[str, np.ndarray], blue: str, red: str) -> _Axis:
    return _Axis(f"mag_{blue} − mag_{red} (mag)", _difference(light[blue], light[red]))


def _difference(blue: np.ndarray, red: np.ndarray) -> np.ndarray:
    """Return a colour, NaN where a band has no measurement."""
    known = np.isfinite(blue) & np.isfinite(red)
    return np.where(known, np.where(known, blue, 0) - np.where(known, red, 0), np.nan)


def _histogram(axes: Axes, shown: _Axis) -> None:
    """Draw how many galaxies there are at each value, with the median."""
    light_grid(axes, "y")
    known = shown.values[np.isfinite(shown.values)]
    axes.set(xlabel=shown.label, ylabel="galaxies per bin")
    if not len(known):
        return
    axes.hist(known, bins=min(60, max(12, len(known) // 25)), color=HISTOGRAM_COLOUR,
              edgecolor="white", linewidth=0.3)  # fmt: skip
    median = float(np.median(known))
    axes.axvline(median, color=MEDIAN_COLOUR, linewidth=1.1)
    axes.annotate(
        f"median {median:.3g}", (median, 0.97), (4, 0), va="top", fontsize=7.5,
        color=MEDIAN_COLOUR, xycoords=axes.get_xaxis_transform(), textcoords="offset points",
        bbox={"fc": "white", "ec": "none", "pad": 1},
    )  # fmt: skip
    if shown.label == "z_true":
        axes.set_xlim(0, None)


def _density(axes: Axes, across: _Axis, up: _Axis, *, upside_down: bool = False) -> None:
    """Draw the density of galaxies; what has no value or lies outside the frame is counted."""
    x, y = across.values, up.values
    known = np.isfinite(x) & np.isfinite(y)
    axes.set(xlabel=across.label, ylabel=up.label)
    if not known.any():
        axes.set_title(f"not detected or observed: {(~known).sum():,}", fontsize=7, color=INK)
        return
    left, right = _ends(x[known], from_zero=across.label == "z_true")
    low, high = _ends(y[known], from_zero=False)
    inside = known & (x >= left) & (x <= right) & (y >= low) & (y <= high)
    colours = LinearSegmentedColormap.from_list("sample", DENSITY_COLOURS)
    image = axes.hexbin(
        x[inside], y[inside], gridsize=CELLS_ACROSS, mincnt=1, cmap=colours,
        norm=LogNorm(1, None), extent=(left, right, low, high), linewidths=0.1,
    )  # fmt: skip
    densest = max(float(np.max(image.get_array())), 2.0)  # type: ignore[arg-type]
    image.set_norm(LogNorm(1, densest))
    count_bar(axes.figure, image, axes, "galaxies per cell", pad=0.02, shrink=0.85)
    axes.set(xlim=(left, right), ylim=(high, low) if upside_down else (low, high))
    n_outside = int((known & ~inside).sum())
    note = f"outside the frame: {n_outside:,}\nnot detected or observed: {(~known).sum():,}"
    axes.set_title(note, fontsize=7, color=INK, linespacing=1.3)


def _ends(values: np.ndarray, *, from_zero: bool) -> tuple[float, float]:
    """Return the ends of an axis that holds nearly all of the values."""
    low, high = (float(end) for end in np.quantile(values, SHOWN))
    low = 0.0 if from_zero else low
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _kinds(sample: pd.DataFrame) -> str:
    """Return how the redshifts were measured."""
    if "z_true_kind" not in sample:
        return "of a kind not stated"
    kinds = [str(kind) for kind in sample["z_true_kind"].unique()]
    return " and ".join(KIND_WORDS.get(kind, kind) for kind in kinds)
