"""Are the splits of a dataset alike? Kolmogorov-Smirnov distances, held against exchanged cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import kolmogorov

from zladder.report.records import SPLIT_ORDER
from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRAIN = "train"
N_EXCHANGES = 199  # the smallest p that can be found is 1 in 200
GRID = 256  # quantiles at which exchanged distributions are held against each other
COMPARED = ("column", "split", "n_train", "n_split", "n_no_number", "ks", "p_galaxies", "p_cells",
            "ks_by_chance95")  # fmt: skip
DESCRIBED = ("part", "n", "n_cells", "n_labelled", "z_p16", "z_p50", "z_p84",
             "nearest_other_arcsec")  # fmt: skip
ARCSEC_PER_RADIAN = 3600.0 * 180.0 / np.pi


def splits_in(dataset: pd.DataFrame) -> list[str]:
    """Return the splits that have galaxies, in the order of their use."""
    there = set(dataset["split"].unique())
    return [split for split in SPLIT_ORDER if split in there]


def cells_of(dataset: pd.DataFrame, order: int) -> np.ndarray | None:
    """Return each galaxy's sky cell (nested HEALPix of an order), int64 (N,); None without sky."""
    if not {"ra", "dec"} <= set(dataset.columns):
        return None
    return healpix_index(dataset["ra"].to_numpy(), dataset["dec"].to_numpy(), order)


def describe_splits(
    dataset: pd.DataFrame, cells: np.ndarray | None, fractions: Sequence[float]
) -> pd.DataFrame:
    """Return a row for each split, then one for each label fraction below 1 (`DESCRIBED`).

    Parameters
    ----------
    dataset
        ``split`` and, where there are any, ``z_true fraction_rank ra dec``; N rows.
    cells
        Of `cells_of`.
    fractions
        Of the training galaxies that carry a label: those with ``fraction_rank`` below it.

    Returns
    -------
    table
        ``part``: the split, or ``train 10 %``; galaxies, cells, galaxies with a label, quantiles
        of their redshifts (NaN without any), and the distance in arcsec of the nearest two
        galaxies of which one is of the split and one of another (NaN without any).
    """
    split = dataset["split"].to_numpy()
    z_true = dataset["z_true"].to_numpy(dtype=np.float64) if "z_true" in dataset else None
    parts = {name: split == name for name in splits_in(dataset)}
    apart = _nearest_other(dataset, parts)
    if z_true is not None and TRAIN in parts and "fraction_rank" in dataset:
        labelled = parts[TRAIN] & np.isfinite(z_true)
        rank = dataset["fraction_rank"].to_numpy()
        smaller = sorted(fraction for fraction in fractions if fraction < 1)
        parts |= {f"{TRAIN} {100 * f:g} %": labelled & (rank < f) for f in smaller}
    rows = []
    for name, rows_in in parts.items():
        z = z_true[rows_in] if z_true is not None else np.empty(0)
        z = z[np.isfinite(z)]
        quantiles = np.percentile(z, [16, 50, 84]) if len(z) else [np.nan] * 3
        n_cells = len(np.unique(cells[rows_in])) if cells is not None else np.nan
        rows.append((name, int(rows_in.sum()), n_cells, len(z), *quantiles,
                     apart.get(name, np.nan)))  # fmt: skip
    return pd.DataFrame(rows, columns=list(DESCRIBED))


