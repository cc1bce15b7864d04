"""Planes of z_phot against z_true: the density of galaxies, one panel a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import MaxNLocator

from zladder.report.methods import Roles, first_seed_files, scores_on_test
from zladder.report.metric_words import OUTLIER_LIMITS, outlier_id
from zladder.report.numerals import MINUS
from zladder.report.style import (
    CHOSEN_MARK,
    CHOSEN_NOTE,
    SOFT,
    count_bar,
    footline,
    headline,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DENSITY_COLOURS = ("#b9d2e5", "#79add2", "#2f7ab5", "#123f78", "#0a1633")
IDENTITY_COLOUR = "#D55E00"
WORDS = "outside: galaxies beyond the frame · first seed; numbers: mean over seeds"
SCALE_LABEL = "galaxies per cell"
PANEL_IN = 2.35
MOST_COLUMNS = 5
CELLS_ACROSS = 46  # hexagons along an axis: large enough that a lone galaxy can be seen
SHOWN_SHARE = 0.995  # of z_true lies inside the frame; what lies outside is counted in the panel


@dataclass(frozen=True)
class Plane:
    """What one panel shows: `z_true` and `z_phot`, float64 (N,), finite; and its lines."""

    title: str
    n_total: int
    z_true: np.ndarray
    z_phot: np.ndarray
    notes: list[str]
    limit: float


def read_planes(
    predictions: Sequence[Path], scores: pd.DataFrame, roles: Roles, convention: str
) -> dict[str, list[Plane]]:
    """Return {dataset: its panels}, test split, first seed of each method."""
    files = first_seed_files(predictions)
    needed = {method for dataset in roles.datasets for method in roles.shown(dataset)}
    columns = ["dataset", "split", "z_true", "z_phot"]
    tables = {method: pd.read_parquet(files[method], columns=columns) for method in needed}
    return {
        dataset: [
            _plane(tables[method], scores, roles, dataset, method, outlier_id(convention))
            for method in roles.shown(dataset)
        ]
        for dataset in roles.datasets
    }


def _plane(
    table: pd.DataFrame, scores: pd.DataFrame, roles: Roles, dataset: str, method: str, outlier: str
) -> Plane:
    rows = table[(table["dataset"] == dataset) & (table["split"] == "test")]
    z_true, z_phot = (rows[name].to_numpy(dtype=np.float64) for name in ("z_true", "z_phot"))
    used = np.isfinite(z_true) & np.isfinite(z_phot)
    found = scores_on_test(scores, dataset, method)["value"]
    notes = [
        f"sigma_nmad {found['sigma_nmad']:.4f}",
        f"bias_mean {found['bias_mean']:+.4f}".replace("-", MINUS),
        f"{outlier} {found[outlier]:.4f}",
    ]
    if not used.all():
        notes.append(f"no answer {int((~used).sum()):,}")
    mark = f" {CHOSEN_MARK}" if roles.chosen[dataset] == method else ""
    role = "" if method in roles.networks else "best ordinary tool: "
    title, limit = f"{role}{method}{mark}", OUTLIER_LIMITS[outlier]
    return Plane(title, len(rows), z_true[used], z_phot[used], notes, limit)


@styled
def draw_planes(planes: dict[str, list[Plane]], title: str, left_out: str = "") -> Figure:
    """Return a figure with a panel a method, the datasets below one another.

    `left_out` says which networks are shown, where they are not all.
    """
    columns = min(max(len(row) for row in planes.values()), MOST_COLUMNS)
    width = max(columns * PANEL_IN + 1.0, 7.0)
    lines = [-(-len(row) // columns) for row in planes.values()]
    figure = new_figure(width, sum(lines) * (PANEL_IN + 0.75) + len(lines) * 0.3 + 0.55)
    limit = next(iter(planes.values()))[0].limit
    headline(figure, f"{title}: z_phot against z_true, test galaxies")
    footline(
        figure,
        f"solid: z_phot = z_true · dashed: |dz| = {limit:g} · {CHOSEN_NOTE} · {WORDS}{left_out}",
    )
    rows = figure.subfigures(len(planes), 1, squeeze=False, height_ratios=lines)[:, 0]
    for part, (dataset, panels) in zip(rows, planes.items(), strict=True):
        headline(part, f"{dataset} · {panels[0].n_total:,} galaxies", size=9.5)
        _row_of_panels(part, panels, columns)
    return figure


def front_plane(planes: dict[str, list[Plane]], roles: Roles) -> tuple[Plane, str]:
    """Return the panel of the chosen network on the study's first test set, and that set."""
    dataset = roles.datasets[0]
    return planes[dataset][roles.shown(dataset).index(roles.chosen[dataset])], dataset


