"""What a dataset holds: redshifts by split and by label, magnitudes, S/N, and splits compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from zladder.report.dataset_columns import bands_of, imaging_columns, signal_to_noise
from zladder.report.dataset_splits import TRAIN, splits_in
from zladder.report.metric_words import KIND_WORDS
from zladder.report.style import (
    INK,
    PALETTE,
    RULE,
    SOFT,
    headline,
    light_grid,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

SPLIT_COLOURS = {"train": "#8aa9c2", "validation": PALETTE[5], "calibration": PALETTE[2],
                 "test": PALETTE[1]}  # fmt: skip
TRAIN_FILL = "#d3dfe9"
SPLIT_MARKERS = {"validation": "s", "calibration": "D", "test": "o"}
# From blue light to red; a band of another name takes the next of the palette.
BAND_COLOURS = {"u": "#5b3fa0", "g": "#1f78b4", "r": "#2a9d5c", "i": "#e0962a", "z": "#c8452f",
                "y": "#7d1d3f"}  # fmt: skip
KIND_COLOURS = {"spec": "#33608a", "photo": "#b5643c", "mock": "#5c8a4c"}
# Parts that find their own room would take as long as drawing them does.
ROOM = {"left": 0.06, "right": 0.99, "wspace": 0.27, "hspace": 0.4}
ROW_IN, HEAD_IN, FOOT_IN = 1.89, 0.68, 0.48
N_BINS = 44
SHOWN_PERCENT = (0.1, 99.8)
DETECTED = 5.0  # sigma: the line in the panel of S/N
NO_LABELS = " that carry no label"
# {column, without its band: (what it is, unit)}
IMAGING = {"psf_fwhm_arcsec": ("seeing", "arcsec"), "sky_sigma_nmgy": ("sky noise", "nmgy")}
N_STEPS = 400


@styled
def draw_light(dataset: pd.DataFrame, compared: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Return the figure; a panel whose columns are not there says so, and none is for no labels.

    Parameters
    ----------
    dataset
        ``split`` and, where there are any, ``z_true z_true_kind fraction_rank mag_{band}`` (AB
        mag), ``mag_err_{band}``, ``psf_fwhm_arcsec_{band}`` and ``sky_sigma_nmgy_{band}``; N rows.
    compared
        As of `compare_splits`.
    about
        ``dataset`` (its name), ``bands`` (from blue to red), ``label_fractions``.
    """
    labelled = bool(np.isfinite(_redshifts(dataset)).any())
    imaging = imaging_columns(dataset, about["bands"])
    first = int(labelled)  # row of the magnitudes
    n_rows = first + 1 + bool(imaging)
    height = HEAD_IN + FOOT_IN + ROW_IN * (n_rows + ROOM["hspace"] * (n_rows - 1))
    figure = Figure(figsize=(10, height))
    words = "" if labelled else NO_LABELS
    headline(figure, f"{about['dataset']}: {len(dataset):,} galaxies{words}")
    grid = figure.add_gridspec(n_rows, 3, width_ratios=(1, 1, 0.92), top=1 - HEAD_IN / height,
                               bottom=FOOT_IN / height, **ROOM)  # fmt: skip
    bands = bands_of(dataset, about["bands"])
    if labelled:
        _by_split(figure.add_subplot(grid[0, 0]), dataset)
        _by_label(figure.add_subplot(grid[0, 1]), dataset, about["label_fractions"])
    _magnitudes(figure.add_subplot(grid[first, 0]), dataset, bands)
    _signal(figure.add_subplot(grid[first, 1]), dataset, bands)
    for place, (name, values) in enumerate(imaging.items()):
        room = grid[-1, place] if len(imaging) > 1 else grid[-1, :2]
        _below(figure.add_subplot(room), dataset, name, values)
    _distances(figure.add_subplot(grid[:, 2]), compared)
    return figure


def _by_split(axes: Axes, dataset: pd.DataFrame) -> None:
    """Draw n(z) of each split, each with the area 1."""
    z = _redshifts(dataset)
    axes.set(title="redshifts by split, each of area 1")
    light_grid(axes, "y")
    axes.set(xlabel="z_true", ylabel="density")
    edges = _edges(z, from_zero=True)
    handles = []
    for name in splits_in(dataset):
        values = z[(dataset["split"] == name).to_numpy() & np.isfinite(z)]
        if not len(values):
            continue
        counts = np.histogram(values, edges)[0] / len(values) / np.diff(edges)
        fill, colour = name == TRAIN, SPLIT_COLOURS[name]
        axes.stairs(counts, edges, color=TRAIN_FILL if fill else colour, fill=fill, linewidth=1.2)
        if fill:
            axes.stairs(counts, edges, color=colour, linewidth=1.2)
        handles.append(Line2D([], [], color=colour, label=f"{name} {len(values):,}"))
    axes.legend(handles=handles, loc="upper right", handlelength=1.2)
    axes.set_xlim(edges[0], edges[-1])


