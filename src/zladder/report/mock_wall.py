"""A wall of the mock sky's galaxies in colour: a row a type, a column a slice of redshift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.report.clean_stamps import clean_of_each
from zladder.report.colour import colour_bands, colour_images
from zladder.report.hanging import COLUMNS, STEP_Y, hang, night_sky, scale_bar
from zladder.report.mock_truth import TYPES, nearest_type, truth_of
from zladder.report.style import STARLIGHT, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from zladder.report.shown_stamps import ShownStamps

ROWS_OF_TYPE = 2
SPAN_PERCENT = (1.0, 99.0)
HEADING = 0.3  # above the rows of a type, in widths of a stamp


def choose_by_type(dataset: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the galaxies of the wall, from type to type and from near to far.

    Each column is a slice of redshift of equal width, the same for all types; of each slice the
    brightest quarter is passed over and the next galaxies are shown, of a type's those whose
    stamps have no fault if there are any. Where a slice holds none the place stays empty.

    Parameters
    ----------
    dataset
        ``object_id shard row stamp_flags z_true`` and ``mag_r`` (or another magnitude).
    truth
        The mock sky's.

    Returns
    -------
    galaxies
        The rows of the dataset with ``kind`` (index of `TYPES`), ``line`` and ``column``.

    Raises
    ------
    BadInput
        If no galaxy has a type and a label.
    """
    true = truth_of(truth, dataset["object_id"].to_numpy())
    kind = nearest_type(true["sed_type"].to_numpy(dtype=np.float64))
    all_rows = dataset.reset_index(drop=True).assign(kind=kind)
    z = all_rows["z_true"]
    shown = all_rows[z.notna() & (all_rows["kind"] >= 0)]
    if shown.empty:
        raise BadInput("the dataset", "its rows", "labelled galaxies of the mock sky with stamps",
                       "none", "make the dataset again")  # fmt: skip
    low, high = np.percentile(shown["z_true"], SPAN_PERCENT)
    place = (shown["z_true"] - low) / max(high - low, 1e-9) * COLUMNS
    shown = shown.assign(column=np.floor(place).astype(np.int64))
    shown = shown[shown["column"].between(0, COLUMNS - 1)]
    shown = clean_of_each(shown, ["kind", "column"])
    brightness = colour_magnitude(dataset)
    shown = shown.sort_values(["kind", "column", brightness, "object_id"])
    cells = shown.groupby(["kind", "column"])
    rank = cells.cumcount() - (cells["kind"].transform("size") - ROWS_OF_TYPE).clip(0) // 4
    chosen = shown.assign(line=rank)[rank.between(0, ROWS_OF_TYPE - 1)]
    return chosen.sort_values(["kind", "line", "column"], ignore_index=True)


def colour_magnitude(dataset: pd.DataFrame) -> str:
    """Return the column that tells how bright a galaxy is: the middle band of those shown."""
    bands = [name[4:] for name in dataset.columns if len(name) == 5 and name.startswith("mag_")]
    return f"mag_{colour_bands(bands)[1]}"


@styled
def draw_type_wall(galaxies: pd.DataFrame, stamps: ShownStamps, about: Mapping[str, Any]) -> Figure:
    """Return the figure.

    Parameters
    ----------
    galaxies
        As chosen.
    stamps
        Of them, in their order.
    about
        ``dataset`` and ``surveys`` (titles).
    """
    kinds = sorted(galaxies["kind"].unique())
    step = HEADING + ROWS_OF_TYPE * STEP_Y
    red, green, blue = colour_bands(stamps.bands)
    width = stamps.flux.shape[-1] * stamps.pixel_scale_arcsec
    subtitle = (
        f"{about['dataset']} · {len(galaxies)} galaxies by true type and redshift "
        f"({galaxies['z_true'].min():.3f} to {galaxies['z_true'].max():.3f}, equal steps)\n"
        f"{red}, {green}, {blue} as red, green, blue · {width:.1f}″ wide · one scale for all"
    )
    title = "Types and redshifts: " + " and ".join(about["surveys"])
    figure = night_sky(len(kinds) * step, title, subtitle)
    axes = figure.axes[0]
    images = colour_images(stamps)
    for number, kind in enumerate(kinds):
        top = number * step
        words = f"nearest to {TYPES[kind]}"
        axes.text(0.02, top + 0.2, words, color=STARLIGHT, fontsize=9.5, fontweight="bold",
                  va="bottom")  # fmt: skip
        rows = galaxies["kind"].to_numpy() == kind
        places = galaxies[rows][["column", "line"]].to_numpy()
        labels = [f"z {z:.3f}" for z in galaxies["z_true"][rows]]
        hang(axes, images[rows], labels, top + HEADING, places)
    scale_bar(axes, images.shape[1] * stamps.pixel_scale_arcsec, HEADING)
    return figure