@styled
def draw_front(panel: Plane, dataset: str) -> Figure:
    """Return one panel alone: the chosen network on the study's first test set."""
    figure = new_figure(3.7, 3.6)
    axes = figure.subplots()
    image = draw_plane(axes, panel, _top(panel.z_true), None)
    axes.set_title(f"{dataset}: {panel.title}", fontweight="bold", pad=24)
    count_bar(figure, image, axes, SCALE_LABEL, shrink=0.85, pad=0.02)
    return figure


def _row_of_panels(part: Any, panels: list[Plane], columns: int) -> None:
    """Draw the panels of one dataset with one colour scale, in as many rows as it takes."""
    n_rows = -(-len(panels) // columns)
    axes = part.subplots(n_rows, columns, sharey=True, squeeze=False).ravel()
    top = max(_top(panel.z_true) for panel in panels)
    images = [draw_plane(axis, panel, top, None) for axis, panel in zip(axes, panels, strict=False)]
    densest = max(image.get_array().max() for image in images)
    for image in images:
        image.set_norm(LogNorm(1, max(densest, 2)))
    for axis in axes[: len(panels)]:
        axis.label_outer()
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("z_true")
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    count_bar(part, images[-1], list(axes), SCALE_LABEL, shrink=0.8 / n_rows, pad=0.012)


def draw_plane(axes: Axes, panel: Plane, top: float, norm: LogNorm | None) -> Any:
    """Draw one panel up to redshift `top`; return the hexagons."""
    inside = (panel.z_true <= top) & (panel.z_phot >= 0) & (panel.z_phot <= top)
    colours = LinearSegmentedColormap.from_list("density", DENSITY_COLOURS)
    image = axes.hexbin(
        panel.z_true[inside], panel.z_phot[inside], gridsize=CELLS_ACROSS, mincnt=1,
        extent=(0, top, 0, top), cmap=colours, norm=norm or LogNorm(1, None), linewidths=0.1,
    )  # fmt: skip
    ends = np.array([0.0, top])
    axes.plot(ends, ends, color=IDENTITY_COLOUR, linewidth=0.9)
    for sign in (1, -1):
        axes.plot(ends, ends + sign * panel.limit * (1 + ends), color=SOFT, linewidth=0.7, ls="--")
    n_outside = int((~inside).sum())
    outside = [f"outside {n_outside:,}"] if n_outside else []
    axes.set_title(panel.title, pad=24, fontweight="bold" if CHOSEN_MARK in panel.title else None)
    told = [*panel.notes, *outside]
    lines = " · ".join(told[:2]), " · ".join(told[2:])
    axes.text(0, 1.025, "\n".join(lines), transform=axes.transAxes, va="bottom", fontsize=6.8,
              color=SOFT, linespacing=1.35)  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal", xlabel="z_true", ylabel="z_phot")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    return image


def _top(z_true: np.ndarray) -> float:
    """Return where the axes end: a round number above nearly all of the labels."""
    if not len(z_true):
        return 1.0
    edge = float(np.quantile(z_true, SHOWN_SHARE)) * 1.04
    step = 10 ** np.floor(np.log10(max(edge, 1e-3))) / 2
    return float(np.ceil(edge / step) * step)
