"""Mean residuals against z_true and against z_phot, side by side: two biases, never both flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.report.methods import Roles
from zladder.report.numerals import MINUS, decimals_for, fixed
from zladder.report.style import (
    CHOSEN_MARK,
    CHOSEN_NOTE,
    INK,
    footline,
    headline,
    light_grid,
    look_of,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLOPE_IDS = {"z_true": "slope_zs", "z_phot": "slope_zp"}
WIDTH_IN = 12.0
ROW_IN = 2.75
MARKER_SIZE = 3.6
BAR_WIDTH = 0.8
ENOUGH_BINS = 12  # full ones, all methods together, to set the axis without the others
MOST_BINS = 0.9
HEADROOM = 1.35  # of the y axis above the largest value that counts


@styled
def draw_residuals(curves: pd.DataFrame, roles: Roles, title: str) -> Figure:
    """Return a figure with one row a dataset: the residual against z_true, and against z_phot.

    Parameters
    ----------
    curves
        ``dataset method against lo hi x n value err hollow slope slope_err``.
    roles
        Shown are the networks and the ordinary tool that was best on validation.
    title
        Of the study.
    """
    figure = new_figure(WIDTH_IN, len(roles.datasets) * ROW_IN + 0.75)
    headline(figure, f"{title}: mean residual, dz = (z_phot {MINUS} z_true) / (1 + z_true)")
    hollow = "hollow: fewer than 30 galaxies, not fitted"
    dash = "–: fewer than two full bins, no slope"
    note = f"{hollow} · △▽ beyond the axis · {dash} · {CHOSEN_NOTE} · first seed{roles.left_out}"
    footline(figure, f"bars: standard error of the mean · {note}")
    rows = figure.subfigures(len(roles.datasets), 1, squeeze=False)[:, 0]
    for part, dataset in zip(rows, roles.datasets, strict=True):
        headline(part, f"{dataset}{roles.split_words.get(dataset, '')}", size=9.5)
        _row(part, curves[curves["dataset"] == dataset], roles, dataset)
    return figure


def _row(part: Any, curves: pd.DataFrame, roles: Roles, dataset: str) -> None:
    methods = roles.shown(dataset)
    shown = curves[curves["method"].isin(methods)]
    limit = _limit(shown)
    for axes, against in zip(part.subplots(1, 2, sharey=True), SLOPE_IDS, strict=True):
        axes.axhline(0, color=INK, linewidth=0.8)
        light_grid(axes)
        chosen = shown[shown["against"] == against]
        for method in methods:
            mark = f" {CHOSEN_MARK}" if roles.chosen[dataset] == method else ""
            label = f"{method}{mark}" if method in roles.networks else f"{method} (ordinary tool)"
            curve = chosen[chosen["method"] == method]
            _draw_curve(axes, curve, look_of(method, methods[:-1]), label, limit)
        axes.set(xlabel=against, ylim=(-limit, limit))
        axes.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.03), title=SLOPE_IDS[against],
            title_fontsize=8, alignment="left", handlelength=1.4, borderaxespad=0.3,
        )  # fmt: skip
        axes.label_outer()
        axes.set_xlabel(against)
    part.axes[0].set_ylabel("mean dz")


def _draw_curve(
    axes: Axes, curve: pd.DataFrame, look: dict[str, str], label: str, limit: float
) -> None:
    """Draw one method's bins: full ones joined by a line, hollow ones beside it."""
    filled = curve[(curve["n"] > 0) & ~curve["hollow"]]
    hollow = curve[(curve["n"] > 0) & curve["hollow"]]
    style = {"linestyle": "none", "elinewidth": BAR_WIDTH, "markersize": MARKER_SIZE, **look}
    axes.plot(filled["x"], filled["value"], color=look["color"], linewidth=1.1, alpha=0.85)
    text = f"{label}  {slope_text(curve)}"
    axes.errorbar(filled["x"], filled["value"], filled["err"], label=text, **style)  # type: ignore[arg-type]
    inside = hollow[hollow["value"].abs() <= limit]
    err = inside["err"].fillna(0.0)
    axes.errorbar(inside["x"], inside["value"], err, mfc="white", alpha=0.55, **style)  # type: ignore[arg-type]
    beyond = hollow[hollow["value"].abs() > limit]
    edge = np.sign(beyond["value"]) * limit * 0.97
    for x, y in zip(beyond["x"], edge, strict=True):
        arrow = "^" if y > 0 else "v"
        axes.plot(x, y, marker=arrow, color=look["color"], mfc="white", ms=MARKER_SIZE, alpha=0.55)


def slope_text(curve: pd.DataFrame) -> str:
    """Return slope and error of a curve; a dash without a fit (fewer than two full bins)."""
    if curve.empty or not np.isfinite(curve["slope"].iloc[0]):
        return "–"
    slope, err = float(curve["slope"].iloc[0]), float(curve["slope_err"].iloc[0])
    decimals = decimals_for(-err, err)
    return f"{fixed(slope, decimals, signed=True)} ± {fixed(err, decimals)}"


def _limit(curves: pd.DataFrame) -> float:
    """Return half the height of the axes: the full bins fit in, with their bars.

    Where only few bins are full, most of the hollow ones have to fit in as well.
    """
    reach = curves["value"].abs() + curves["err"].fillna(0)
    full, some = reach[~curves["hollow"]], reach[curves["n"] > 0]
    limit = full.max() if len(full) >= ENOUGH_BINS else some.quantile(MOST_BINS)
    return float(limit) * HEADROOM if np.isfinite(limit) and limit > 0 else 0.1
