"""What a sample is made of: n(z), and a magnitude and a colour against redshift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

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
KIND_WORDS = {"spec": "spectroscopic", "photo": "many-band photometric", "mock": "the mock's own"}


@styled
def draw_sample(sample: pd.DataFrame, about: Mapping[str, object]) -> Figure:
    """Return a figure of three panels.

    Parameters
    ----------
    sample
        ``z_true``, ``mag_{band}`` (AB mag; inf not detected, NaN not observed), optional
        ``z_true_kind``; N rows.
    about
        ``sample`` (its name), ``bands`` (from blue to red), ``surveys`` (titles).
    """
    bands = list(about["bands"])  # type: ignore[call-overload]
    middle = len(bands) // 2
    blue, red = bands[max(middle - 1, 0)], bands[middle]
    magnitude = sample[f"mag_{red}"].to_numpy(dtype=np.float64)
    colour = _difference(sample[f"mag_{blue}"].to_numpy(dtype=np.float64), magnitude)
    z_true = sample["z_true"].to_numpy(dtype=np.float64)
    figure = new_figure(11.5, 3.75)
    headline(figure, f"{about['sample']}: {len(sample):,} galaxies, redshifts {_kinds(sample)}")
    footline(figure, " · ".join(str(title) for title in about["surveys"]))  # type: ignore[attr-defined]
    axes = figure.subplots(1, 3, width_ratios=(1, 1.1, 1.1))
    _histogram(axes[0], z_true)
    _against_redshift(axes[1], z_true, magnitude, f"mag_{red} (AB mag)", upside_down=True)
    _against_redshift(axes[2], z_true, colour, f"mag_{blue} − mag_{red} (mag)", upside_down=False)
    return figure


def _difference(blue: np.ndarray, red: np.ndarray) -> np.ndarray:
    """Return a colour, NaN where a band has no measurement."""
    known = np.isfinite(blue) & np.isfinite(red)
    return np.where(known, np.where(known, blue, 0) - np.where(known, red, 0), np.nan)


def _histogram(axes: Axes, z_true: np.ndarray) -> None:
    light_grid(axes, "y")
    known = z_true[np.isfinite(z_true)]
    axes.hist(known, bins=min(60, max(12, len(known) // 25)), color=HISTOGRAM_COLOUR,
              edgecolor="white", linewidth=0.3)  # fmt: skip
    median = float(np.median(known))
    axes.axvline(median, color=MEDIAN_COLOUR, linewidth=1.1)
    axes.annotate(
        f"median {median:.3g}", (median, 0.97), (4, 0), va="top", fontsize=7.5,
        color=MEDIAN_COLOUR, xycoords=axes.get_xaxis_transform(), textcoords="offset points",
        bbox={"fc": "white", "ec": "none", "pad": 1},
    )  # fmt: skip
    axes.set(xlabel="z_true", ylabel="galaxies per bin", xlim=(0, None))


def _against_redshift(
    axes: Axes, z_true: np.ndarray, y: np.ndarray, label: str, *, upside_down: bool
) -> None:
    """Draw the density of galaxies; what has no value or lies outside the frame is counted."""
    known = np.isfinite(z_true) & np.isfinite(y)
    axes.set(xlabel="z_true", ylabel=label)
    if known.any():
        low, high = np.quantile(y[known], SHOWN)
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        right = float(np.quantile(z_true[known], SHOWN[1]))
        inside = known & (y >= low) & (y <= high) & (z_true <= right)
        colours = LinearSegmentedColormap.from_list("sample", DENSITY_COLOURS)
        image = axes.hexbin(
            z_true[inside], y[inside], gridsize=CELLS_ACROSS, mincnt=1, cmap=colours,
            norm=LogNorm(1, None), extent=(0, right, low, high), linewidths=0.1,
        )  # fmt: skip
        densest = max(float(np.max(image.get_array())), 2.0)  # type: ignore[arg-type]
        image.set_norm(LogNorm(1, densest))
        count_bar(axes.figure, image, axes, "galaxies per cell", pad=0.02, shrink=0.85)
        axes.set(xlim=(0, right), ylim=(high, low) if upside_down else (low, high))
        n_outside = int((known & ~inside).sum())
        note = f"outside the frame: {n_outside:,}\nnot detected or observed: {(~known).sum():,}"
        axes.set_title(note, fontsize=7, color=INK, linespacing=1.3)


def _kinds(sample: pd.DataFrame) -> str:
    """Return how the redshifts were measured."""
    if "z_true_kind" not in sample:
        return "of a kind not stated"
    kinds = [str(kind) for kind in sample["z_true_kind"].unique()]
    return " and ".join(KIND_WORDS.get(kind, kind) for kind in kinds)
