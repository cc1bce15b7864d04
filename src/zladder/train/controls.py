"""The controls: ordinary tools that every network is held against.

trainZ gives every galaxy the mode of the training set's n(z), mean_z its mean; kNN, boosting and
forest are scikit-learn's. They learn from the training split alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zladder.learning.examples import read_split
from zladder.learning.reference import fit_reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sklearn.base import BaseEstimator


def train_control(card: Mapping[str, Any], dataset: Path) -> tuple[BaseEstimator, dict[str, Any]]:
    """Return (control fitted to the training split of its dataset, reference of that split).

    Raises
    ------
    BadInput
        As `read_split` does.
    """
    inputs, labels = read_split(dataset, card, "train")
    control = make_control(card["model"], card["seed"], labels).fit(inputs, labels)
    return control, fit_reference(inputs, labels)


def make_control(model: Mapping[str, Any], seed: int, labels: np.ndarray) -> BaseEstimator:
    """Return the unfitted estimator of a card's `model` block; trainZ needs the labels (N,)."""
    random_state = seed % 2**32
    kind = model["kind"]
    if kind == "trainz":
        return DummyRegressor(strategy="constant", constant=mode_of_n_z(labels))
    if kind == "mean_z":
        return DummyRegressor(strategy="mean")
    if kind == "knn":
        neighbours = KNeighborsRegressor(model["neighbours"], weights="distance")
        return make_pipeline(StandardScaler(), neighbours)
    if kind == "boosting":
        return HistGradientBoostingRegressor(
            max_iter=model["iterations"],
            learning_rate=model["learning_rate"],
            early_stopping=False,
            random_state=random_state,
        )
    return RandomForestRegressor(
        model["trees"], min_samples_leaf=model["leaf_min"], random_state=random_state
    )


def mode_of_n_z(labels: np.ndarray) -> float:
    """Return the centre of the fullest bin of n(z), bins after Freedman & Diaconis (1981)."""
    counts, edges = np.histogram(labels, bins="fd")
    fullest = int(np.argmax(counts))
    return float(0.5 * (edges[fullest] + edges[fullest + 1]))
