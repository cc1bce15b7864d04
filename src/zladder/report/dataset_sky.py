"""Where the galaxies of a dataset lie on the sky, and that its splits lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units
from astropy_healpix import HEALPix
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zladder.report.dataset_light import SPLIT_COLOURS
from zladder.report.dataset_splits import splits_in
from zladder.report.graticule import draw_graticule
from zladder.report.projection import WHOLE_SKY_DEG, Map, map_of
from zladder.report.style import headline, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

CELLS_ACROSS = 9  # of the sky shown in detail
PATCH_ORDERS = 3  # a patch to choose from is 2^3 cells wide
RASTER, RASTER_WHOLE = (64, 220), (96, 330)  # fewest and most steps across a map of all galaxies
FEW_STEPS = 300  # with fewer than these filled, the map is drawn coarser: single fields are seen
SMALLEST_DEG = 0.05  # across a map
# Of the maps in the figure; the whole sky is twice as wide as high, and has names at its left end.
ROOM, ROOM_AT_RIGHT, WIDE_ROOM = ((0.075, 0.14, 0.40, 0.75), (0.585, 0.14, 0.40, 0.75),
                                  (0.015, 0.14, 0.515, 0.75))  # fmt: skip


@styled
def draw_sky(dataset: pd.DataFrame, cells: np.ndarray | None, about: Mapping[str, Any]) -> Figure:
    """Return a figure of two maps: all galaxies, and one place with the cells of the splits.

    Parameters
    ----------
    dataset
        ``ra dec`` (deg, ICRS) and ``split``; N rows.
    cells
        The sky cell of each galaxy, nested HEALPix, int64 (N,); None where there are no positions:
        the figure then says so.
    about
        ``dataset`` (its name), ``sky_cell_order``; ``stamp_arcsec``: width of a stamp, 0 without.
    """
    figure = Figure(figsize=(10, 4.8))
    if cells is None:
        figure.set_size_inches(10, 0.9)
        headline(figure, f"{about['dataset']}: its survey gives no positions")
        return figure
    headline(figure, f"{about['dataset']} on the sky: {len(dataset):,} galaxies in "
                     f"{len(np.unique(cells)):,} cells")  # fmt: skip
    sky = map_of(dataset["ra"].to_numpy(), dataset["dec"].to_numpy())
    left = figure.add_axes(WIDE_ROOM if sky.whole else ROOM)
    right = figure.add_axes(ROOM_AT_RIGHT)
    _whole(left, dataset, sky)
    _detail(right, dataset, cells, about)
    handles = [Line2D([], [], marker="s", ls="", color=SPLIT_COLOURS[name], label=name)
               for name in splits_in(dataset)]  # fmt: skip
    figure.legend(handles=handles, loc="lower left", ncols=4, bbox_to_anchor=(0.05, -0.01),
                  handletextpad=0.2, columnspacing=1.4)  # fmt: skip
    return figure


def _whole(axes: Axes, dataset: pd.DataFrame, sky: Map) -> None:
    """Draw all galaxies: each step of the map has the colour of the split with most in it."""
    dec = dataset["dec"].to_numpy()
    x, y = sky.project(dataset["ra"].to_numpy(), dec)
    half = 1.06 * max(np.ptp(x), np.ptp(y), SMALLEST_DEG) / 2
    reach = (1.09 * WHOLE_SKY_DEG[0], 1.06 * WHOLE_SKY_DEG[1]) if sky.whole else (half, half)
    centre = (0, 0) if sky.whole else ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2)
    names, split = splits_in(dataset), dataset["split"].to_numpy()
    raster = RASTER_WHOLE if sky.whole else RASTER
    for n_steps in (int(np.clip(1.6 * np.sqrt(len(x)), *raster)), raster[0]):
        edges = [np.linspace(middle - part, middle + part, round(n_steps * part / reach[0]) + 1)
                 for middle, part in zip(centre, reach, strict=True)]  # fmt: skip
        counts = np.stack([np.histogram2d(y[split == name], x[split == name], edges[::-1])[0]
                           for name in names])  # fmt: skip
        if np.count_nonzero(counts.sum(axis=0)) > FEW_STEPS:
            break
    colours = np.array([to_rgb(SPLIT_COLOURS[name]) for name in names])
    total = counts.sum(axis=0)
    depth = np.log1p(total) / np.log1p(max(total.max(), 1))
    shade = np.where(total > 0, 0.5 + 0.5 * depth, 0)[..., None]
    image = 1 - shade * (1 - colours[counts.argmax(axis=0)])
    extent = (edges[0][0], edges[0][-1], edges[1][0], edges[1][-1])
    axes.imshow(image, origin="lower", extent=extent, interpolation="nearest", aspect="equal")
    axes.set(xlim=extent[1::-1], ylim=extent[2:])  # east is at the left
    axes.set_anchor("N")
    draw_graticule(axes, sky, dec)
    kind = "Hammer" if sky.whole else "Lambert azimuthal"
    axes.set_title(f"all of them ({kind}, equal areas)")


def _detail(axes: Axes, dataset: pd.DataFrame, cells: np.ndarray, about: Mapping[str, Any]) -> None:
    """Draw the cells of one place in the colours of their splits, and its galaxies."""
    order, width = about["sky_cell_order"], cell_width_deg(about["sky_cell_order"])
    middle = _place_to_show(dataset, cells)
    ra, dec = dataset["ra"].to_numpy(), dataset["dec"].to_numpy()
    sky = Map(float(ra[middle]), float(dec[middle]), whole=False)
    x, y = sky.project(ra, dec)
    half = CELLS_ACROSS * width / 2
    near = (np.abs(x) < half + 2 * width) & (np.abs(y) < half + 2 * width)  # x, y grow outwards
    split = dataset["split"].to_numpy()
    grid = HEALPix(nside=2**order, order="nested")
    for name in splits_in(dataset):
        rows = near & (split == name)
        if not rows.any():
            continue
        corners = grid.boundaries_lonlat(np.unique(cells[rows]), step=2)
        polygons = np.stack(sky.project(*(part.to_value(units.deg) for part in corners)), axis=-1)
        axes.add_collection(PolyCollection(list(polygons), facecolor=_tint(SPLIT_COLOURS[name]),
                                           edgecolor="white", linewidth=0.8))  # fmt: skip
    _galaxies(axes, x[near], y[near], split[near], about["stamp_arcsec"] / 3600)
    axes.set(xlim=(half, -half), ylim=(-half, half), aspect="equal")
    draw_graticule(axes, sky, dec[near])
    what = f", stamps of {about['stamp_arcsec']:.0f}″" if about["stamp_arcsec"] else ""
    size = f"{60 * width:.1f}′" if 60 * width >= 1 else f"{3600 * width:.0f}″"
    axes.set_title(f"one place: cells of {size} (HEALPix order {order}){what}")


def cell_width_deg(order: int) -> float:
    """Return the mean width of a HEALPix cell, the root of its area."""
    return float(np.degrees(np.sqrt(np.pi / 3.0) / 2**order))


def _place_to_show(dataset: pd.DataFrame, cells: np.ndarray) -> int:
    """Return the row of a galaxy amid the patch with most splits, then with most galaxies."""
    patch, group = np.unique(cells >> (2 * PATCH_ORDERS), return_inverse=True)
    n_splits = np.zeros(len(patch), dtype=np.int64)
    for name in splits_in(dataset):
        n_splits[np.unique(group[(dataset["split"] == name).to_numpy()])] += 1
    best = int(np.lexsort((np.bincount(group), n_splits))[-1])
    rows = np.flatnonzero(group == best)
    dec = dataset["dec"].to_numpy()[rows]
    ra = dataset["ra"].to_numpy()[rows]
    east = (ra - ra[0] + 180) % 360 - 180
    away = np.hypot((east - np.median(east)) * np.cos(np.radians(dec)), dec - np.median(dec))
    return int(rows[np.argmin(away)])


def _galaxies(
    axes: Axes, x: np.ndarray, y: np.ndarray, split: np.ndarray, stamp_deg: float
) -> None:
    """Draw galaxies as the squares that their stamps cover; as dots where they have none."""
    for name, colour in SPLIT_COLOURS.items():
        rows = split == name
        dark = tuple(0.75 * part for part in to_rgb(colour))
        if not stamp_deg:
            axes.plot(x[rows], y[rows], "o", color=dark, markersize=2.2, markeredgewidth=0)
            continue
        offsets = stamp_deg / 2 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        squares = np.stack([x[rows], y[rows]], axis=1)[:, None] + offsets
        axes.add_collection(PolyCollection(list(squares), facecolor="none", edgecolor=dark,
                                           linewidth=0.7))  # fmt: skip


def _tint(colour: str) -> tuple[float, float, float]:
    red, green, blue = (1 - 0.42 * (1 - part) for part in to_rgb(colour))
    return red, green, blue
