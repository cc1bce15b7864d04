"""Identifiers, order, tile and position must say nothing of the redshift.

Beyond what dust and depth explain: the share of faint galaxies that a survey lists depends on both.
A boosting machine learns from a half of a sample which galaxies lie above the median redshift of
their like; on the other half its answers must be at chance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.pdf.grid import Floats

LEAK, QUIET = "leak", "at chance"
CELL_ORDERS = (5, 7, 9)  # HEALPix: 1.8 degrees to 7 arcmin
FIELD_DEG = 0.1  # positions within a field where the survey names none
DIGITS = (10, 100, 1000, 2**8, 2**16)
KNOTS = 10  # of the piecewise-linear functions of dust and depth
GALAXIES_MIN = 100
GALAXIES_MAX = 12_000  # of a sample, drawn at random: more than a leak needs to show
TREES = {"max_iter": 30, "max_leaf_nodes": 8, "learning_rate": 0.15, "min_samples_leaf": 30}
SOURCES = ("identifier", "order", "tile", "cell", "place in field")


def check_samples(files: Sequence[Path], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a sample and source of side information.

    Columns: `sample source n share_correct statistic p_value level verdict`. `share_correct` is
    the share of galaxies put on the right side of the median, 1/2 by chance.

    Parameters
    ----------
    files
        Samples with labels.
    settings
        ``level`` of one comparison; ``seed``.

    Raises
    ------
    BadInput
        A sample with fewer than 100 labelled galaxies.
    """
    rows = []
    for path in files:
        frame = _labelled(path, settings["seed"])
        known = known_columns(frame)
        for source, told in side_columns(frame).items():
            z_true = frame["z_true"].to_numpy(dtype=np.float64)
            share, statistic, p = told_redshift(told, known, z_true, settings["seed"])
            verdict = LEAK if p <= settings["level"] else QUIET
            rows.append({
                "sample": path.stem, "source": source, "n": len(frame), "share_correct": share,
                "statistic": statistic, "p_value": p, "level": settings["level"],
                "verdict": verdict,
            })  # fmt: skip
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
    """Return what may tell of the redshift, (n, K): dust (E(B-V) or an extinction) and depth.

    Depth stands in the errors of the magnitudes, which tell of the fluxes too.
    """
    dust = [name for name in frame if name == "ebv_mag" or name.startswith("extinction_")]
    depth = [name for name in frame if name.startswith("mag_err_")]
    return frame[[*dust[:1], *depth]].to_numpy(dtype=np.float64)


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
    east = ra * np.cos(np.radians(dec))
    if tile:
        groups = pd.DataFrame({"east": east, "dec": dec}).groupby([frame[name] for name in tile])
        middle = groups.transform("median").to_numpy()
        found["place in field"] = np.stack([east, dec], axis=1) - middle
    else:
        found["place in field"] = np.stack([east % FIELD_DEG, dec % FIELD_DEG], axis=1)
    return {name: values.astype(np.float64) for name, values in found.items()}


def _rank(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value (64 bits do not fit into a float)."""
    return np.unique(values, return_inverse=True)[1]


def told_redshift(
    told: Floats, known: Floats, z_true: Floats, seed: int
) -> tuple[float, float, float]:
    """Return (share put on the right side, statistic, p-value) of some side information.

    Each half of the galaxies tests what was learned from the other; the p-value is twice the
    smaller one of the two.

    Parameters
    ----------
    told
        Shape (n, K): the side information.
    known
        Shape (n, L): what may tell of the redshift; NaN counts as the median.
    z_true
        Shape (n,).
    seed
        Draws the halves.
    """
    explained = _hats(known)
    above = (_left_by(explained, _rank(z_true) / len(z_true)) > 0).astype(np.float64)
    half = np.random.default_rng([seed, len(z_true)]).permutation(len(z_true)) % 2 == 0
    shares, statistics = [], []
    for learn, test in ((half, ~half), (~half, half)):
        wanted = _left_by(explained[learn], above[learn])
        trees = HistGradientBoostingRegressor(**TREES, early_stopping=False, random_state=0)
        answer = trees.fit(told[learn], wanted).predict(told[test])
        statistics.append(covariance_statistic(answer, above[test], explained[test]))
        shares.append(float(np.mean((answer > 0) == (above[test] > 0.5))))
    statistic = max(statistics)
    return float(np.mean(shares)), statistic, min(1.0, math.erfc(statistic / math.sqrt(2)))


def covariance_statistic(answer: Floats, wanted: Floats, explained: Floats) -> float:
    """Return the generalised covariance measure of two columns (n,), given others (n, K).

    The mean product of what the others leave of both, over its standard error: standard normal
    for many galaxies if the two are independent given the others (Shah & Peters 2020, Ann. Stat.
    48, 1514). 0 where nothing is left.
    """
    product = _left_by(explained, answer) * _left_by(explained, wanted)
    error = float(product.std())
    return float(np.sqrt(len(product)) * product.mean() / error) if error > 1e-12 else 0.0


def _hats(known: Floats) -> Floats:
    """Return piecewise-linear functions of each column between its quantiles, and 1: (n, K)."""
    columns = [np.ones((len(known), 1))]
    for values in known.T:
        finite = np.isfinite(values)
        if not finite.any():
            continue
        filled = np.where(finite, values, np.median(values[finite]))
        knots = np.unique(np.quantile(filled, np.linspace(0, 1, KNOTS)))
        if len(knots) > 1:
            basis = [np.interp(filled, knots, row) for row in np.eye(len(knots))[1:]]
            columns.append(np.stack(basis, axis=1))
    return np.concatenate(columns, axis=1)


def _left_by(explained: Floats, values: Floats) -> Floats:
    """Return what a least-squares fit leaves of values (n,)."""
    fit = np.linalg.lstsq(explained, values, rcond=None)[0]
    return np.asarray(values - explained @ fit)
