"""Identifiers, order, tile and position must say nothing of the redshift.

Beyond what photometry, dust and depth explain: where a survey is shallow or dusty it lists other
galaxies. A magnitude with its error tells how deep the survey is there, so that what is known of a
galaxy is magnitudes, errors and E(B-V), as for the oracle. A boosting machine learns from a half of
a sample which galaxies lie above the redshift that these make likely; on the other half its answers
must be at chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from zladder.config.names import AT_CHANCE, LEAK
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.pdf.grid import Floats

CELL_ORDERS = (5, 7, 9)  # HEALPix: 1.8 degrees to 7 arcmin
FIELD_DEG = 0.1  # positions within a field where the survey names none
DIGITS = (10, 100, 1000, 2**8, 2**16)
KNOTS_MAX = 10  # of the piecewise-linear function of each known column
ROWS_PER_KNOT = 40  # in the whole sample, over all columns
GALAXIES_MIN = 300  # from there on the statistic's tail at 1e-3 is near the normal one
GALAXIES_MAX = 12_000  # of a sample, drawn at random: more than a leak needs to show
TREES = {"max_iter": 30, "max_leaf_nodes": 8, "learning_rate": 0.15, "min_samples_leaf": 30}
SOURCES = ("identifier", "order", "tile", "cell", "place in field")


def check_sample(path: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a source of side information that a sample has.

    Columns: `sample source n share_correct statistic p_value level verdict`. `share_correct` is
    the share of galaxies put on the right side of what is likely, 1/2 by chance.

    Parameters
    ----------
    path
        A sample with labels.
    settings
        ``level`` of one comparison; ``seed``.

    Raises
    ------
    BadInput
        A sample with fewer than 300 labelled galaxies.
    """
    frame = _labelled(path, settings["seed"])
    z_true = frame["z_true"].to_numpy(dtype=np.float64)
    expected = expect(known_columns(frame), z_true, settings["seed"])
    rows = []
    for source, told in side_columns(frame).items():
        share, statistic, p = told_redshift(told, expected)
        verdict = LEAK if p <= settings["level"] else AT_CHANCE
        found = {"share_correct": share, "statistic": statistic, "p_value": p}
        rows.append({"sample": path.stem, "source": source, "n": len(frame), **found,
                     "level": settings["level"], "verdict": verdict})  # fmt: skip
    return pd.DataFrame(rows)


def _labelled(path: Path, seed: int) -> pd.DataFrame:
    """Return the labelled galaxies in the order of the file, at most `GALAXIES_MAX` of them.

    `order` is a galaxy's row in the file.
    """
    frame = read_table(path).reset_index(drop=True)
    frame["order"] = np.arange(len(frame))
    frame = frame[np.isfinite(frame["z_true"])]
    if len(frame) < GALAXIES_MIN:
        expected, hint = f"at least {GALAXIES_MIN} labelled galaxies", "a larger sky"
        raise BadInput(path, "column 'z_true'", expected, f"{len(frame)}", hint)
    if len(frame) > GALAXIES_MAX:
        chosen = np.random.default_rng(seed).choice(len(frame), GALAXIES_MAX, replace=False)
        frame = frame.iloc[np.sort(chosen)]
    return frame.reset_index(drop=True)


def known_columns(frame: pd.DataFrame) -> Floats:
    """Return what may tell of the redshift, (n, K): dust, magnitudes, errors, colours and depths.

    Dust is E(B-V) or an extinction. The depth in a band is mag - 2.5 log10(error): constant for
    galaxies that are faint against the sky. What is not finite becomes NaN.
    """
    dust = [name for name in frame if name == "ebv_mag" or name.startswith("extinction_")][:1]
    bands = [name.removeprefix("mag_err_") for name in frame if name.startswith("mag_err_")]
    mag = frame[[f"mag_{band}" for band in bands]].to_numpy(dtype=np.float64)
    error = frame[[f"mag_err_{band}" for band in bands]].to_numpy(dtype=np.float64)
    depth = mag - 2.5 * np.log10(np.where(error > 0, error, np.nan))
    told = [frame[dust].to_numpy(dtype=np.float64), mag, error, -np.diff(mag, axis=1), depth]
    known = np.concatenate(told, axis=1)
    return np.where(np.isfinite(known), known, np.nan)


