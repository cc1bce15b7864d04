"""The galaxies themselves at their places in an encoder's map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from zladder.report.clean_stamps import clean_of_each
from zladder.report.colour import colour_images
from zladder.report.embedding_map import FRAME, scaled
from zladder.report.style import DUSK, NIGHT, STARLIGHT, styled

if TYPE_CHECKING:
    import pandas as pd

    from zladder.report.embedding_map import Map
    from zladder.report.shown_stamps import ShownStamps

ACROSS = 16  # cells along each direction
SIDE_IN = 8.6


def choose_for_map(found: Map) -> pd.DataFrame:
    """Return ``object_id shard row column line`` of one galaxy a cell: the nearest to its middle.

    The cells are those of a grid over the middle 99.4 % of each direction; galaxies whose stamp
    has a fault are shown only where a cell has no others.
    """
    places, galaxies = scaled(found), found.galaxies
    low, high = np.quantile(places, FRAME, axis=0)
    units = (places - low) / np.where(high > low, high - low, 1) * ACROSS  # (N, 2)
    inside = ((units >= 0) & (units < ACROSS)).all(axis=1)
    cells = np.floor(units[inside]).astype(int)
    shown = galaxies[inside].assign(
        column=cells[:, 0], line=cells[:, 1],
        far=np.hypot(*(units[inside] - cells - 0.5).T),
    )  # fmt: skip
    clean = clean_of_each(shown, ["column", "line"])
    nearest = clean.sort_values(["far", "object_id"]).drop_duplicates(["column", "line"])
    return nearest[["object_id", "shard", "row", "column", "line"]].reset_index(drop=True)


@styled
def draw_map_of_stamps(chosen: pd.DataFrame, stamps: ShownStamps, found: Map) -> Figure:
    """Return the figure: the stamps of the chosen galaxies, redshift's direction to the right."""
    figure = Figure(figsize=(SIDE_IN, SIDE_IN + 0.75), facecolor=NIGHT)
    height = SIDE_IN + 0.75
    axes = figure.add_axes((0.02, 0.02 * SIDE_IN / height, 0.96, 0.96 * SIDE_IN / height))
    axes.set(xlim=(0, ACROSS), ylim=(0, ACROSS), facecolor=NIGHT)
    axes.set_axis_off()
    for image, (_, row) in zip(colour_images(stamps), chosen.iterrows(), strict=True):
        x, y = row["column"] + 0.015, row["line"] + 0.015
        axes.imshow(image, extent=(x, x + 0.97, y, y + 0.97), interpolation="bicubic",
                    origin="lower", aspect="auto")  # fmt: skip
    figure.text(0.02, 1 - 0.14 / height, f"Galaxies where {found.name} puts them", va="top",
                color=STARLIGHT, fontsize=14, fontweight="bold")  # fmt: skip
    words = (f"{len(chosen)} of {len(found.galaxies):,} test galaxies, one a cell of the map of "
             "its two main directions; on the whole redshift grows to the right and "
             "upwards")  # fmt: skip
    figure.text(0.02, 1 - 0.44 / height, words, va="top", color=DUSK, fontsize=8.5)
    return figure
