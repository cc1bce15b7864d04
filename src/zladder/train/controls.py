"""The controls: ordinary tools that every network is held against.

trainZ gives every galaxy the mode of the training set's n(z), mean_z its mean; kNN, boosting and
forest learn as scikit-learn does. They see the training split alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.learning.examples import read_split
from zladder.learning.reference import fit_reference
from zladder.learning.trees import boosting_arrays, forest_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.learning.trees import Arrays


def train_control(card: Mapping[str, Any], dataset: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return (arrays of the tool fitted to the training split, reference of that split).

    Raises
    ------
    BadInput
        As `read_split` does.
    """
    inputs, labels = read_split(dataset, card, "train")
    arrays = fit_control(card["model"], card["seed"], inputs, labels)
    return arrays, fit_reference(inputs, labels)


def fit_control(
    model: Mapping[str, Any], seed: int, inputs: np.ndarray, labels: np.ndarray
) -> Arrays:
    """Return the arrays of a card's `model` block fitted to inputs (N, F) and labels (N,)."""
    kind = model["kind"]
    if kind == "trainz":
        return {"z": np.array([mode_of_n_z(labels)])}
    if kind == "mean_z":
        return {"z": np.array([labels.mean()])}
    if kind == "knn":
        return _knn_arrays(inputs.astype(np.float64), labels, model["neighbours"])
    return _tree_arrays(model, seed % 2**32, inputs, labels)


def _knn_arrays(inputs: np.ndarray, labels: np.ndarray, neighbours: int) -> Arrays:
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale == 0] = 1.0  # an input that never changes says nothing, and divides nothing
    counted = min(neighbours, len(labels))
    return {
        "inputs": (inputs - mean) / scale,
        "labels": labels,
        "mean": mean,
        "scale": scale,
        "neighbours": np.array([counted]),
    }


def _tree_arrays(
    model: Mapping[str, Any], random_state: int, inputs: np.ndarray, labels: np.ndarray
) -> Arrays:
    # Heavy to import, and needed for two of the five tools.
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    if model["kind"] == "boosting":
        boosting = HistGradientBoostingRegressor(
            max_iter=model["iterations"],
            learning_rate=model["learning_rate"],
            early_stopping=False,
            random_state=random_state,
        )
        return boosting_arrays(boosting.fit(inputs, labels))
    forest = RandomForestRegressor(
        model["trees"], min_samples_leaf=model["leaf_min"], random_state=random_state
    )
    return forest_arrays(forest.fit(inputs, labels))


def mode_of_n_z(labels: np.ndarray) -> float:
    """Return the centre of the fullest bin of n(z), bins after Freedman & Diaconis (1981)."""
    counts, edges = np.histogram(labels, bins="fd")
    fullest = int(np.argmax(counts))
    return float(0.5 * (edges[fullest] + edges[fullest + 1]))
