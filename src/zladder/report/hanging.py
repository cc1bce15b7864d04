"""How images hang on a dark wall: rows and columns, small numbers below, a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from zladder.report.style import DUSK, NIGHT, STARLIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 10
BAR_ARCSEC = 5.0
STAMP_IN = 1.12
STEP_Y = 1.16  # of a row, in widths of a stamp: room for the number below it


def night_sky(height: float, title: str, subtitle: str) -> Figure:
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


def hang(
    axes: Axes, images: np.ndarray, labels: list[str], top: float,
    places: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Hang images from `top` downwards, each with its small number below.

    They go row by row, or to the (column, row) of `places`, shape (N, 2).
    """
    if places is None:
        places = np.stack(np.divmod(np.arange(len(images)), COLUMNS)[::-1], axis=1)
    for image, label, (column, row) in zip(images, labels, places, strict=True):
        x, y = column + 0.02, top + row * STEP_Y
        axes.imshow(image, extent=(x, x + 0.96, y + 0.96, y), interpolation="bicubic",
                    origin="lower", aspect="auto")  # fmt: skip
        axes.text(x + 0.48, y + 1.07, label, color=DUSK, fontsize=6.8, ha="center", va="center")


def scale_bar(axes: Axes, stamp_arcsec: float, top: float = 0.0) -> None:
    """Draw a bar of a few arcseconds into the first stamp, which hangs at `top`."""
    length = 0.96 * BAR_ARCSEC / stamp_arcsec
    axes.plot([0.08, 0.08 + length], [top + 0.89, top + 0.89], color=STARLIGHT, linewidth=1.2)
    axes.text(0.08 + length / 2, top + 0.86, f"{BAR_ARCSEC:g}″", color=STARLIGHT, fontsize=6,
              ha="center", va="bottom")  # fmt: skip
