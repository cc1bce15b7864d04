"""The ordinary tools on disk: a few arrays and the run card in one safetensors file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from zladder.learning.trees import trees_answer
from zladder.provenance.digests import canonical_json
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from zladder.learning.trees import Arrays


def save_control(path: Path, arrays: Mapping[str, np.ndarray], card: Mapping[str, Any]) -> None:
    """Write the arrays of a fitted tool; equal tools give equal bytes."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(contiguous, path, metadata={"card": canonical_json(card)})


def load_control(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return what maps finite inputs (N, F) to redshifts, float64 (N,).

    Raises
    ------
    BadInput
        If the file is not a whole tool of zladder.
    """
    try:
        with safe_open(path, framework="np") as stored:
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            kind = json.loads(stored.metadata()["card"])["model"]["kind"]
        answer = ANSWERS[kind]
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        hint = "train the run again (remove the file first)"
        raise BadInput(path, "the file", "arrays with a run card", str(error), hint) from error
    return lambda inputs: answer(arrays, inputs)


def knn_answer(arrays: Arrays, inputs: np.ndarray) -> np.ndarray:
    """Return the mean label of the nearest training galaxies, weighted by inverse distance.

    Distances are Euclidean in standardised inputs. A galaxy that coincides with training galaxies
    gets their mean label, as in scikit-learn.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(arrays["inputs"])
    standard = (inputs - arrays["mean"]) / arrays["scale"]
    distance, index = tree.query(standard, k=range(1, int(arrays["neighbours"][0]) + 1))
    same = distance == 0
    with np.errstate(divide="ignore"):
        weight = np.where(same.any(axis=1, keepdims=True), same.astype(float), 1.0 / distance)
    return (weight * arrays["labels"][index]).sum(axis=1) / weight.sum(axis=1)


def constant_answer(arrays: Arrays, inputs: np.ndarray) -> np.ndarray:
    """Return the one answer for every row."""
    return np.full(len(inputs), arrays["z"][0])


ANSWERS: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "trainz": constant_answer,
    "mean_z": constant_answer,
    "knn": knn_answer,
    "boosting": trees_answer,
    "forest": trees_answer,
}