def _nearest_other(dataset: pd.DataFrame, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return {split: distance in arcsec of its nearest galaxy of another split}."""
    if not {"ra", "dec"} <= set(dataset.columns) or len(parts) < 2:
        return {}
    ra, dec = (np.radians(dataset[name].to_numpy()) for name in ("ra", "dec"))
    points = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    trees = {name: cKDTree(points[rows]) for name, rows in parts.items()}
    found = dict.fromkeys(parts, np.inf)
    names = list(parts)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            few, many = sorted((name, other), key=lambda key: trees[key].n)
            chord = float(trees[many].query(points[parts[few]])[0].min())
            for one in (name, other):
                found[one] = min(found[one], chord)
    return {name: 2 * float(np.arcsin(chord / 2)) * ARCSEC_PER_RADIAN
            for name, chord in found.items()}  # fmt: skip


def compare_splits(
    columns: Mapping[str, np.ndarray], split: np.ndarray, cells: np.ndarray | None
) -> pd.DataFrame:
    """Return how far each column of each other split is from that of the training galaxies.

    The two-sample KS test takes all galaxies for independent. Those of one cell are not, and
    splits take whole cells: the p to believe is that of `N_EXCHANGES` exchanges, in which the
    cells keep their galaxies and get each other's splits. Without cells each galaxy is one.

    Parameters
    ----------
    columns
        {name: one number a galaxy, (N,)}; what is not finite does not count.
    split
        Of each galaxy, text (N,).
    cells
        The sky cell of each galaxy, int64 (N,), or None.

    Returns
    -------
    table
        A row for each column and split (`COMPARED`): ``ks`` is the largest distance of the two
        distributions; ``p_galaxies`` the asymptotic p of the KS test (Kolmogorov's, at the
        effective number n m / (n + m)); ``p_cells`` the share of exchanges, the one that was
        drawn among them, with a distance at least as large; ``ks_by_chance95`` what 95 % of the
        exchanges stay below. Exchanged distances are taken at `GRID` quantiles.
    """
    names = [name for name in SPLIT_ORDER if (split == name).any()]
    if TRAIN not in names or len(names) < 2:
        return pd.DataFrame(columns=list(COMPARED))
    shuffled = _exchanged(columns, split, cells, names)
    rows = []
    for place, (column, values) in enumerate(columns.items()):
        finite = np.isfinite(values)
        train = np.sort(values[finite & (split == TRAIN)])
        for number, other in enumerate(names[1:], 1):
            rows_in = split == other
            sample = np.sort(values[finite & rows_in])
            n, m = len(train), len(sample)
            distance = ks_distance(train, sample)
            p_galaxies = float(kolmogorov(np.sqrt(n * m / (n + m)) * distance)) if n * m else np.nan
            drawn, chance = shuffled[0, place, number], shuffled[1:, place, number]
            no_number = int((~finite & rows_in).sum())
            known = np.isfinite(drawn) and np.isfinite(chance).any()
            p_cells = (
                (1 + int((chance >= drawn - 1e-12).sum())) / len(shuffled) if known else np.nan
            )
            limit = float(np.nanpercentile(chance, 95)) if known else np.nan
            rows.append((column, other, n, m, no_number, distance, p_galaxies, p_cells, limit))
    return pd.DataFrame(rows, columns=list(COMPARED))


def ks_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest distance of two empirical distributions; NaN where one is empty.

    Both sorted, shapes (n,) and (m,).
    """
    if not len(first) or not len(second):
        return float("nan")
    places = np.concatenate([first, second])
    below = [np.searchsorted(part, places, side="right") / len(part) for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def _exchanged(
    columns: Mapping[str, np.ndarray], split: np.ndarray, cells: np.ndarray | None,
    names: Sequence[str],
) -> np.ndarray:  # fmt: skip
    """Return distances from the training split at `GRID` quantiles.

    Shape (1 + `N_EXCHANGES`, columns, splits); the first entry is that of the splits as drawn.
    """
    code = np.searchsorted(np.sort(names), split)
    code = np.array([list(names).index(name) for name in np.sort(names)])[code]
    keys = np.arange(len(split)) if cells is None else cells
    # A cell that holds two splits (published ones) counts as two.
    _, first, group = np.unique(keys * len(names) + code, return_index=True, return_inverse=True)
    of_group = code[first]
    binned = [_grid_places(values) * len(names) for values in columns.values()]
    rng = np.random.default_rng(0)  # the page is the same each time
    found = np.full((1 + N_EXCHANGES, len(binned), len(names)), np.nan)
    for turn in range(1 + N_EXCHANGES):
        drawn = (of_group if turn == 0 else rng.permutation(of_group))[group]
        for place, bins in enumerate(binned):
            counts = np.bincount(bins + drawn, minlength=(GRID + 1) * len(names))
            below = counts.reshape(-1, len(names))[:GRID].cumsum(axis=0)
            with np.errstate(invalid="ignore"):
                share = below / below[-1]
            found[turn, place] = np.abs(share - share[:, :1]).max(axis=0)
    return found


def _grid_places(values: np.ndarray) -> np.ndarray:
    """Return between which quantiles each value lies, int64 (N,); `GRID` where it is no number."""
    finite = np.isfinite(values)
    places = np.full(len(values), GRID, dtype=np.int64)
    if finite.any():
        edges = np.quantile(values[finite], np.linspace(0, 1, GRID + 1)[1:-1])
        places[finite] = np.searchsorted(edges, values[finite], side="left")
    return places
