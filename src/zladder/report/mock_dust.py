"""The dust of the mock sky: maps of E(B-V), true and as listed, and its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm

from zladder.report.mock_truth import NO_ID
from zladder.report.style import (
    PALETTE,
    SOFT,
    footline,
    headline,
    light_grid,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DUST_COLOURS = "magma"
ERROR_COLOURS = "RdBu_r"
TICKS_MAG = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SHOWN_PERCENT = (0.5, 99.5)
N_BINS = 60
BELOW, ABOVE = 5, 95


@styled
def draw_dust(sheet: pd.DataFrame, truth: pd.DataFrame) -> Figure:
    """Return a figure of four panels: two maps, how far the list is off, the distribution.

    Parameters
    ----------
    sheet
        ``patch row column ra dec ebv_mag stored_ebv_mag``; patches ``main`` and ``close``.
    truth
        ``run camcol field ra dec``: where the imaging fields lie.
    """
    figure = new_figure(13.6, 4.35)
    headline(figure, "The dust of the Milky Way on the mock sky")
    footline(
        figure,
        "rings: the imaging fields of the SDSS-like survey · sampled at points: structure finer "
        "than the grid is seen in the close part alone · the listed E(B−V) is what catalogues and "
        "readers know, the true one dims the galaxies",
    )
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.15))
    main, close = (sheet[sheet["patch"] == name] for name in ("main", "close"))
    low, high = np.percentile(sheet["ebv_mag"], SHOWN_PERCENT)
    low = max(float(low), 1e-5)
    high = max(float(high), 1.01 * low)
    norm = LogNorm(low, high)
    for axis, patch, title in ((axes[0], main, "true, the main area"),
                               (axes[1], close, "true, a part of it")):  # fmt: skip
        bar = _map(axis, patch, "ebv_mag", norm, DUST_COLOURS, f"E(B−V): {title}")
        bar.set_label("E(B−V) (mag)")
        ticks = [tick for tick in TICKS_MAG if low <= tick <= high]
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.ax.minorticks_off()
    _fields(axes[0], truth)
    off = close.assign(off=100 * (close["stored_ebv_mag"] / close["ebv_mag"] - 1))
    limit = max(float(np.percentile(np.abs(off["off"]), 99)), 1e-3)
    bar = _map(axes[2], off, "off", (-limit, limit), ERROR_COLOURS, "the list's error there")
    bar.set_label("listed / true − 1 (%)")
    _distribution(axes[3], main)
    return figure


def _map(axes: Axes, patch: pd.DataFrame, column: str, norm: Any, colours: str, title: str) -> Any:
    """Draw one column of a patch, east to the left; return its colour bar."""
    shape = int(patch["row"].max()) + 1, int(patch["column"].max()) + 1
    values = np.full(shape, np.nan)
    values[patch["row"], patch["column"]] = patch[column]
    ends = [patch["ra"].min(), patch["ra"].max(), patch["dec"].min(), patch["dec"].max()]
    scale = {"norm": norm} if isinstance(norm, LogNorm) else {"vmin": norm[0], "vmax": norm[1]}
    image = axes.imshow(
        values, origin="lower", extent=tuple(ends), cmap=colours, aspect="auto",
        interpolation="nearest", **scale,
    )  # fmt: skip
    axes.set(xlabel="right ascension (deg)", ylabel="declination (deg)", title=title)
    axes.set_xlim(ends[1], ends[0])
    bar = axes.figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.02, fraction=0.06)
    bar.outline.set_visible(False)
    return bar


def _fields(axes: Axes, truth: pd.DataFrame) -> None:
    """Mark the imaging fields."""
    inside = truth[truth["field"] != NO_ID]
    middle = inside.groupby(["run", "camcol", "field"])[["ra", "dec"]].median()
    left, right = sorted(axes.get_xlim())
    ra = middle["ra"].to_numpy()
    ra = (ra - 0.5 * (left + right) + 180) % 360 - 180 + 0.5 * (left + right)
    axes.plot(ra, middle["dec"], "o", markersize=6, markerfacecolor="none",
              markeredgecolor="white", markeredgewidth=1.1)  # fmt: skip


def _distribution(axes: Axes, main: pd.DataFrame) -> None:
    """Draw the one-point distribution over equal areas of the sky, on a log scale."""
    light_grid(axes)
    weight = np.cos(np.radians(main["dec"].to_numpy()))
    true, stored = (main[name].to_numpy() for name in ("ebv_mag", "stored_ebv_mag"))
    known = stored > 0
    edges = np.geomspace(min(true.min(), stored[known].min()), true.max() * 1.05, N_BINS + 1)
    axes.hist(true, edges.tolist(), weights=weight / weight.sum(), color="#cbb3c9",
              label="true")  # fmt: skip
    axes.hist(stored[known], edges.tolist(), weights=(weight / weight.sum())[known],
              histtype="step", color=PALETTE[0], linewidth=1.3, label="listed")  # fmt: skip
    quantiles = weighted_quantiles(true, weight, np.array([BELOW, 50, ABOVE]) / 100)
    for value in quantiles:
        axes.axvline(value, color=SOFT, linewidth=0.8, linestyle=":")
    axes.set_title(f"median {quantiles[1]:.3f}, {BELOW} to {ABOVE} %: {quantiles[0]:.3f} to "
                   f"{quantiles[2]:.3f} mag")  # fmt: skip
    axes.set_xscale("log")
    ticks = [tick for tick in TICKS_MAG if edges[0] <= tick <= edges[-1]]
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="E(B−V) (mag), the main area", ylabel="share of the area per bin")
    axes.legend(loc="upper right")


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where the weighted share below reaches each level, shape (levels,)."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(levels, share / weights.sum(), values[order])
