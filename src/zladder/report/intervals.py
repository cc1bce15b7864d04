"""Dots with their 68 and 95 % intervals: every method of a study, metric by metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.report.methods import Roles, ordered_methods
from zladder.report.metric_words import FORMULAS, SIGNED, outlier_id
from zladder.report.numerals import decimals_for, fixed
from zladder.report.split_words import split_words
from zladder.report.style import (
    CHOSEN_MARK,
    CHOSEN_NOTE,
    CONTROL,
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
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK_COLOUR = PALETTE[0]
WIDTH_IN = 12.0
LINE_IN = 0.2
WIDE, NARROW = 3.4, 1.1  # widths of the 68 and the 95 % line in points
ROOM = 1.12  # of the axis beyond the widest interval that sets it


@styled
def draw_intervals(scores: pd.DataFrame, roles: Roles, convention: str, title: str) -> Figure:
    """Return a figure with one row a dataset and one panel a metric, test split."""
    order = ordered_methods(scores, roles.datasets[0])
    row_in = LINE_IN * len(order) + 1.0
    figure = new_figure(WIDTH_IN, row_in * len(roles.datasets) + 0.8)
    headline(figure, f"{title}: every method, with intervals")
    note = "thick: 68 %, thin: 95 % of bootstrap resamples of the test galaxies"
    known = " · black: knows the simulated population, no method" if roles.oracles else ""
    order_note = "ordered by sigma_nmad on the validation galaxies of the first set"
    arrow = "▶ beyond the axis"
    footline(
        figure,
        f"{note} · blue: networks, grey: controls{known} · {CHOSEN_NOTE} · {arrow} · {order_note}",
    )
    metrics = ("sigma_nmad", outlier_id(convention), "bias_mean")
    rows = figure.subfigures(len(roles.datasets), 1, squeeze=False)[:, 0]
    for part, dataset in zip(rows, roles.datasets, strict=True):
        test = scores[(scores["dataset"] == dataset) & (scores["split"] == "test")]
        words = f"{dataset} · {int(test['n_used'].max()):,} galaxies{split_words(scores, dataset)}"
        headline(part, words, size=9.5)
        for axes, metric in zip(part.subplots(1, 3, sharey=True), metrics, strict=True):
            found = test[test["metric"] == metric].set_index("method").loc[order]
            _panel(axes, found, metric, roles, dataset)
    return figure


def _panel(axes: Axes, found: pd.DataFrame, metric: str, roles: Roles, dataset: str) -> None:
    """Draw one metric: a line a method, its number at the right."""
    low, high = _axis_ends(found, roles.shown(dataset), signed=metric in SIGNED)
    light_grid(axes, "x")
    if metric in SIGNED:
        axes.axvline(0, color=SOFT, linewidth=0.8)
    chosen = found.loc[roles.chosen[dataset]]
    decimals = decimals_for(chosen["lo95"], chosen["hi95"])
    for place, (method, row) in enumerate(found.iterrows()):
        colour = NETWORK_COLOUR if method in roles.networks else CONTROL
        colour = INK if method in roles.oracles else colour
        _line(axes, place, row, colour, (low, high))
        axes.text(
            1.02, place, _number(row["value"], decimals, signed=metric in SIGNED), color=colour,
            fontsize=7.5, va="center", transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    axes.set_title(metric, fontweight="bold", pad=12)
    axes.text(0, 1.015, FORMULAS[metric], transform=axes.transAxes, fontsize=7, color=SOFT)
    axes.set(xlim=(low, high), ylim=(len(found) - 0.4, -0.6))
    marks = [
        f"{name} {CHOSEN_MARK}" if name == roles.chosen[dataset] else name for name in found.index
    ]
    axes.set_yticks(range(len(found)), marks)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)


def _line(axes: Axes, place: int, row: Any, colour: str, ends: tuple[float, float]) -> None:
    """Draw dot and intervals of one method, or an arrow where it lies beyond the axis."""
    if not np.isfinite(row["value"]):
        return
    if not ends[0] <= row["value"] <= ends[1]:
        at, arrow = (ends[1], ">") if row["value"] > ends[1] else (ends[0], "<")
        axes.plot(at, place, marker=arrow, color=colour, markersize=5, clip_on=False)
        return
    axes.hlines(place, row["lo95"], row["hi95"], color=colour, linewidth=NARROW)
    axes.hlines(place, row["lo68"], row["hi68"], color=colour, linewidth=WIDE)
    axes.plot(row["value"], place, marker="o", color=colour, mec="white", mew=0.8, markersize=5.5)


def _axis_ends(found: pd.DataFrame, shown: list[str], *, signed: bool) -> tuple[float, float]:
    """Return the ends of an axis that suits the networks and the best ordinary tool."""
    able = found.loc[[name for name in found.index if name in shown]]
    if signed:
        reach = float(np.nanmax(np.abs(able[["lo95", "hi95", "value"]].to_numpy()))) * ROOM
        return (-reach, reach) if reach > 0 else (-1.0, 1.0)
    ends = able[["lo95", "hi95", "value"]].to_numpy()
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    margin = (high - low) * (ROOM - 1) or max(high, 0.01)
    return max(low - margin, 0.0), high + margin


def _number(value: float, decimals: int, *, signed: bool) -> str:
    return fixed(value, decimals, signed=signed) if np.isfinite(value) else "–"
