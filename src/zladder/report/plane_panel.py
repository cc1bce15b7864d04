"""One panel of z_phot against z_true: the density of galaxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import MaxNLocator

from zladder.report.style import CHOSEN_MARK, SOFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

IDENTITY_COLOUR = "#D55E00"
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


def draw_plane(axes: Axes, panel: Plane, top: float, colours: Sequence[str]) -> Any:
    """Draw one panel up to redshift `top`, from few to many galaxies; return the hexagons."""
    inside = (panel.z_true <= top) & (panel.z_phot >= 0) & (panel.z_phot <= top)
    shades = LinearSegmentedColormap.from_list("density", list(colours))
    image = axes.hexbin(
        panel.z_true[inside], panel.z_phot[inside], gridsize=CELLS_ACROSS, mincnt=1,
        extent=(0, top, 0, top), cmap=shades, linewidths=0.1,
        norm=LogNorm(1, None if inside.any() else 2),
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


def top_of(z_true: np.ndarray) -> float:
    """Return where the axes end: a round number above nearly all of the labels."""
    if not len(z_true):
        return 1.0
    edge = float(np.quantile(z_true, SHOWN_SHARE)) * 1.04
    step = 10 ** np.floor(np.log10(max(edge, 1e-3))) / 2
    return float(np.ceil(edge / step) * step)
