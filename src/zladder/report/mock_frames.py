"""Noise, PSF and depth of the mock sky's frames as measured, beside what went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from zladder.config.names import BAND_ORDER
from zladder.report.style import (
    MARKERS,
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

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOLERANCE = 0.02
MOST_RATIO = 0.06  # either way; what lies beyond is drawn at the edge
PAIRS = (
    ("sky_sigma_nmgy", "sky_sigma_measured_nmgy", "noise of a sky pixel (nmgy)"),
    ("psf_fwhm_arcsec", "psf_fwhm_measured_arcsec", "FWHM of the seeing (arcsec)"),
)


@styled
def draw_frames(measured: pd.DataFrame, depth_mag: Mapping[str, float]) -> Figure:
    """Return a figure: noise and PSF against what went in, and the depth of each band.

    Parameters
    ----------
    measured
        As `frame_check.check_frames` returns it.
    depth_mag
        {band: 5-sigma depth of a star that the settings ask for, AB mag}.
    """
    figure = new_figure(11.8, 4.7)
    fields = len(measured[["run", "camcol", "field"]].drop_duplicates())
    stars = int(measured["n_stars"].sum())
    headline(figure, f"Measured back from the frames: {fields} fields, {stars:,} stars")
    footline(
        figure,
        "noise: MAD of the emptiest tenth of the sky · FWHM: Moffat profiles on pixels fitted to "
        "lonely stars that are not full, median of a frame · depth: from both, for a star and an "
        f"optimal estimate · shade: ±{TOLERANCE:.0%}",
    )
    grid = figure.subplots(2, 3, height_ratios=(2.4, 1), width_ratios=(1, 1, 1.05))
    bands = sorted(measured["band"].unique(), key=BAND_ORDER.index)
    for place, names in enumerate(PAIRS):
        _pair(grid[:, place], measured, bands, names)
    handles = [Line2D([], [], color=PALETTE[i], marker=MARKERS[i], ls="", markersize=5, label=band)
               for i, band in enumerate(bands)]  # fmt: skip
    grid[0, 0].legend(handles=handles, loc="upper left", ncols=3, columnspacing=0.8,
                      handletextpad=0.2)  # fmt: skip
    _depth(grid[:, 2], measured, bands, depth_mag)
    return figure


def _pair(
    axes: np.ndarray, measured: pd.DataFrame, bands: list[str], names: tuple[str, str, str]
) -> None:
    """Draw measured against injected, and their ratio below."""
    injected, found, label = names
    top, below = axes
    below.sharex(top)
    light_grid(top)
    light_grid(below)
    for index, band in enumerate(bands):
        rows = measured[measured["band"] == band]
        x, y = rows[injected].to_numpy(), rows[found].to_numpy()
        look = {"color": PALETTE[index], "marker": MARKERS[index], "ls": "", "markersize": 5,
                "alpha": 0.85, "markeredgecolor": "white", "markeredgewidth": 0.4}  # fmt: skip
        top.plot(x, y, **look)
        below.plot(x, np.clip(y / x - 1, -MOST_RATIO, MOST_RATIO), **look)
    low, high = measured[injected].min(), measured[injected].max()
    ends = np.array([low * 0.96, high * 1.04])
    if injected.startswith("sky"):
        _plain_log(top, ends)
    top.plot(ends, ends, color=SOFT, linewidth=0.9, zorder=1)
    top.set(ylabel=f"measured: {label}")
    top.tick_params(labelbottom=False)
    below.axhspan(-TOLERANCE, TOLERANCE, color="#e3e8ec", zorder=0)
    below.axhline(0, color=SOFT, linewidth=0.9)
    below.set(xlabel=f"put in: {label}", ylabel="ratio − 1", ylim=(-MOST_RATIO, MOST_RATIO))


def _plain_log(axes: Axes, ends: np.ndarray) -> None:
    """Make both axes logarithmic, with plain numbers at their ticks."""
    axes.set(xscale="log", yscale="log")
    steps = [digit * 10.0**power for power in range(-6, 4) for digit in (1, 2, 5)]
    ticks = [step for step in steps if ends[0] <= step <= ends[1]]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        axis.set_minor_locator(NullLocator())


def _depth(
    axes: np.ndarray, measured: pd.DataFrame, bands: list[str], depth_mag: Mapping[str, float]
) -> None:
    """Draw the depth of each band beside the setting, which is that of the median night."""
    top, below = axes
    light_grid(top, "y")
    light_grid(below, "y")
    for index, band in enumerate(bands):
        rows = measured[measured["band"] == band]
        depth = rows["depth_measured_mag"].to_numpy()
        spread = index + 0.3 * (np.linspace(0, 1, len(depth)) - 0.5) if len(depth) > 1 else [index]
        look = {"color": PALETTE[index], "marker": MARKERS[index], "ls": "", "markersize": 5,
                "alpha": 0.85, "markeredgecolor": "white", "markeredgewidth": 0.4}  # fmt: skip
        top.plot(spread, depth, **look)
        top.plot([index - 0.36, index + 0.36], [depth_mag[band]] * 2, color=SOFT, linewidth=1.4)
        below.plot(spread, depth - depth_mag[band], **look)
    below.axhline(0, color=SOFT, linewidth=0.9)
    known = measured["depth_measured_mag"] - measured["band"].map(dict(depth_mag))
    limit = max(0.12, 1.15 * float(np.nanmax(np.abs(known)))) if known.notna().any() else 0.12
    below.set(ylabel="minus setting (mag)", xlabel="band", ylim=(-limit, limit))
    top.set(ylabel="5σ depth of a star (AB mag)")
    top.set_title("line: the setting, for the median night", fontsize=8)
    for axis in axes:
        axis.set_xticks(range(len(bands)), labels=bands)
        axis.set_xlim(-0.6, len(bands) - 0.4)
    top.tick_params(labelbottom=False)