def side_columns(frame: pd.DataFrame) -> dict[str, Floats]:
    """Return {source: what it tells, (n, K)} of the sources that a sample has.

    `identifier`: its rank, its last digits and bits; `order`: the row and its remainders; `tile`:
    run, camcol and field; `cell`: HEALPix cells and the position; `place in field`: the position
    relative to the middle of its field, or within squares of 0.1 degrees.
    """
    ids, order = frame["object_id"].to_numpy(), frame["order"].to_numpy()
    ra, dec = (frame[name].to_numpy(dtype=np.float64) for name in ("ra", "dec"))
    found = {
        "identifier": np.stack([_rank(ids), *(ids % base for base in DIGITS)], axis=1),
        "order": np.stack([order, *(order % base for base in DIGITS)], axis=1),
    }
    tile = [name for name in ("run", "camcol", "field") if name in frame]
    if tile:
        found["tile"] = frame[tile].to_numpy()
    cells = [_rank(healpix_index(ra, dec, order=k)) for k in CELL_ORDERS]
    found["cell"] = np.stack([ra, dec, *cells], axis=1)
    if tile:
        groups = frame[["ra", "dec"]].groupby([frame[name] for name in tile])
        middle = groups.transform("median").to_numpy(dtype=np.float64)
        east = (ra - middle[:, 0] + 180) % 360 - 180
        place = np.stack([east * np.cos(np.radians(dec)), dec - middle[:, 1]], axis=1)
    else:
        place = np.stack([ra, dec], axis=1) % FIELD_DEG
    found["place in field"] = place
    return {name: values.astype(np.float64) for name, values in found.items()}


def _rank(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value (64 bits do not fit into a float)."""
    return np.unique(values, return_inverse=True)[1]


@dataclass(frozen=True)
class Expected:
    """What is known of the galaxies of a sample without side information.

    Attributes
    ----------
    above
        Shape (n,): 1 for galaxies above the redshift that their like make likely, else 0.
    half
        Shape (n,): the galaxies of one half.
    explained
        Of this half and of the other an orthonormal basis of what is known, (n_half, K).
    """

    above: Floats
    half: np.ndarray
    explained: tuple[Floats, Floats]

    def turns(self) -> list[tuple[np.ndarray, np.ndarray, Floats]]:
        """Return (galaxies to learn from, galaxies to test, their basis) of both turns."""
        return [(~self.half, self.half, self.explained[0]),
                (self.half, ~self.half, self.explained[1])]  # fmt: skip


def expect(known: Floats, z_true: Floats, seed: int) -> Expected:
    """Return what is known of galaxies; each half's likely redshifts are learned from the other.

    Parameters
    ----------
    known
        Shape (n, K): what may tell of the redshift; NaN counts as the median.
    z_true
        Shape (n,).
    seed
        Draws the halves.
    """
    rank, hats = _rank(z_true) / len(z_true), _hats(known)
    half = np.random.default_rng([seed, len(z_true)]).permutation(len(z_true)) % 2 == 0
    likely = np.full(len(z_true), 0.5)
    if known.shape[1]:
        for learn, test in ((half, ~half), (~half, half)):
            likely[test] = _trained(known[learn], rank[learn]).predict(known[test])
    explained = np.linalg.qr(hats[half])[0], np.linalg.qr(hats[~half])[0]
    return Expected((rank > likely).astype(np.float64), half, explained)


def told_redshift(told: Floats, expected: Expected) -> tuple[float, float, float]:
    """Return (share put on the right side, statistic, p-value) of side information (n, K).

    Each half of the galaxies tests what was learned from the other; the p-value is twice the
    smaller one of the two.
    """
    shares, statistics = [], []
    for learn, test, explained in expected.turns():
        answer = _trained(told[learn], expected.above[learn] - 0.5).predict(told[test])
        above = expected.above[test]
        statistics.append(covariance_statistic(answer, above, explained))
        shares.append(float(np.mean((answer > 0) == (above > 0.5))))
    statistic = max(statistics)
    return float(np.mean(shares)), statistic, min(1.0, math.erfc(statistic / math.sqrt(2)))


def _trained(inputs: Floats, wanted: Floats) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(**TREES, early_stopping=False, random_state=0).fit(
        inputs, wanted
    )


def covariance_statistic(answer: Floats, wanted: Floats, explained: Floats) -> float:
    """Return the generalised covariance measure of two columns (n,), given others.

    The mean product of what the others leave of both, over its standard error: standard normal
    for many galaxies if the two are independent given the others (Shah & Peters 2020, Ann. Stat.
    48, 1514). 0 where nothing is left. `explained` is an orthonormal basis of the others, (n, K).
    The basis takes K of n degrees of freedom: the variance of the sum is in proportion to n - K,
    but the sum of the squared products to (n - K)^2 / n.
    """
    both = np.stack([answer, wanted], axis=1)
    product = np.prod(both - explained @ (explained.T @ both), axis=1)
    error, freedom = float(product.std()), len(product) - explained.shape[1]
    return float(np.sqrt(freedom) * product.mean() / error) if error > 1e-12 else 0.0


def _hats(known: Floats) -> Floats:
    """Return piecewise-linear functions of each column between its quantiles, and 1: (n, K)."""
    n_knots = len(known) // (ROWS_PER_KNOT * max(known.shape[1], 1))
    levels = np.linspace(0, 1, min(max(n_knots, 2), KNOTS_MAX))
    columns = [np.ones((len(known), 1))]
    for values in known.T:
        finite = np.isfinite(values)
        if not finite.any():
            continue
        filled = np.where(finite, values, np.median(values[finite]))
        knots = np.unique(np.quantile(filled, levels))
        if len(knots) > 1:
            basis = [np.interp(filled, knots, row) for row in np.eye(len(knots))[1:]]
            columns.append(np.stack(basis, axis=1))
    return np.concatenate(columns, axis=1)
