"""Label efficiency: how the error falls with the number of labelled galaxies, a line a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from zladder.provenance.errors import BadInput
from zladder.report.methods import scores_on_test
from zladder.report.metric_words import FORMULAS, outlier_id
from zladder.report.split_words import split_words
from zladder.report.style import (
    CONTROL,
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
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zladder.report.methods import Roles

    Ladder = Mapping[str, Mapping[str, Any]]

WIDTH_IN = 12.0
ROW_IN = 4.1
DODGE = 1.035  # factor between neighbouring lines along the logarithmic axis: bars stay apart
ROOM_RIGHT = 0.24  # of the decades between the rungs: for the names at the lines' ends
ROOM_LEFT = 1.35
HOW_TO_READ = (
    "bars: 95 % of bootstrap resamples of the test galaxies; neighbouring lines are drawn a little "
    "apart · dashed: the ordinary tool that was best on validation, with all labels · the draws "
    "are nested and alike in redshift, one a seed: fewer labels are a part of more · probes "
    "(penalty) and networks on magnitudes (best epoch) use validation labels too, which are not "
    "counted; networks on images use none, and see the same number of images at every rung"
)
LOGARITHMIC = 2.5  # ratio of the largest to the smallest value beyond which the axis is


def count_labels(dataset: pd.DataFrame, fraction: float) -> int:
    """Return how many labelled training galaxies a label fraction keeps: the nested draw's rows."""
    training = dataset[(dataset["split"] == "train") & dataset["z_true"].notna()]
    return int((training["fraction_rank"] < fraction).sum())


def label_points(
    scores: pd.DataFrame, ladder: Ladder, dataset: pd.DataFrame, test_set: str, metric: str
) -> pd.DataFrame:
    """Return ``base n_labels value lo95 hi95``, one row a rung, by number of labels.

    Parameters
    ----------
    scores
        The study's table.
    ladder
        {method: ``base``, ``fraction``}: which methods are one method on other numbers of labels.
    dataset
        The galaxies that they trained on: ``split z_true fraction_rank``.
    test_set, metric
        Which rows of the test split.

    Raises
    ------
    BadInput
        If a method of the ladder has no score.
    """
    rows = []
    for method, rung in ladder.items():
        found = scores_on_test(scores, test_set, method)
        if metric not in found.index:
            known = ", ".join(dict.fromkeys(scores["method"]))
            raise BadInput("the scores", f"{test_set}, {metric}", f"a row of {method}", known,
                           "score the study again")  # fmt: skip
        n_labels = count_labels(dataset, float(rung["fraction"]))
        row = {"base": rung["base"], "n_labels": n_labels}
        rows.append(row | found.loc[metric, ["value", "lo95", "hi95"]].to_dict())
    return pd.DataFrame(rows).sort_values("n_labels", kind="stable", ignore_index=True)


@styled
def draw_labels(
    scores: pd.DataFrame, roles: Roles, dataset: pd.DataFrame, about: Mapping[str, Any]
) -> Figure:
    """Return a figure with one row a test set: sigma_nmad and the outlier fraction.

    Parameters
    ----------
    scores, roles
        Of the study.
    dataset
        The galaxies that the rungs trained on.
    about
        ``title``, ``convention``, ``ladder``.
    """
    metrics = ("sigma_nmad", outlier_id(about["convention"]))
    figure = new_figure(WIDTH_IN, ROW_IN * len(roles.datasets) + 0.8)
    headline(figure, f"{about['title']}: what a label is worth")
    footline(figure, HOW_TO_READ)
    rows = figure.subfigures(len(roles.datasets), 1, squeeze=False)[:, 0]
    for part, test_set in zip(rows, roles.datasets, strict=True):
        n_test = int(scores_on_test(scores, test_set, roles.networks[0])["n_used"].max())
        words = split_words(scores, test_set)
        headline(part, f"{test_set} · {n_test:,} test galaxies{words}", size=9.5)
        for axes, metric in zip(part.subplots(1, len(metrics)), metrics, strict=True):
            points = label_points(scores, about["ladder"], dataset, test_set, metric)
            peer = roles.peer[test_set]
            level = float(scores_on_test(scores, test_set, peer).loc[metric, "value"])
            _panel(axes, points, metric, (peer, level))
    return figure


def _panel(axes: Axes, points: pd.DataFrame, metric: str, peer: tuple[str, float]) -> None:
    """Draw one metric against the number of labels."""
    bases = list(dict.fromkeys(points["base"]))
    counts = sorted(set(points["n_labels"]))
    light_grid(axes, "y")
    axes.set_xscale("log")
    ends = {}
    for place, base in enumerate(bases):
        line = points[points["base"] == base]
        x = line["n_labels"].to_numpy() * DODGE ** (place - (len(bases) - 1) / 2)
        _line(axes, x, line, look_of(base, bases))
        ends[base] = (float(x[-1]), float(line["value"].iloc[-1]), look_of(base, bases)["color"])
    left, right = min(counts) / ROOM_LEFT, max(counts) * DODGE ** (len(bases) / 2)
    axes.plot([left, right], [peer[1]] * 2, color=CONTROL, linewidth=1.0, ls=(0, (5, 3)), zorder=1)
    ends[peer[0]] = (right, peer[1], CONTROL)
    span = max(max(counts) / min(counts), 10.0)
    axes.set_xlim(left, right * span**ROOM_RIGHT)
    _scale(axes, points["value"])
    _names(axes, ends, right)
    axes.set_xticks(counts, [f"{n:,}" for n in counts])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.set(xlabel="labelled training galaxies")
    axes.set_title(metric, fontweight="bold", pad=15)
    axes.text(0, 1.015, FORMULAS[metric], transform=axes.transAxes, fontsize=7, color=SOFT)


def _scale(axes: Axes, values: pd.Series) -> None:
    """Make the axis logarithmic where a weak method would press the others together."""
    low, high = float(values.min()), float(values.max())
    plain = FuncFormatter(lambda value, _place: f"{value:g}")
    if low > 0 and high > LOGARITHMIC * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(plain)


def _line(axes: Axes, x: np.ndarray, line: pd.DataFrame, look: Mapping[str, str]) -> None:
    """Draw one method: its rungs joined, with their intervals."""
    value = line["value"].to_numpy()
    below, above = value - line["lo95"].to_numpy(), line["hi95"].to_numpy() - value
    bars = np.nan_to_num(np.maximum([below, above], 0))
    axes.errorbar(x, value, bars, color=look["color"], marker=look["marker"], markersize=5.5,
                  mec="white", mew=0.7, linewidth=1.6, elinewidth=1.0, zorder=3)  # fmt: skip


def _names(axes: Axes, ends: Mapping[str, tuple[float, float, str]], right: float) -> None:
    """Write each name at the end of its line, pushed apart where lines end close together."""
    way, back = (np.log, np.exp) if axes.get_yscale() == "log" else (np.array, np.array)
    low, high = way(axes.get_ylim())
    step = 0.055 * (high - low)
    moved = apart(list(way([end[1] for end in ends.values()])), step)
    ends_y = back([min(low, min(moved) - step), max(high, max(moved) + step)])
    axes.set_ylim(float(ends_y[0]), float(ends_y[1]))
    heights = back(moved)
    for (name, (x, y, colour)), height in zip(ends.items(), heights, strict=True):
        axes.annotate(
            name, (x, y), (right * 1.13, height), color=colour, fontsize=8, va="center",
            textcoords="data", fontweight="bold" if colour != CONTROL else None,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0,
                        "shrinkB": 3, "alpha": 0.6},
        )  # fmt: skip
