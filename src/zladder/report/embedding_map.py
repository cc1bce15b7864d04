"""Maps of what encoders see: the two main directions of their features, coloured by redshift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize

from zladder.config.names import method_of
from zladder.learning.features import read_features
from zladder.provenance.errors import BadInput
from zladder.report.style import INK, SOFT, footline, headline, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST_GALAXIES = 3  # two directions need as many
PANEL_IN = 2.75
MOST_COLUMNS = 5
READING = (
    "axes: the two main directions of the features, logarithmic beyond the middle half of the "
    "galaxies; the percentages are their shares of the variance · R²: how much of the variance of "
    "z_true a plane through the two explains · dust drift: how far a galaxy moves when dust is "
    "added in front of it, over the typical distance of two galaxies"
)
REDSHIFT_COLOURS = ("#23104d", "#3b3f95", "#2f7f9e", "#45b28a", "#b5cf5b", "#f5b83d", "#e8613c")
SHOWN = (0.01, 0.99)  # quantiles of z_true that the colours span
FRAME = (0.003, 0.997)  # quantiles of a direction that the axes span
MOST_POINT_AREA, LEAST_POINT_AREA = 14.0, 2.0  # points²
INK_BUDGET = 9000.0  # area of all points together, points²: dense maps get finer points


@dataclass(frozen=True)
class Map:
    """The features of test galaxies in two dimensions.

    Attributes
    ----------
    name
        Of the encoder's method.
    galaxies
        Their rows of the dataset, N of them, with finite ``z_true``.
    places
        Principal components 1 and 2, float64 (N, 2).
    shares
        Share of the features' variance along each, (2,).
    r2
        Share of the variance of z_true that a line through both components explains.
    """

    name: str
    galaxies: pd.DataFrame
    places: np.ndarray
    shares: np.ndarray
    r2: float


def read_map(features: Path, dataset: pd.DataFrame, tested: str = "test") -> Map:
    """Return the map of one encoder.

    Parameters
    ----------
    features
        Of the encoder, for the galaxies of the dataset; its name is that of the run.
    dataset
        ``object_id split z_true``.
    tested
        The split whose galaxies are the test galaxies (`zladder.tables.split_notes`).

    Raises
    ------
    BadInput
        If there are fewer than 3 test galaxies with a redshift, or one of them has no features.
    """
    galaxies = dataset[(dataset["split"] == tested) & dataset["z_true"].notna()]
    if len(galaxies) < FEWEST_GALAXIES:
        raise BadInput("the dataset", "column split", f"{FEWEST_GALAXIES} or more test galaxies",
                       str(len(galaxies)), "take a larger scale")  # fmt: skip
    values = read_features(features, galaxies["object_id"].to_numpy()).astype(np.float64)
    z_true = galaxies["z_true"].to_numpy(dtype=np.float64)
    places, shares = principal_components(values, z_true)
    return Map(method_of(features.stem), galaxies, places, shares, _explained(places, z_true))


def principal_components(features: np.ndarray, z_true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return components 1 and 2 (N, 2), and their shares of the variance (2,).

    Parameters
    ----------
    features
        Shape (N, D), N and D >= 2; centred here, not scaled: a direction weighs what it varies.
    z_true
        Shape (N,); the sign of a component is such that redshift grows along it.
    """
    centred = features - features.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    places = centred @ directions[:2].T
    total = float((lengths**2).sum())
    signs = np.sign((z_true - z_true.mean()) @ places)
    shares = lengths[:2] ** 2 / total if total > 0 else np.zeros(2)
    return places * np.where(signs == 0, 1, signs), shares


def _explained(places: np.ndarray, z_true: np.ndarray) -> float:
    """Return R² of the least-squares plane z_true ~ 1 + component 1 + component 2."""
    design = np.column_stack([np.ones(len(places)), places])
    fitted = design @ np.linalg.lstsq(design, z_true, rcond=None)[0]
    variance = float(np.var(z_true))
    return 1 - float(np.mean((z_true - fitted) ** 2)) / variance if variance > 0 else float("nan")


