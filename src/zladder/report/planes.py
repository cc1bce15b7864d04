"""Planes of z_phot against z_true: the density of galaxies, one panel a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm

from zladder.report.methods import Roles, first_seed_files, scores_on_test
from zladder.report.metric_words import OUTLIER_LIMITS, outlier_id
from zladder.report.numerals import MINUS
from zladder.report.plane_panel import Plane, draw_plane, top_of
from zladder.report.style import (
    CHOSEN_MARK,
    CHOSEN_NOTE,
    count_bar,
    footline,
    headline,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

DENSITY_COLOURS = ("#b9d2e5", "#79add2", "#2f7ab5", "#123f78", "#0a1633")
WORDS = "outside: galaxies beyond the frame · first seed; numbers: mean over seeds"
SCALE_LABEL = "galaxies per cell"
FRONT_CHARACTERS = 32  # of a title in one line above the panel that stands alone
PANEL_IN = 2.35
MOST_COLUMNS = 5


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
def draw_planes(
    planes: dict[str, list[Plane]], title: str, left_out: str = "", **split_words: str
) -> Figure:
    """Return a figure with a panel a method, the datasets below one another.

    `left_out` says which networks are shown, where they are not all; `split_words` what is added
    to a dataset's name.
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
        words = f"{dataset} · {panels[0].n_total:,} galaxies{split_words.get(dataset, '')}"
        headline(part, words, size=9.5)
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
    image = draw_plane(axes, panel, top_of(panel.z_true), DENSITY_COLOURS)
    whole = f"{dataset}: {panel.title}"
    title = whole if len(whole) <= FRONT_CHARACTERS else f"{dataset}:\n{panel.title}"
    axes.set_title(title, fontweight="bold", pad=24)
    count_bar(figure, image, axes, SCALE_LABEL, shrink=0.85, pad=0.02)
    return figure


def _row_of_panels(part: Any, panels: list[Plane], columns: int) -> None:
    """Draw the panels of one dataset with one colour scale, in as many rows as it takes."""
    n_rows = -(-len(panels) // columns)
    axes = part.subplots(n_rows, columns, sharey=True, squeeze=False).ravel()
    top = max(top_of(panel.z_true) for panel in panels)
    images = [
        draw_plane(axis, panel, top, DENSITY_COLOURS)
        for axis, panel in zip(axes, panels, strict=False)
    ]
    # A panel without a point in range has no cells: a network that learnt of few galaxies.
    densest = max([1, *(image.get_array().max() for image in images if image.get_array().size)])
    for image in images:
        image.set_norm(LogNorm(1, max(densest, 2)))
    for axis in axes[: len(panels)]:
        axis.label_outer()
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("z_true")
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    count_bar(part, images[-1], list(axes), SCALE_LABEL, shrink=0.8 / n_rows, pad=0.012)
