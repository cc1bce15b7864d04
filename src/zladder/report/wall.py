"""A wall of galaxies in colour: the labelled ones by redshift, below them some without a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.report.clean_stamps import clean_enough
from zladder.report.colour import colour_bands, colour_images
from zladder.report.hanging import COLUMNS, STEP_Y, hang, night_sky, scale_bar
from zladder.report.style import STARLIGHT, styled
from zladder.tables.stamp_files import have_flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from zladder.report.shown_stamps import ShownStamps

LABELLED_ROWS = 6
UNKNOWN = "object_id"  # stands for the brightness of galaxies without magnitudes
UNLABELLED_ROWS = 2  # of a dataset with labels; a dataset without any fills the wall
BRIGHTER_THAN = 0.75  # of the galaxies of its slice of redshift or magnitude


@dataclass(frozen=True)
class Wall:
    """The galaxies that are shown, and how many there are to choose from.

    Attributes
    ----------
    labelled, unlabelled
        Rows of the dataset, in the order of the wall; either may be empty.
    n_labelled, n_unlabelled, n_flagged
        Galaxies to choose from; how many were left out for a fault of their stamps. Where too
        few are without one, those with a fault hang too.
    magnitude
        The column that tells how bright a galaxy is; the identifier if the dataset has none such.
    """

    labelled: pd.DataFrame
    unlabelled: pd.DataFrame
    n_labelled: int
    n_unlabelled: int
    n_flagged: int
    magnitude: str


def choose_galaxies(dataset: pd.DataFrame, bands: tuple[str, ...]) -> Wall:
    """Return what a wall shows: one galaxy of each slice of redshift (or magnitude), a bright one.

    Parameters
    ----------
    dataset
        ``object_id shard row stamp_flags``; where they are known, ``mag_{band}`` and ``z_true``.
    bands
        Of the survey; the middle one of the three that are shown tells the brightness.

    Raises
    ------
    BadInput
        If no galaxy has a magnitude.
    """
    magnitude = f"mag_{colour_bands(bands)[1]}"
    magnitude = magnitude if magnitude in dataset else UNKNOWN
    lit = dataset[np.isfinite(dataset[magnitude])]
    if lit.empty:
        raise BadInput("the dataset", f"column {magnitude}", "a galaxy with a magnitude", "none",
                       "map the magnitudes of its survey")  # fmt: skip
    has_label = lit["z_true"].notna() if "z_true" in lit else np.zeros(len(lit), dtype=bool)
    n_top = COLUMNS * LABELLED_ROWS
    n_below = COLUMNS * (UNLABELLED_ROWS if has_label.any() else LABELLED_ROWS)
    labelled = clean_enough(lit[has_label], n_top)
    unlabelled = clean_enough(lit[~has_label], n_below)
    n_left_out = len(lit) - len(labelled) - len(unlabelled)
    return Wall(
        _one_of_slices(labelled, "z_true", magnitude, n_top),
        _one_of_slices(unlabelled, magnitude, magnitude, n_below),
        len(labelled), len(unlabelled), n_left_out, magnitude,
    )  # fmt: skip


def _one_of_slices(
    galaxies: pd.DataFrame, order: str, magnitude: str, n_slices: int
) -> pd.DataFrame:
    """Return one galaxy of each of `n_slices` slices of equal number, in their order.

    It is brighter than `BRIGHTER_THAN` of its slice: bright enough to be looked at, yet not the
    largest, which would fill its stamp.
    """
    if galaxies.empty:
        return galaxies
    ranked = galaxies.sort_values([order, "object_id"])
    n = min(n_slices, len(ranked))
    slices = np.arange(len(ranked)) * n // len(ranked)
    lit = ranked.assign(slice=slices).sort_values(["slice", magnitude, "object_id"])
    rank, size = lit.groupby("slice").cumcount(), lit.groupby("slice")["slice"].transform("size")
    chosen = lit[rank == ((1 - BRIGHTER_THAN) * size).astype(int)]
    return chosen.drop(columns="slice").sort_values([order, "object_id"])


@styled
def draw_wall(wall: Wall, stamps: ShownStamps, about: Mapping[str, Any]) -> Figure:
    """Return the figure.

    Parameters
    ----------
    wall
        As chosen.
    stamps
        Of the labelled galaxies, then of the unlabelled ones.
    about
        ``dataset`` and ``surveys`` (titles).
    """
    images = colour_images(stamps)
    n_top = len(wall.labelled)
    rows_top, rows_below = -(-n_top // COLUMNS), -(-len(wall.unlabelled) // COLUMNS)
    heading = 0.5 if n_top and len(wall.unlabelled) else 0.0  # of the strip, in rows
    height = (rows_top + rows_below) * STEP_Y + heading
    subtitle = f"{about['dataset']} · {_subtitle(wall, stamps)}"
    figure = night_sky(height, " and ".join(about["surveys"]), subtitle)
    axes = figure.axes[0]
    labels = [f"z {z:.3f}" for z in wall.labelled["z_true"]] if n_top else []
    hang(axes, images[:n_top], labels, 0.0)
    below = rows_top * STEP_Y + heading
    hang(axes, images[n_top:], _magnitudes(wall), below)
    if heading:
        words = f"Without a label: {len(wall.unlabelled)} of {wall.n_unlabelled:,}{_order(wall)}"
        axes.text(0, below - 0.14, words, color=STARLIGHT, fontsize=9.5, fontweight="bold")
    scale_bar(axes, images.shape[1] * stamps.pixel_scale_arcsec)
    return figure


def _magnitudes(wall: Wall) -> list[str]:
    """Return what stands below the galaxies without a label; nothing if no magnitude is known."""
    if wall.magnitude == UNKNOWN:
        return [""] * len(wall.unlabelled)
    band = wall.magnitude.removeprefix("mag_")
    return [f"{band} {value:.2f}" for value in wall.unlabelled[wall.magnitude]]


def _order(wall: Wall) -> str:
    return "" if wall.magnitude == UNKNOWN else ", by magnitude"


def _subtitle(wall: Wall, stamps: ShownStamps) -> str:
    """Return what is seen, in numbers."""
    red, green, blue = colour_bands(stamps.bands)
    width = stamps.flux.shape[-1] * stamps.pixel_scale_arcsec
    told = f"{red}, {green}, {blue} as red, green, blue · {width:.1f}″ wide · one scale for all"
    hung = pd.concat([wall.labelled, wall.unlabelled])["stamp_flags"]
    n_faulty = int(have_flags(hung).sum())
    flagged = f" · {wall.n_flagged:,} flagged stamps left out" if wall.n_flagged else ""
    flagged += f" · {n_faulty} of these stamps are flagged" if n_faulty else ""
    if not len(wall.labelled):
        who = f"{len(wall.unlabelled)} of {wall.n_unlabelled:,} galaxies without a label"
        return f"{who}{_order(wall)}\n{told}{flagged}"
    z_true = wall.labelled["z_true"]
    span = f"redshift {z_true.min():.3f} to {z_true.max():.3f}"
    slices = "a bright one" if wall.magnitude != UNKNOWN else "one"
    slices = f"{slices} of each slice of redshift"
    return (f"{len(wall.labelled)} of {wall.n_labelled:,} labelled galaxies, {slices}, {span}"
            f"\n{told}{flagged}")  # fmt: skip