@styled
def draw_maps(maps: Sequence[Map], drift: Mapping[str, float], about: Mapping[str, Any]) -> Figure:
    """Return one panel an encoder, all with the same colours.

    Parameters
    ----------
    maps
        In the order in which they are shown.
    drift
        {name: mean drift of a galaxy with dust, over the typical distance of two galaxies}.
    about
        ``title``, ``dataset``.
    """
    columns = min(MOST_COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure = new_figure(max(PANEL_IN * columns, 6.5) + 0.9, (PANEL_IN + 0.35) * rows + 0.85)
    headline(figure, f"{about['title']}: what the encoders see")
    who = f"{len(maps[0].galaxies):,} test galaxies of {about['dataset']}"
    footline(figure, f"{who}, which no encoder learned from · {READING}")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    z_true = np.concatenate([found.galaxies["z_true"].to_numpy() for found in maps])
    norm = Normalize(*np.quantile(z_true, SHOWN))
    for axes, found in zip(grid, maps, strict=False):
        points = _panel(axes, found, drift[found.name], norm)
    for axes in grid[len(maps) :]:
        axes.set_axis_off()
    bar = figure.colorbar(points, ax=list(grid), shrink=0.75, pad=0.012, aspect=28)
    bar.outline.set_visible(False)
    bar.set_label("z_true")
    return figure


def redshift_colours() -> LinearSegmentedColormap:
    """Return the colours of redshift: night to dawn, growing lighter and then warmer."""
    return LinearSegmentedColormap.from_list("redshift", REDSHIFT_COLOURS)


def scaled(found: Map) -> np.ndarray:
    """Return the places as they are drawn, (N, 2).

    asinh of the distance from the median over half the interquartile range: even inside the middle
    half of the galaxies, logarithmic far outside, since features have long tails.
    """
    low, middle, high = np.quantile(found.places, (0.25, 0.5, 0.75), axis=0)
    half = (high - low) / 2
    return np.asarray(np.arcsinh((found.places - middle) / np.where(half > 0, half, 1)))


def _panel(axes: Axes, found: Map, drift: float, norm: Normalize) -> Any:
    """Draw one encoder's galaxies; the far ones last, so that they are not buried."""
    places = scaled(found)
    z_true = found.galaxies["z_true"].to_numpy()
    order = np.argsort(z_true, kind="stable")
    area = float(np.clip(INK_BUDGET / len(order), LEAST_POINT_AREA, MOST_POINT_AREA))
    points = axes.scatter(
        places[order, 0], places[order, 1], c=z_true[order], norm=norm, s=area,
        cmap=redshift_colours(), linewidths=0, alpha=0.8, rasterized=True,
    )  # fmt: skip
    (left, low), (right, high) = np.quantile(places, FRAME, axis=0)
    reach = 0.56 * max(right - left, high - low, 1e-6)
    middle = (left + right) / 2, (low + high) / 2
    axes.set(
        xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach)
    )
    axes.set_aspect("equal")
    axes.set_title(found.name, fontweight="bold", color=INK, pad=17)
    n_outside = int((np.abs(places - middle) > reach).any(axis=1).sum())
    outside = f" · outside {n_outside:,}" if n_outside else ""
    axes.text(0, 1.02, f"R² {found.r2:.2f} · dust drift {drift:.2f}{outside}", fontsize=7.5,
              color=SOFT, transform=axes.transAxes)  # fmt: skip
    axes.set_xlabel(f"component 1 · {100 * found.shares[0]:.0f} %", color=SOFT)
    axes.set_ylabel(f"component 2 · {100 * found.shares[1]:.0f} %", color=SOFT)
    axes.set(xticks=[], yticks=[])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_facecolor("#f7f8fa")
    return points
