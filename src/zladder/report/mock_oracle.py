"""The oracle: its estimates against the true redshift, and whether its densities are calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from zladder.pdf.grid import class_cdf
from zladder.pdf.scores import pit
from zladder.report.metric_words import OUTLIER_LIMITS, outlier_id
from zladder.report.mock_truth import truth_of
from zladder.report.numerals import MINUS
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
    from numpy.typing import NDArray

    from zladder.pdf.pdf_file import ClassPdfs

DENSITY_COLOURS = ("#cfe6d8", "#8fc7a8", "#3f9b78", "#14624f", "#062b26")
PIT_BINS = 20
BAND_LEVEL = 0.99
FALSE_ALARMS = 0.01  # of the test of a flat PIT
SAME = 1e-3  # a label within this times (1 + z) of the truth is a spectroscopic one
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Flatness:
    """Whether values are uniform on 0 to 1.

    Attributes
    ----------
    counts
        In `PIT_BINS` equal bins.
    low, high
        Between them lies the count of a bin of uniform values with a chance of 99 % (binomial).
    p_value
        Of the Kolmogorov-Smirnov test.
    n
        How many values.
    """

    counts: NDArray[np.int64]
    low: float
    high: float
    p_value: float
    n: int


@dataclass(frozen=True)
class Judged:
    """The oracle on the test galaxies of one dataset, against one kind of redshift.

    Attributes
    ----------
    dataset
        Its name.
    against
        ``true z`` or ``label``.
    z, z_phot, pit
        Shape (N,): the redshift, the estimate, the probability integral transform; NaN where
        there is none.
    """

    dataset: str
    against: str
    z: NDArray[np.float64]
    z_phot: NDArray[np.float64]
    pit: NDArray[np.float64]


def flatness(values: NDArray[np.float64]) -> Flatness:
    """Return how flat a histogram of values in [0, 1] is; those that are NaN do not count."""
    known = values[np.isfinite(values)]
    n = len(known)
    counts, _ = np.histogram(known, bins=PIT_BINS, range=(0, 1))
    low, high = stats.binom.interval(BAND_LEVEL, n, 1 / PIT_BINS) if n else (0.0, 0.0)
    p_value = float(stats.kstest(known, "uniform").pvalue) if n else float("nan")
    return Flatness(counts.astype(np.int64), float(low), float(high), p_value, n)


def judge_oracle(predictions: pd.DataFrame, pdfs: ClassPdfs, truth: pd.DataFrame) -> list[Judged]:
    """Return the oracle's test galaxies: against the true z, and the label where that differs.

    Parameters
    ----------
    predictions
        ``object_id dataset split z_true z_phot``; `z_true` is the label.
    pdfs
        Densities of the same objects; those of an object that is listed twice in the same order.
    truth
        The mock sky's, whose ``z_true`` is the true redshift.
    """
    place = pd.Series(np.arange(len(pdfs.object_id)), index=_listings(pdfs.object_id))
    listed = _listings(predictions["object_id"].to_numpy())
    predictions = predictions.assign(place=place.reindex(listed).to_numpy())
    test = predictions[predictions["split"] == "test"]
    found = []
    for dataset, rows in test.groupby("dataset", sort=False):
        ids = rows["object_id"].to_numpy()
        cdf = _cdf_of(pdfs, rows["place"].to_numpy(dtype=np.float64))
        z_phot = rows["z_phot"].to_numpy(dtype=np.float64)
        label = rows["z_true"].to_numpy(dtype=np.float64)
        true = truth_of(truth, ids)["z_true"].to_numpy(dtype=np.float64)
        kinds = {"true z": true}
        known = np.isfinite(true) & np.isfinite(label)
        if (np.abs(label - true) > SAME * (1 + true))[known].any():
            kinds["label"] = label
        found += [
            Judged(str(dataset), against, z, z_phot, pit(pdfs.edges, cdf, z))
            for against, z in kinds.items()
        ]
    return found


def _listings(object_id: NDArray[np.int64]) -> pd.MultiIndex:
    """Return which listing of which object each row is: one of two samples has two densities."""
    count = pd.Series(object_id).groupby(object_id).cumcount()
    return pd.MultiIndex.from_arrays([object_id, count])


def _cdf_of(pdfs: ClassPdfs, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the CDF at the edges, (N, bins + 1); NaN of an object without a density."""
    known = np.isfinite(place)
    cdf = np.full((len(place), len(pdfs.edges)), np.nan)
    cdf[known] = class_cdf(pdfs.pmf[place[known].astype(np.int64)].astype(np.float64))
    return cdf


@styled
def draw_oracle(judged: list[Judged], title: str, convention: str) -> Figure:
    """Return a figure with a row a dataset and kind of redshift: z-z plane and PIT.

    Parameters
    ----------
    judged
        As of `judge_oracle`.
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
    outside = int(((found.counts < found.low) | (found.counts > found.high)).sum())
    axes.set(xlabel="PIT", ylabel="galaxies per bin", xlim=(0, 1),
             ylim=(0, 1.35 * max(found.counts.max(), found.high, 1)))  # fmt: skip
    flat = "flat" if found.p_value >= FALSE_ALARMS else "not flat"
    words: Any = f"{found.n:,} galaxies: p = {found.p_value:.2g}, {flat}\n"
    axes.set_title(f"{words}{outside} of {PIT_BINS} bins outside the band", fontsize=8)
