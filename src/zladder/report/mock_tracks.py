"""Colours against redshift: the galaxies of the mock sky, and the middle of each type."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.config.names import BAND_ORDER
from zladder.report.mock_truth import NO_ID, TYPE_COLOURS, TYPES, nearest_type
from zladder.report.style import SOFT, footline, headline, light_grid, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

ID_OF = {"sdss": "objID", "hsc": "object_id"}  # a survey's listed objects have one
TITLES = {"sdss": "SDSS-like", "hsc": "HSC-like"}
MOST_COLUMNS = 4
MOST_POINTS = 4000
N_BINS = 24
LEAST_GALAXIES = 5  # of a type in a bin: fewer make no median
SHOWN_PERCENT = (0.5, 99.5)


def surveys_of(truth: pd.DataFrame) -> dict[str, list[str]]:
    """Return {survey: its bands from blue to red} of the true magnitudes in a table."""
    found: dict[str, list[str]] = {}
    for name in truth.columns:
        match = re.fullmatch(r"mag_(\w+)_(\w)", name)
        if match and match[1] in ID_OF:
            found.setdefault(match[1], []).append(match[2])
    return {name: sorted(found[name], key=BAND_ORDER.index) for name in ID_OF if name in found}


def tracks(z: NDArray[np.float64], colour: NDArray[np.float64], kind: NDArray[np.int64],
           edges: NDArray[np.float64]) -> dict[int, tuple[NDArray[np.float64], ...]]:  # fmt: skip
    """Return {type: (z, median, 16 %, 84 %)} in the bins that hold enough of its galaxies.

    Parameters
    ----------
    z, colour, kind
        Shape (N,): redshift, mag, index of the type (-1: none).
    edges
        Of the bins, shape (bins + 1,), each [a, b).
    """
    place = np.digitize(z, edges) - 1
    found = {}
    for one in range(len(TYPES)):
        rows = []
        for index in range(len(edges) - 1):
            inside = (kind == one) & (place == index) & np.isfinite(colour)
            if inside.sum() >= LEAST_GALAXIES:
                rows.append([np.median(z[inside]), *np.percentile(colour[inside], [50, 16, 84])])
        if rows:
            found[one] = tuple(np.array(rows).T)
    return found


@styled
def draw_tracks(truth: pd.DataFrame) -> Figure:
    """Return a figure with a row a survey and a panel a colour.

    Parameters
    ----------
    truth
        ``z_true is_star contaminant sed_type objID object_id mag_{survey}_{band}``: magnitudes as
        they are without noise and without the dust of the Milky Way.
    """
    surveys = surveys_of(truth)
    figure = new_figure(12.2, 3.0 * len(surveys) + 1.0)
    headline(figure, "Colours against redshift, by type")
    footline(
        figure,
        "points: listed galaxies, their true colours without noise and Milky-Way dust · lines: the "
        "median of those nearest to each type; shade: 16 to 84 % · types: Coleman, Wu & Weedman "
        "1980 as GalSim ships them, galaxies lie anywhere between",
    )
    rows = figure.subfigures(len(surveys), 1, squeeze=False)[:, 0]
    for part, (survey, bands) in zip(rows, surveys.items(), strict=True):
        # stars and artefacts have no redshift; a duplicate is a galaxy that stands there already
        rows = (truth[ID_OF[survey]] != NO_ID) & (truth["contaminant"] != "duplicate")
        listed = truth[rows & np.isfinite(truth["z_true"].to_numpy())]
        headline(part, f"{TITLES[survey]} · {len(listed):,} galaxies", size=9.5)
        axes = part.subplots(1, MOST_COLUMNS, squeeze=False)[0]
        pairs = list(pairwise(bands))[:MOST_COLUMNS]
        _row(axes, listed, survey, pairs)
        for axis in axes[len(pairs) :]:
            axis.set_axis_off()
    return figure


def _row(
    axes: Sequence[Axes], listed: pd.DataFrame, survey: str, pairs: Sequence[tuple[str, str]]
) -> None:
    """Draw the colours of one survey."""
    z = listed["z_true"].to_numpy(dtype=np.float64)
    kind = nearest_type(listed["sed_type"].to_numpy(dtype=np.float64))
    edges = _edges(z)
    for axis, (blue, red) in zip(axes, pairs, strict=False):
        names = (f"mag_{survey}_{blue}", f"mag_{survey}_{red}")
        colour = np.subtract(*(listed[name].to_numpy(dtype=np.float64) for name in names))
        light_grid(axis)
        axis.set(xlabel="z_true", ylabel=f"{blue} − {red} (mag)", xlim=(0, edges[-1]))
        _points(axis, z, colour, kind)
        _lines(axis, tracks(z, colour, kind, edges))
        if np.isfinite(colour).sum() > 1:
            low, high = np.nanpercentile(colour, SHOWN_PERCENT)
            axis.set_ylim(low - 0.15, high + 0.15)
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(loc="best", ncols=2, fontsize=7, handlelength=1.4, columnspacing=0.9)


def _edges(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return bins of equal width that hold nearly all galaxies."""
    top = float(np.percentile(z, SHOWN_PERCENT[1])) if len(z) else 1.0
    return np.linspace(0.0, max(top, 1e-3), N_BINS + 1)


def _points(
    axis: Axes, z: NDArray[np.float64], colour: NDArray[np.float64], kind: NDArray[np.int64]
) -> None:
    step = max(1, len(z) // MOST_POINTS)
    for one, tint in enumerate(TYPE_COLOURS):
        rows = np.flatnonzero(kind == one)[::step]
        axis.plot(z[rows], colour[rows], ".", color=tint, alpha=0.3, markersize=1.6,
                  markeredgewidth=0)  # fmt: skip


def _lines(axis: Axes, found: Mapping[int, tuple[NDArray[np.float64], ...]]) -> None:
    for one, (z, middle, low, high) in found.items():
        axis.fill_between(z, low, high, color=TYPE_COLOURS[one], alpha=0.15, linewidth=0)
        axis.plot(z, middle, color="white", linewidth=2.6)
        lone = "o" if len(z) == 1 else None  # a line of one point would not be seen
        axis.plot(z, middle, color=TYPE_COLOURS[one], linewidth=1.5, label=TYPES[one], marker=lone,
                  markersize=3.5)  # fmt: skip
    if not found:
        axis.text(0.5, 0.5, "too few galaxies", transform=axis.transAxes, ha="center", color=SOFT)
