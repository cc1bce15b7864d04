"""A wall of galaxies in colour: the labelled ones by redshift, below them some without a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from zladder.provenance.errors import BadInput
from zladder.report.colour import colour_bands, colour_images
from zladder.report.style import DUSK, NIGHT, STARLIGHT, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from zladder.report.shown_stamps import ShownStamps

COLUMNS = 10
LABELLED_ROWS = 6
UNLABELLED_ROWS = 2  # of a dataset with labels; a dataset without any fills the wall
BAR_ARCSEC = 5.0
BRIGHTER_THAN = 0.75  # of the galaxies of its slice of redshift or magnitude
STAMP_IN = 1.12
STEP_Y = 1.16  # of a row, in widths of a stamp: room for the number below it


@dataclass(frozen=True)
class Wall:
    """The galaxies that are shown, and how many there are to choose from.

    Attributes
    ----------
    labelled, unlabelled
        Rows of the dataset, in the order of the wall; either may be empty.
    n_labelled, n_unlabelled, n_flagged
        Galaxies of the dataset; how many were not considered for the flags of their stamps.
    magnitude
        The column that tells how bright a galaxy is.
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
        ``object_id shard row stamp_flags mag_{band}`` and, where there are labels, ``z_true``.
    bands
        Of the survey; the middle one of the three that are shown tells the brightness.

    Raises
    ------
    BadInput
        If no stamp is free of flags.
    """
    magnitude = f"mag_{colour_bands(bands)[1]}"
    clean = dataset[(dataset["stamp_flags"] == 0) & np.isfinite(dataset[magnitude])]
    if clean.empty:
        raise BadInput("the dataset", "column stamp_flags", "stamps without flags", "none",
                       "look at the losses of the cutouts")  # fmt: skip
    has_label = clean["z_true"].notna() if "z_true" in clean else np.zeros(len(clean), dtype=bool)
    labelled, unlabelled = clean[has_label], clean[~has_label]
    rows = UNLABELLED_ROWS if len(labelled) else LABELLED_ROWS
    return Wall(
        _one_of_slices(labelled, "z_true", magnitude, COLUMNS * LABELLED_ROWS),
        _one_of_slices(unlabelled, magnitude, magnitude, COLUMNS * rows),
        len(labelled), len(unlabelled), len(dataset) - len(clean), magnitude,
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
    figure = _night_sky(height, " and ".join(about["surveys"]), subtitle)
    axes = figure.axes[0]
    labels = [f"z {z:.3f}" for z in wall.labelled["z_true"]] if n_top else []
    _hang(axes, images[:n_top], labels, 0.0)
    below = rows_top * STEP_Y + heading
    band = wall.magnitude.removeprefix("mag_")
    _hang(axes, images[n_top:], [f"{band} {m:.2f}" for m in wall.unlabelled[wall.magnitude]], below)
    if heading:
        words = f"Without a label: {len(wall.unlabelled)} of {wall.n_unlabelled:,}, by magnitude"
        axes.text(0, below - 0.14, words, color=STARLIGHT, fontsize=9.5, fontweight="bold")
    _scale_bar(axes, images.shape[1] * stamps.pixel_scale_arcsec)
    return figure


def _subtitle(wall: Wall, stamps: ShownStamps) -> str:
    """Return what is seen, in numbers."""
    red, green, blue = colour_bands(stamps.bands)
    width = stamps.flux.shape[-1] * stamps.pixel_scale_arcsec
    told = f"{red}, {green}, {blue} as red, green, blue · {width:.1f}″ wide · one scale for all"
    flagged = f" · {wall.n_flagged:,} flagged stamps left out" if wall.n_flagged else ""
    if not len(wall.labelled):
        who = f"{len(wall.unlabelled)} of {wall.n_unlabelled:,} galaxies without a label"
        return f"{who}, by magnitude\n{told}{flagged}"
    z_true = wall.labelled["z_true"]
    span = f"redshift {z_true.min():.3f} to {z_true.max():.3f}"
    slices = "a bright one of each slice of redshift"
    return (f"{len(wall.labelled)} of {wall.n_labelled:,} labelled galaxies, {slices}, {span}"
            f"\n{told}{flagged}")  # fmt: skip


def _night_sky(height: float, title: str, subtitle: str) -> Figure:
    """Return a dark figure with its words and axes that measure in widths of a stamp."""
    width_in, top_in, low_in = COLUMNS * STAMP_IN + 0.5, 0.95, 0.12
    height_in = height * STAMP_IN + top_in + low_in
    figure = Figure(figsize=(width_in, height_in), facecolor=NIGHT)
    left, right = 0.25 / width_in, 1 - 0.25 / width_in
    axes = figure.add_axes((left, low_in / height_in, right - left, height * STAMP_IN / height_in))
    axes.set(xlim=(0, COLUMNS), ylim=(height, 0), facecolor=NIGHT)
    axes.set_axis_off()
    figure.text(left, 1 - 0.17 / height_in, title, color=STARLIGHT, fontsize=14, va="top",
                fontweight="bold")  # fmt: skip
    figure.text(left, 1 - 0.45 / height_in, subtitle, color=DUSK, fontsize=8.5, va="top",
                linespacing=1.4)  # fmt: skip
    return figure


def _hang(axes: Axes, images: np.ndarray, labels: list[str], top: float) -> None:
    """Hang images row by row from `top` downwards, each with its small number below."""
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(place, COLUMNS)
        x, y = column + 0.02, top + row * STEP_Y
        axes.imshow(image, extent=(x, x + 0.96, y + 0.96, y), interpolation="bicubic",
                    origin="lower", aspect="auto")  # fmt: skip
        axes.text(x + 0.48, y + 1.07, label, color=DUSK, fontsize=6.8, ha="center", va="center")


def _scale_bar(axes: Axes, stamp_arcsec: float) -> None:
    """Draw a bar of a few arcseconds into the first stamp."""
    length = 0.96 * BAR_ARCSEC / stamp_arcsec
    axes.plot([0.08, 0.08 + length], [0.89, 0.89], color=STARLIGHT, linewidth=1.2)
    axes.text(0.08 + length / 2, 0.86, f"{BAR_ARCSEC:g}″", color=STARLIGHT, fontsize=6,
              ha="center", va="bottom")  # fmt: skip
