"""Mode collapse: the redshifts that a method gives beside the true ones, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from zladder.provenance.errors import BadInput
from zladder.report.methods import first_seed_files
from zladder.report.numerals import MINUS
from zladder.report.split_words import split_words
from zladder.report.style import (
    INK,
    SOFT,
    apart,
    footline,
    headline,
    light_grid,
    look_of,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRUTH_COLOUR = "#c9d1d9"
FLOOR_COLOUR = "#eceff2"
WIDTH_IN = 13.0
ROW_IN = 1.95
MOST_COLUMNS = 3
READING = (
    "left: grey, the true redshifts; in colour the estimates (mode of the PDF), first seed · "
    "right: total variation = half the summed difference of the two histograms, in the bins of the "
    "metric; the grey band is what sampling alone would give at the same number of galaxies · "
    "bars: 95 % of bootstrap resamples · best: low and at 0"
)
SHOWN_SHARE = 0.997  # of z_true lies inside the frame
GALAXIES_PER_BIN = 18  # on average: a bin's sampling noise stays below a quarter of it
BINS = (24, 90)


@dataclass(frozen=True)
class Estimates:
    """Redshifts of the test galaxies: `z_true` (N,) and, a method, `z_phot` (N,), float64."""

    z_true: np.ndarray
    z_phot: dict[str, np.ndarray]


def read_estimates(predictions: Sequence[Path], methods: Sequence[str]) -> Estimates:
    """Return the test galaxies of the methods, first seed, first test set.

    The estimate is the mode of the PDF, as Lin et al. 2022 judge it; z_phot where there is no PDF.

    Raises
    ------
    BadInput
        If a method has no prediction file.
    """
    files = first_seed_files(predictions)
    found: dict[str, np.ndarray] = {}
    for method in methods:
        if method not in files:
            raise BadInput("the predictions", "their names", f"a run of {method}",
                           ", ".join(files), "predict the study's runs again")  # fmt: skip
        table = pd.read_parquet(files[method])
        tested = table[(table["split"] == "test") & (table["dataset"] == table["dataset"].iloc[0])]
        estimate = "z_mode" if "z_mode" in tested else "z_phot"
        found[method] = tested[estimate].to_numpy(dtype=np.float64)
        z_true = tested["z_true"].to_numpy(dtype=np.float64)
    return Estimates(z_true, found)


@styled
def draw_collapse(
    collapse: pd.DataFrame, estimates: Estimates, networks: Sequence[str], title: str
) -> Figure:
    """Return the figure: a panel of histograms a method, and all methods in one plane.

    Parameters
    ----------
    collapse
        ``dataset method quantity value lo95 hi95``; shown are ``tv``, ``tv_floor``, ``slope_zs``
        of the first test set.
    estimates
        Of the methods that are shown.
    networks
        Which of them are coloured; the others are ordinary tools.
    title
        Of the study.
    """
    first = collapse[collapse["dataset"] == collapse["dataset"].iloc[0]]
    cells = first.set_index(["quantity", "method"])[["value", "lo95", "hi95"]]
    methods = list(estimates.z_phot)
    columns = min(MOST_COLUMNS, len(methods))
    rows = -(-len(methods) // columns)
    figure = new_figure(WIDTH_IN, max(ROW_IN * rows, 4.2) + 0.85)
    headline(figure, f"{title}: the distribution of the estimates, and the pull of each class")
    tested = first["dataset"].iloc[0]
    footline(figure, f"test galaxies of {tested}{split_words(first, tested)} · {READING}")
    left, right = figure.subfigures(1, 2, width_ratios=(1.75, 1), wspace=0.02, squeeze=False)[0]
    grid = left.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    edges = _edges(estimates.z_true)
    for axes, method in zip(grid, methods, strict=False):
        tv = float(cells.loc[("tv", method), "value"])
        _histograms(axes, estimates, method, edges, look_of(method, networks)["color"], tv)
    for axes in grid[len(methods) :]:
        axes.set_axis_off()
    for axes in grid[max(len(methods) - columns, 0) : len(methods)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("redshift")
    left.supylabel("galaxies per bin", fontsize=8.5)
    _plane(right.subplots(), cells, methods, networks)
    return figure


def _edges(z_true: np.ndarray) -> list[float]:
    """Return edges of bins that hold a fair number of galaxies each."""
    n_bins = int(np.clip(len(z_true) // GALAXIES_PER_BIN, *BINS))
    end = float(np.quantile(z_true, SHOWN_SHARE)) * 1.03
    return [float(edge) for edge in np.linspace(0, end, n_bins + 1)]


def _histograms(
    axes: Axes, estimates: Estimates, method: str, edges: list[float], colour: str, tv: float
) -> None:
    """Draw n(z_phot) of one method over n(z_true)."""
    z_phot = estimates.z_phot[method]
    axes.hist(estimates.z_true, bins=edges, color=TRUTH_COLOUR, zorder=1)
    axes.hist(z_phot, bins=edges, histtype="stepfilled", color=colour, alpha=0.18, zorder=2)
    axes.hist(z_phot, bins=edges, histtype="step", color=colour, linewidth=1.0, zorder=3)
    outside = int((~((z_phot >= edges[0]) & (z_phot <= edges[-1]))).sum())
    note = f"TV {tv:.3f}" + (f" · outside {outside:,}" if outside else "")
    axes.set_title(method, fontweight="bold", color=colour)
    axes.text(0.98, 0.94, note, transform=axes.transAxes, ha="right", va="top", fontsize=7.5,
              color=SOFT)  # fmt: skip
    axes.set(xlim=(edges[0], edges[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(3))


def _plane(axes: Axes, cells: pd.DataFrame, methods: list[str], networks: Sequence[str]) -> None:
    """Draw total variation against the slope of the residuals, a point a method."""
    floor = cells.loc["tv_floor"].loc[methods]
    low, high = float(floor["lo95"].min()), float(floor["hi95"].max())
    axes.axhspan(low, high, color=FLOOR_COLOUR, zorder=0)
    axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
    light_grid(axes)
    for method in methods:
        slope, tv = cells.loc[("slope_zs", method)], cells.loc[("tv", method)]
        look = look_of(method, networks)
        axes.errorbar(
            slope["value"], tv["value"], xerr=_bars(slope), yerr=_bars(tv), markersize=8,
            mec="white", mew=0.9, elinewidth=1.1, zorder=3, **look,  # type: ignore[arg-type]
        )  # fmt: skip
    axes.set_ylim(0, None)
    axes.set(xlabel="slope_zs: slope of mean dz against z_true, z_true > 0.15",
             ylabel="TV, total variation of n(z_phot) and n(z_true)")  # fmt: skip
    axes.set_title("Mode collapse (up) and class-dependent residuals (aside)", color=INK)
    _names(axes, cells, methods, networks)
    axes.text(
        axes.get_xlim()[0], (low + high) / 2, "  floor", va="center", fontsize=7.5, color=SOFT
    )
    axes.xaxis.set_major_formatter(lambda value, _place: f"{value:g}".replace("-", MINUS))
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _bars(row: Any) -> list[list[float]]:
    """Return the lengths of the two bars of an interval; none where it is not defined."""
    lengths = np.maximum([row["value"] - row["lo95"], row["hi95"] - row["value"]], 0)
    return [[float(length)] for length in np.nan_to_num(lengths)]


def _names(axes: Axes, cells: pd.DataFrame, methods: list[str], networks: Sequence[str]) -> None:
    """Write each name at the right end of its point's bar, pushed apart where points are close."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    axes.set_xlim(left, right + 0.3 * (right - left))
    ends = [np.nanmax(cells.loc[("slope_zs", m), ["value", "hi95"]].to_numpy()) for m in methods]
    heights = apart([float(cells.loc[("tv", m), "value"]) for m in methods], 0.042 * (high - low))
    for method, end, height in zip(methods, ends, heights, strict=True):
        axes.annotate(
            method, (end, height), (5, 0), textcoords="offset points", fontsize=8, va="center",
            fontweight="bold", color=look_of(method, networks)["color"],
        )  # fmt: skip
