"""Whether the oracle's densities are calibrated: the probability integral transform, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from zladder.pdf.grid import class_cdf
from zladder.pdf.scores import pit
from zladder.report.mock_truth import truth_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from zladder.pdf.pdf_file import ClassPdfs

PIT_BINS = 20
BAND_LEVEL = 0.99
FALSE_ALARMS = 0.01  # of the test of a flat PIT
SAME = 1e-3  # a label within this times (1 + z) of the truth is a spectroscopic one
PIT_COLUMNS = {
    "dataset": "str",
    "against": "str",
    "n": "int64",
    "p_value": "float64",
    "bins_outside": "int64",
    "is_flat": "bool",
}


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

    @property
    def outside(self) -> int:
        """How many bins lie outside the band."""
        return int(((self.counts < self.low) | (self.counts > self.high)).sum())

    @property
    def is_flat(self) -> bool:
        """Whether the test finds nothing, at `FALSE_ALARMS`; False of no values."""
        return self.p_value >= FALSE_ALARMS


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


def pit_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """Return a row a dataset and kind of redshift, with `PIT_COLUMNS`.

    ``n`` galaxies have a PIT; ``p_value`` is that of the Kolmogorov-Smirnov test, ``bins_outside``
    counts the bins of `PIT_BINS` outside the band of a flat one.
    """
    rows = []
    for one in judged:
        found = flatness(one.pit)
        told = (one.dataset, one.against, found.n, found.p_value, found.outside, found.is_flat)
        rows.append(dict(zip(PIT_COLUMNS, told, strict=True)))
    return pd.DataFrame(rows, columns=list(PIT_COLUMNS)).astype(PIT_COLUMNS)
