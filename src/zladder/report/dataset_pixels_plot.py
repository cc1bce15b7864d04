"""The pixels of an image dataset: histograms before and after the stretch, and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from zladder.report.dataset_light import band_colour
from zladder.report.dataset_pixels import ANY_BAND, border_sigma
from zladder.report.pixel_shares import ShownPixels
from zladder.report.style import PALETTE, SOFT, headline, light_grid, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from zladder.report.dataset_pixels import Pixels

N_BINS = 120
LINEAR_SIGMAS = 3.0  # of the noise: where the axis of fluxes turns logarithmic
SEEN_PERCENT = (0.01, 99.95)
FLAG_COLOURS = (PALETTE[5], PALETTE[7], PALETTE[1], PALETTE[0], PALETTE[2], PALETTE[3])


@styled
def draw_pixels(
    pixels: Pixels, seen: Mapping[str, ShownPixels], flags: pd.DataFrame, about: Mapping[str, Any]
) -> Figure:
    """Return the figure: a panel of fluxes, one for each way they are seen, one of flags.

    Parameters
    ----------
    pixels
        As of `sample_pixels`, N stamps.
    seen
        {what it is called: crops of `as_seen`}.
    flags
        As of `count_flags`.
    about
        ``dataset`` (its name).
    """
    n_panels = 2 + len(seen)
    figure = Figure(figsize=(10, 3.5))
    n_pixels = pixels.flux_nmgy.shape[-1]
    headline(figure, f"{about['dataset']}, pixels: {len(pixels.flux_nmgy):,} stamps of "
                     f"{n_pixels} × {n_pixels}")  # fmt: skip
    axes = figure.subplots(1, n_panels, gridspec_kw={
        "left": 0.065, "right": 0.99, "top": 0.8, "bottom": 0.14, "wspace": 0.26,
        "width_ratios": [1.15, *[1] * len(seen), 0.8],
    })  # fmt: skip
    _fluxes(axes[0], pixels)
    for panel, (what, shown) in zip(axes[1:], seen.items(), strict=False):
        _values(panel, shown, pixels.bands, what)
    _flags(axes[-1], flags)
    return figure


def _fluxes(axes: Axes, pixels: Pixels) -> None:
    """Draw the fluxes as they were cut, the axis logarithmic beyond the noise."""
    light_grid(axes, "y")
    linear = LINEAR_SIGMAS * float(np.median(border_sigma(pixels.flux_nmgy)))
    linear = linear if linear > 0 else 1.0
    factor = np.full_like(pixels.extinction_mag, 1 / linear)
    scaled = ShownPixels(pixels.flux_nmgy, pixels.code_scale, factor, np.arcsinh)
    low, high = scaled.reach()
    edges = np.linspace(np.nextafter(low, -np.inf), high if high > low else low + 1, N_BINS + 1)
    _stairs(axes, scaled, edges, pixels.bands)
    powers = [sign * 10.0**power for sign in (-1, 1) for power in range(-4, 6)]
    ticks = [0.0, *[tick for tick in powers if abs(tick) >= 1.5 * linear]]
    ticks = [tick for tick in ticks if low <= np.arcsinh(tick / linear) <= high]
    axes.set_xticks([np.arcsinh(tick / linear) for tick in ticks],
                    labels=[f"{tick:g}".replace("-", "−") for tick in ticks])  # fmt: skip
    axes.set(xlabel="flux of a pixel (nmgy)", ylabel="share of pixels per bin")
    axes.set(title=f"as cut, linear within {linear:.2g} nmgy", xlim=(edges[0], edges[-1]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper right", handlelength=1.1)


def _stairs(axes: Axes, shown: ShownPixels, edges: np.ndarray, bands: tuple[str, ...]) -> None:
    """Draw the shares of each band; of spread codes, a tenth of a pixel a bin and more."""
    for band, shares in zip(bands, shown.shares(edges), strict=True):
        axes.stairs(shares, edges, color=band_colour(band, bands), linewidth=1.2, label=band)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.1 * len(bands) / shown.flux_nmgy.size)


def _values(axes: Axes, shown: ShownPixels, bands: tuple[str, ...], what: str) -> None:
    """Draw what a network is given."""
    light_grid(axes, "y")
    low, high = np.percentile(shown.values, SEEN_PERCENT)
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    _stairs(axes, shown, edges, bands)
    axes.axvline(0, color=SOFT, linewidth=0.7)
    axes.set(xlabel="value that a network gets", title=what, xlim=(edges[0], edges[-1]))
    axes.yaxis.set_minor_locator(NullLocator())


def _flags(axes: Axes, flags: pd.DataFrame) -> None:
    """Draw the share of flagged stamps in each band."""
    axes.set(title="flags, % of the stamps")
    names = [name for name, rows in flags.groupby("flag", sort=False) if rows["n_flagged"].any()]
    if not names:
        axes.set_axis_off()
        axes.text(0.5, 0.5, f"none of {flags['n'].max():,} stamps\nhas a flag", ha="center",
                  va="center", color=SOFT, transform=axes.transAxes)  # fmt: skip
        return
    light_grid(axes, "x")
    bands = list(dict.fromkeys(flags["band"]))
    for number, name in enumerate(names):
        rows = flags[flags["flag"] == name].set_index("band").loc[bands]
        height = np.arange(len(bands)) + 0.8 * ((number + 0.5) / len(names) - 0.5)
        colour, label = FLAG_COLOURS[number % len(FLAG_COLOURS)], str(name).replace("_", " ")
        axes.barh(height, 100 * rows["n_flagged"] / rows["n"], height=0.72 / len(names),
                  color=colour, label=label)  # fmt: skip
    axes.set(ylim=(len(bands) + 0.35 * len(names), -0.7))
    axes.set_yticks(range(len(bands)), labels=["any band" if b == ANY_BAND else b for b in bands])
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", handlelength=0.9)
