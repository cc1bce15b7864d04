"""How far dust moves a galaxy in an encoder's features, in units of the distance between galaxies.

An encoder that ignores Milky-Way dust gives the same features to a stamp and to the same stamp
with more dust in front of it (Hayat et al. 2021 redden their training stamps to that end).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.config.names import method_of
from zladder.evaluate.resampled import Resampled
from zladder.learning.features import read_features, read_reddened, require_finite
from zladder.metrics.bootstrap import resample_chunks
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.split_notes import read_note, tested_split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

N_PAIRS = 20_000  # random pairs behind the typical distance: their median is good to 1 %
PAIR_STREAM = 2  # beside the seed: pairs have nothing to do with resamples
BLOCK_ROWS = 8_192  # rows that are held in float64 at once


def measure_drift(
    files: Sequence[Path], dataset: Path, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (one row an encoder, one row an encoder, seed and galaxy), test galaxies only.

    The first holds the mean drift (`value`) with its interval over galaxies, `typical_distance`
    and the counts; the second `method`, `seed` (0, 1, ... in the order of the files), `object_id`
    and `drift`.

    Parameters
    ----------
    files
        Features of the encoders, named STUDY.METHOD-sSEED.h5.
    dataset
        The dataset whose stamps were sent through them.
    settings
        ``n_bootstraps``, ``seed``.

    Raises
    ------
    BadInput
        A damaged or incomplete file of features, values that are not finite, a test galaxy
        without features, a dataset without a test split.
    """
    wanted = _test_galaxies(dataset)
    by_method: dict[str, list[tuple[np.ndarray, float]]] = {}
    for path in files:
        found = drift_of(*_of_galaxies(path, wanted), settings["seed"])
        by_method.setdefault(method_of(path.stem), []).append(found)
    summary = [
        {"method": method, "dataset": dataset.stem, **_summary(seeds, settings)}
        for method, seeds in by_method.items()
    ]
    galaxies = [
        pd.DataFrame({"method": method, "seed": seed, "object_id": wanted, "drift": drift})
        for method, seeds in by_method.items()
        for seed, (drift, _typical) in enumerate(seeds)
    ]
    return pd.DataFrame(summary), pd.concat(galaxies, ignore_index=True)


def _summary(
    seeds: Sequence[tuple[np.ndarray, float]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an encoder's mean drift with its interval, its typical distance and the counts."""
    drifts = np.stack([drift for drift, _typical in seeds])  # (n_seeds, N)
    chunks = resample_chunks(drifts.shape[1], settings["n_bootstraps"], settings["seed"])
    draws = np.concatenate([drifts[:, rows].mean(axis=-1) for rows in chunks], axis=-1)
    return {
        "quantity": "embedding_drift",
        **asdict(Resampled(drifts.mean(axis=-1), draws).interval()),
        "typical_distance": float(np.mean([typical for _drift, typical in seeds])),
        "n_seeds": len(seeds),
        "n_total": drifts.shape[1],
        "n_used": int(np.isfinite(drifts).all(axis=0).sum()),
    }


def drift_of(features: np.ndarray, reddened: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Return (drift of each galaxy, float64 (N,); the typical distance) of one encoder.

    The drift is |f_reddened - f| over the typical distance: the median of |f_i - f_j| over 20,000
    random pairs of different galaxies, the same pairs for every encoder. An embedding in which
    that is 0 has collapsed: its drifts are NaN.

    Parameters
    ----------
    features, reddened
        float32, shape (N, D), N >= 2.
    seed
        Draws the pairs.
    """
    generator = np.random.default_rng([seed, PAIR_STREAM])
    first = generator.integers(0, len(features), N_PAIRS)
    other = (first + generator.integers(1, len(features), N_PAIRS)) % len(features)
    typical = float(np.median(_lengths(features, first, features, other)))
    everyone = np.arange(len(features))
    moved = _lengths(reddened, everyone, features, everyone)
    return (moved / typical if typical > 0 else np.full(len(moved), np.nan)), typical


def _lengths(a: np.ndarray, rows_a: np.ndarray, b: np.ndarray, rows_b: np.ndarray) -> np.ndarray:
    """Return |a[rows_a] - b[rows_b]| of each pair of rows, float64, block by block."""
    lengths = np.empty(len(rows_a))
    for start in range(0, len(rows_a), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        difference = a[rows_a[block]].astype(np.float64) - b[rows_b[block]]
        lengths[block] = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    return lengths


def _test_galaxies(dataset: Path) -> np.ndarray:
    """Return the identifiers of the test galaxies, int64."""
    frame = read_table(dataset, columns=["object_id", "split"])
    wanted = frame.loc[frame["split"] == tested_split(read_note(dataset)), "object_id"].to_numpy()
    if len(wanted) < 2:
        expected, hint = "two or more test galaxies", "a larger sample, or another split"
        raise BadInput(dataset, "column 'split'", expected, f"{len(wanted)}", hint)
    return wanted


def _of_galaxies(path: Path, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (features, reddened) of the wanted galaxies in their order, float32 (N, D)."""
    pair = read_features(path, wanted), read_reddened(path, wanted)
    for values in pair:
        require_finite(values, wanted, path)
    if pair[0].shape != pair[1].shape:
        expected, found = f"the shape of 'features', {pair[0].shape}", f"{pair[1].shape}"
        raise BadInput(path, "dataset 'reddened'", expected, found, "embed the images again")
    return pair