def _by_label(axes: Axes, dataset: pd.DataFrame, fractions: Sequence[float]) -> None:
    """Draw how many galaxies there are of each kind of label, and of each label fraction."""
    z = _redshifts(dataset)
    axes.set(title="redshifts by kind of label, and fraction")
    light_grid(axes, "y")
    axes.set(xlabel="z_true", ylabel="galaxies per bin", yscale="log")
    edges = _edges(z, from_zero=True)
    known = np.isfinite(z)
    kinds = dataset["z_true_kind"].to_numpy() if "z_true_kind" in dataset else None
    names = sorted(set(kinds[known])) if kinds is not None else ["of a kind not stated"]
    top = 1.0
    for place, name in enumerate(names):
        values = z[known & (kinds == name)] if kinds is not None else z[known]
        counts = np.histogram(values, edges)[0]
        colour = KIND_COLOURS.get(str(name), PALETTE[place])
        label = f"{KIND_WORDS.get(str(name), name)} {len(values):,}"
        axes.stairs(counts, edges, color=colour, linewidth=1.5, label=label)
        top = max(top, float(counts.max()))
    for place, (fraction, values) in enumerate(_fractions(dataset, z, fractions)):
        counts = np.histogram(values, edges)[0]
        grey = str(0.35 + 0.13 * min(place, 3))
        label = f"{100 * fraction:g} % of train {len(values):,}"
        axes.stairs(counts, edges, color=grey, linewidth=0.9, label=label)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper right", fontsize=7, handlelength=1.2)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0.7, top * 6))


def _fractions(
    dataset: pd.DataFrame, z: np.ndarray, fractions: Sequence[float]
) -> list[tuple[float, np.ndarray]]:
    """Return (fraction, redshifts of the training galaxies in it), from many to few."""
    if "fraction_rank" not in dataset:
        return []
    rank = dataset["fraction_rank"].to_numpy()
    train = (dataset["split"] == TRAIN).to_numpy() & np.isfinite(z)
    return [(f, z[train & (rank < f)]) for f in sorted(fractions, reverse=True) if f < 1]


def _magnitudes(axes: Axes, dataset: pd.DataFrame, bands: Sequence[str]) -> None:
    """Draw how bright the galaxies are in each band; what has no number is counted."""
    axes.set(title="magnitudes by band")
    light = {band: dataset[f"mag_{band}"].to_numpy(dtype=np.float64) for band in bands}
    finite = {band: values[np.isfinite(values)] for band, values in light.items()}
    shown = np.concatenate([np.empty(0), *finite.values()])
    if not len(shown):
        _say(axes, "no magnitudes")
        return
    light_grid(axes, "y")
    edges = _edges(shown)
    for band, values in finite.items():
        lost = len(light[band]) - len(values)
        label = f"{band} ({lost:,} without)" if lost else band
        counts = np.histogram(values, edges)[0]
        axes.stairs(counts, edges, color=band_colour(band, bands), linewidth=1.4, label=label)
    axes.legend(loc="upper left", handlelength=1.1)
    axes.set(xlabel="magnitude (AB mag)", ylabel="galaxies per bin", xlim=(edges[0], edges[-1]))


