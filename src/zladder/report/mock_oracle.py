"""The oracle's figure: its estimates against the redshift, and the histogram of its PIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.report.metric_words import OUTLIER_LIMITS, outlier_id
from zladder.report.numerals import MINUS
from zladder.report.oracle_pit import FALSE_ALARMS, PIT_BINS, flatness
from zladder.report.plane_panel import Plane, draw_plane, top_of
from zladder.report.style import (
    PALETTE,
    SOFT,
    count_bar,
    footline,
    headline,
    light_grid,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zladder.report.oracle_pit import Judged

DENSITY_COLOURS = ("#cfe6d8", "#8fc7a8", "#3f9b78", "#14624f", "#062b26")
MAD_TO_SIGMA = 1.4826


@styled
def draw_oracle(judged: list[Judged], title: str, convention: str) -> Figure:
    """Return a figure with a row a dataset and kind of redshift: z-z plane and PIT.

    Parameters
    ----------
    judged
        As of `oracle_pit.judge_oracle`.
    title, convention
        Of the study.
    """
    figure = new_figure(8.6, 3.5 * max(len(judged), 1) + 0.8)
    headline(figure, f"{title}: the oracle")
    footline(
        figure,
        "the oracle knows the population that was simulated, the noise and the selection · solid: "
        "z_phot = z · shade: where 99 % of the bins of a flat PIT lie, bin by bin · p: "
        f"Kolmogorov-Smirnov; below {FALSE_ALARMS:g} the PIT is not flat",
    )
    rows = figure.subfigures(max(len(judged), 1), 1, squeeze=False)[:, 0]
    for part, one in zip(rows, judged, strict=False):
        axes = part.subplots(1, 2, width_ratios=(1.1, 1))
        panel = _plane(one, convention)
        image = draw_plane(axes[0], panel, top_of(panel.z_true), DENSITY_COLOURS)
        if image.get_array().size:
            count_bar(part, image, axes[0], "galaxies per cell", shrink=0.85, pad=0.02)
        axes[0].set_title(panel.title, pad=30)
        axes[0].set(xlabel="z_true" if one.against == "true z" else "label", ylabel="z_phot")
        _draw_pit(axes[1], one)
    return figure


def _plane(one: Judged, convention: str) -> Plane:
    used = np.isfinite(one.z) & np.isfinite(one.z_phot)
    z, z_phot = one.z[used], one.z_phot[used]
    limit = OUTLIER_LIMITS[outlier_id(convention)]
    notes = [f"no answer {int((~used).sum()):,}"] if not used.all() else []
    if len(z):
        dz = (z_phot - z) / (1 + z)
        scatter = MAD_TO_SIGMA * float(np.median(np.abs(dz - np.median(dz))))
        told = [f"sigma_nmad {scatter:.4f}", f"bias_mean {dz.mean():+.4f}".replace("-", MINUS),
                f"|dz| > {limit:g}: {np.mean(np.abs(dz) > limit):.4f}"]  # fmt: skip
        notes = [*told, *notes]
    return Plane(f"{one.dataset}, against the {one.against}", len(one.z), z, z_phot, notes, limit)


def _draw_pit(axes: Axes, one: Judged) -> None:
    """Draw the histogram of the PIT with the band of a flat one."""
    found = flatness(one.pit)
    light_grid(axes, "y")
    axes.axhspan(found.low, found.high, color="#e3e8ec", zorder=0)
    axes.axhline(found.n / PIT_BINS, color=SOFT, linewidth=0.9)
    edges = np.linspace(0, 1, PIT_BINS + 1)
    axes.stairs(found.counts, edges, color=PALETTE[0], linewidth=1.4)
    axes.set(xlabel="PIT", ylabel="galaxies per bin", xlim=(0, 1),
             ylim=(0, 1.35 * max(found.counts.max(), found.high, 1)))  # fmt: skip
    flat = "flat" if found.is_flat else "not flat"
    words = f"{found.n:,} galaxies: p = {found.p_value:.2g}, {flat}\n"
    axes.set_title(f"{words}{found.outside} of {PIT_BINS} bins outside the band", fontsize=8)
