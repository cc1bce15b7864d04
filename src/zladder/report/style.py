"""What all figures share: type, lines, the palette, and how a figure is saved."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

# Okabe & Ito (2008): told apart with every common kind of colour vision. The last two are of Tol's
# muted set, which is made for the same purpose.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#332288", "#882255")
MARKERS = ("o", "s", "D", "^", "v", "P", "<", ">")
CONTROL = "#7d8790"
INK = "#1f2328"
SOFT = "#5d6670"
RULE = "#d9dee3"
NIGHT, STARLIGHT, DUSK = "#05070b", "#e8edf2", "#8b97a5"  # of the figures that show galaxies
FOOT_LETTERS_PER_IN = 16
HEAD_LETTERS_PER_IN = 118  # bold, of one point
CHOSEN_MARK = "★"
CHOSEN_NOTE = "★ network chosen on validation"

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
}

styled = rc_context(_SETTINGS)
"""Decorator of functions that draw a figure."""


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure whose parts find their own room; sizes in inches."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


def save_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Write a PNG; nothing in it depends on the time or the host."""
    figure.savefig(path, dpi=dpi, format="png", metadata={"Software": "zladder"})


def look_of(method: str, networks: Sequence[str]) -> dict[str, str]:
    """Return colour and marker of a method: networks by their order, ordinary tools in grey."""
    if method not in networks:
        return {"color": CONTROL, "marker": "X"}
    position = list(networks).index(method)
    return {
        "color": PALETTE[position % len(PALETTE)],
        "marker": MARKERS[position % len(MARKERS)],
    }


def headline(figure: Any, text: str, size: float = 11.5) -> None:
    """Write the title of a figure or of a part of it, at its left, in lines that fit its width."""
    letters = int(figure.bbox.width / figure.dpi * HEAD_LETTERS_PER_IN / size)
    words = fill(text, letters, break_long_words=False)
    figure.suptitle(words, x=0.008, ha="left", fontsize=size, fontweight="bold")


def apart(heights: Sequence[float], least: float) -> list[float]:
    """Return heights moved as little as it takes for neighbours to lie `least` apart.

    Those that come too close form a group around their common middle; the order stays.
    """
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    groups: list[tuple[float, list[int]]] = []
    for place in order:
        middle, members = float(heights[place]), [place]
        while groups and groups[-1][0] + least * (len(groups[-1][1]) + len(members)) / 2 > middle:
            _, before = groups.pop()
            members = before + members
            middle = sum(float(heights[member]) for member in members) / len(members)
        groups.append((middle, members))
    moved = [0.0] * len(heights)
    for middle, members in groups:
        for rank, member in enumerate(members):
            moved[member] = middle + least * (rank - (len(members) - 1) / 2)
    return moved


def light_grid(axes: Axes, axis: str = "both") -> None:
    """Draw thin lines behind the data."""
    axes.grid(visible=True, axis=axis, color=RULE, linewidth=0.6)  # type: ignore[arg-type]


def footline(figure: Figure, text: str) -> None:
    """Write how to read the figure, small, below it, in lines that fit its width."""
    letters = int(figure.get_size_inches()[0] * FOOT_LETTERS_PER_IN)
    figure.supxlabel(fill(text, letters), x=0.008, ha="left", fontsize=7.5, color=SOFT)


def count_bar(owner: Any, image: Any, axes: Any, label: str, **place: float) -> None:
    """Draw the scale of a logarithmic density of galaxies, with plain numbers."""
    bar = owner.colorbar(image, ax=axes, **place)
    bar.ax.yaxis.set_major_formatter(lambda value, _position: f"{value:,.0f}")
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.outline.set_visible(False)
    bar.set_label(label)