def _signal(axes: Axes, dataset: pd.DataFrame, bands: Sequence[str]) -> None:
    """Draw the share of galaxies above a signal-to-noise ratio, for each band."""
    axes.set(title="signal-to-noise by band, 1.0857 / mag_err")
    with_error = [band for band in bands if f"mag_err_{band}" in dataset]
    ratios = {b: signal_to_noise(dataset[f"mag_err_{b}"].to_numpy()) for b in with_error}
    known = {band: values[np.isfinite(values)] for band, values in ratios.items()}
    shown = np.concatenate([np.empty(0), *known.values()])
    if not len(shown):
        _say(axes, "no errors of magnitudes")
        return
    light_grid(axes, "y")
    low, high = np.percentile(shown, SHOWN_PERCENT)
    edges = np.geomspace(max(low, 0.1), max(high, 2 * max(low, 0.1)), N_BINS + 1)
    axes.axvline(DETECTED, color=SOFT, linewidth=0.9, linestyle=(0, (3, 2)))
    top = 1.0
    for band, values in known.items():
        label = f"{band} {100 * np.mean(values < DETECTED):.1f} %" if len(values) else band
        counts = np.histogram(values, edges)[0]
        top = max(top, float(counts.max()))
        axes.stairs(counts, edges, color=band_colour(band, bands), linewidth=1.4, label=label)
    axes.legend(loc="upper center", ncols=3, handlelength=1.1, columnspacing=1.0, fontsize=7.5,
                title=f"below {DETECTED:g}", title_fontsize=7.5,
                frameon=True, framealpha=0.9, edgecolor="none")  # fmt: skip
    axes.set(xlabel="flux over its error", ylabel="galaxies per bin", xscale="log",
             xlim=(edges[0], edges[-1]), ylim=(0, 1.5 * top))  # fmt: skip
    ticks = [step for step in (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)
             if edges[0] <= step <= edges[-1]]  # fmt: skip
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def _below(axes: Axes, dataset: pd.DataFrame, column: str, values: np.ndarray) -> None:
    """Draw the share of each split with a smaller number, (N,): a step where a field has many."""
    words, unit = _words_of(column)
    axes.set(title=f"{words}: share of each split with less")
    known = np.isfinite(values)
    if not known.any():
        _say(axes, "not known")
        return
    light_grid(axes, "y")
    low, high = np.percentile(values[known], SHOWN_PERCENT)
    aside = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    places = np.linspace(low - aside, high + aside, N_STEPS)
    for name in splits_in(dataset):
        found = np.sort(values[known & (dataset["split"] == name).to_numpy()])
        if len(found):
            axes.plot(places, np.searchsorted(found, places) / len(found), linewidth=1.4,
                      color=SPLIT_COLOURS[name], label=f"{name} {len(found):,}")  # fmt: skip
    axes.legend(loc="lower right", handlelength=1.2)
    axes.set(xlabel=f"{words} ({unit})", ylabel="share", xlim=(places[0], places[-1]), ylim=(0, 1))


def _distances(axes: Axes, compared: pd.DataFrame) -> None:
    """Draw the KS distance of each column and split beside what exchanged cells give."""
    axes.set(title="distance of each split from train (KS)")
    if compared.empty:
        _say(axes, "one split:\nnothing to compare")
        return
    light_grid(axes, "x")
    columns = list(dict.fromkeys(compared["column"]))
    splits = list(dict.fromkeys(compared["split"]))
    places = {name: place for place, name in enumerate(columns)}
    for number, split in enumerate(splits):
        rows = compared[compared["split"] == split]
        height = rows["column"].map(places).to_numpy() + 0.25 * (number - (len(splits) - 1) / 2)
        axes.hlines(height, 0, rows["ks_by_chance95"], color=RULE, linewidth=4.5)
        small = (rows["p_cells"] < 0.01).to_numpy()
        for chosen, face in ((small, SPLIT_COLOURS[split]), (~small, "white")):
            axes.plot(rows["ks"][chosen], height[chosen], SPLIT_MARKERS[split], markersize=4.6,
                      markerfacecolor=face, markeredgecolor=SPLIT_COLOURS[split],
                      markeredgewidth=1.3)  # fmt: skip
    handles = [Line2D([], [], color=SPLIT_COLOURS[split], marker=SPLIT_MARKERS[split], ls="",
                      markerfacecolor="white", markersize=4.6, label=split)
               for split in splits]  # fmt: skip
    handles.append(Line2D([], [], color=RULE, linewidth=5, label="95 % by chance"))
    axes.legend(handles=handles, loc="lower right", ncols=2, handletextpad=0.5, columnspacing=1.0,
                handlelength=1.1)  # fmt: skip
    axes.set(ylim=(1.13 * len(columns), -0.6), xlim=(0, None))
    axes.set_yticks(range(len(columns)), labels=[_words_of(column)[0] for column in columns])
    axes.tick_params(axis="y", length=0, labelcolor=INK)


def _words_of(column: str) -> tuple[str, str]:
    """Return what a column is called in the figure, and its unit if it is of the imaging."""
    family, _, band = column.rpartition("_")
    if family not in IMAGING:
        return column, ""
    what, unit = IMAGING[family]
    return f"{what}, {band}", unit


def _say(axes: Axes, words: str) -> None:
    """Write into an empty panel why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=SOFT)


def _redshifts(dataset: pd.DataFrame) -> np.ndarray:
    if "z_true" not in dataset:
        return np.full(len(dataset), np.nan)
    return dataset["z_true"].to_numpy(dtype=np.float64)


def band_colour(band: str, bands: Sequence[str]) -> str:
    """Return the colour of a band, one of several."""
    return BAND_COLOURS.get(band, PALETTE[list(bands).index(band) % len(PALETTE)])


def _edges(values: np.ndarray, *, from_zero: bool = False) -> np.ndarray:
    """Return the edges of bins that hold nearly all finite values."""
    low, high = np.percentile(values[np.isfinite(values)], SHOWN_PERCENT)
    low = 0.0 if from_zero else low
    return np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
