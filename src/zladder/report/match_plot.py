"""A cross-match in three panels: separations, candidates of each object, completeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from zladder.report.style import PALETTE, footline, headline, light_grid, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOUND_COLOUR = "#a9bccb"
TRUE_COLOUR, FALSE_COLOUR = PALETTE[0], PALETTE[1]
LEVEL_SIGMAS = 1.0  # of the intervals of the completeness
_WORDS = {"left": "labels", "right": "photometry"}


@styled
def draw_match(quality: Mapping[str, Any], about: Mapping[str, str]) -> Figure:
    """Return the figure.

    Parameters
    ----------
    quality
        As `zladder.catalogs.match_quality.describe` gives it.
    about
        ``sample`` (its name), ``labels``, ``photometry`` (titles of the surveys).
    """
    figure = new_figure(11.5, 3.9)
    counts, false = quality["counts"], quality["false"]
    share = "" if false["false_share"] is None else f", {100 * false['false_share']:.2g} % false"
    headline(figure, f"{about['sample']}: {counts['n_matched']:,} of {counts['n_left']:,} labels "
                     f"matched within {counts['radius_arcsec']:g}″{share}")  # fmt: skip
    low, high = (f"{false[f'n_false_{end}']:,.1f}" for end in ("low", "high"))
    footline(figure, f"Labels: {about['labels']} · Photometry: {about['photometry']} · False pairs "
                     f"{false['n_false']:,.1f} ({low} to {high}, 95 %), from "
                     f"{false['n_offset_places']:,} places {false['offset_arcsec']:g}″ away "
                     f"({false['n_false_by_clustering']:+,.1f} for what clusters).")  # fmt: skip
    axes = figure.subplots(1, 3, width_ratios=(1.25, 0.9, 1))
    _separations(axes[0], quality["separations"])
    _losses(axes[1], counts)
    _completeness(axes[2], quality.get("completeness"))
    return figure


def _separations(axes: Axes, found: Mapping[str, Any]) -> None:
    """Draw the histogram with both expected curves; the counts go over decades."""
    edges = np.array(found["edges_arcsec"])
    middle = (edges[1:] + edges[:-1]) / 2
    light_grid(axes, "y")
    axes.stairs(found["found"], edges, fill=True, color=FOUND_COLOUR, label="found")
    true, false = np.array(found["expected_true"]), np.array(found["expected_false"])
    sigma = found["sigma_arcsec"]
    how = "fitted" if found["sigma_fitted"] else "from the errors"
    label = "no Rayleigh curve fits" if sigma is None else f"Rayleigh, σ = {sigma:.3f}″ ({how})"
    axes.plot(middle, true, color=TRUE_COLOUR, label=label)
    axes.plot(middle, false, color=FALSE_COLOUR, linestyle="--", label="false, expected")
    highest = max([1, *found["found"]])
    axes.set(xlabel="separation (arcsec)", ylabel="pairs per bin", xlim=(0, edges[-1]))
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    axes.set_ylim(0, 3 * highest)
    axes.legend(loc="upper right", handlelength=1.6)


def _losses(axes: Axes, counts: Mapping[str, Any]) -> None:
    """Draw what became of the left objects."""
    parts = {
        "matched, no rival": counts["n_matched"] - counts["n_ambiguous"],
        "matched, ambiguous": counts["n_ambiguous"],
        "partner went to another": counts["n_contested"],
        "no neighbour": counts["n_no_neighbour"],
        "no position": counts["n_left_without_position"],
        "not a candidate": counts["n_left_not_candidates"],
    }
    colours = [TRUE_COLOUR, PALETTE[4], *[FALSE_COLOUR] * 4]
    places = np.arange(len(parts))
    axes.barh(places, list(parts.values()), color=colours, height=0.65)
    total = max(counts["n_left"], 1)
    for place, value in zip(places, parts.values(), strict=True):
        axes.annotate(f"{value:,} ({100 * value / total:.1f} %)", (value, place), (3, 0),
                      textcoords="offset points", va="center", fontsize=7.5)  # fmt: skip
    axes.set_yticks(places, list(parts))
    axes.invert_yaxis()
    axes.set(xlabel="labels", xlim=(0, 1.45 * max([1, *parts.values()])))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")


def _completeness(axes: Axes, found: Mapping[str, Any] | None) -> None:
    """Draw the matched share against magnitude, with Wilson's intervals (1927)."""
    light_grid(axes)
    if found is None:
        axes.set_axis_off()
        axes.annotate("no magnitude was named", (0.5, 0.5), xycoords="axes fraction", ha="center")
        return
    edges = np.array(found["edges_mag"])
    n, k = np.array(found["n"], float), np.array(found["n_matched"], float)
    some = np.flatnonzero(n > 0)
    middle = ((edges[1:] + edges[:-1]) / 2)[some]
    share, low, high = wilson(k[some], n[some])
    axes.errorbar(middle, share, (share - low, high - share), fmt="o", markersize=3.5,
                  color=TRUE_COLOUR, elinewidth=1)  # fmt: skip
    axes.set(xlabel=f"{found['column']} of the {_WORDS[found['side']]} (mag)",
             ylabel="share matched", ylim=(-0.02, 1.02))  # fmt: skip
    missing = found["n_without_magnitude"]
    if missing:
        axes.set_title(f"without a magnitude: {missing:,}", fontsize=7)


def wilson(k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return share, low, high of k of n, each shape (N,): the 68 % score interval."""
    z2 = LEVEL_SIGMAS**2
    share = k / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return share, np.minimum(middle - half, share), np.maximum(middle + half, share)
