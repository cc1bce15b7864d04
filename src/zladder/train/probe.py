"""The linear probe: ridge regression on the features of an encoder that stays as it is.

How well a straight line reads the redshift off the features says how much of it the encoder has
laid open. The closed form needs no training loop.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.learning.features import read_features, require_finite
from zladder.learning.linear import fit_standard, linear_answer
from zladder.learning.split_rows import label_reference, split_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.learning.linear import Arrays

log = logging.getLogger("zladder")


def train_probe(
    card: Mapping[str, Any], dataset: Path, features: Path
) -> tuple[Arrays, dict[str, Any], dict[str, float]]:
    """Return (linear model, reference of the training labels, what was chosen).

    The training split is fitted once for each of the card's `penalties`; the one with the smallest
    mean square of dz on the validation split is taken (what ridge regression makes small; a robust
    scatter would forgive a probe its outliers).

    Raises
    ------
    BadInput
        As `split_rows` and `read_features` do, and for features that are not finite.
    """
    (x, z), (x_valid, z_valid) = (
        _examples(card, dataset, features, split) for split in ("train", "validation")
    )
    best: Arrays = {}
    chosen = {"penalty": np.nan, "validation_rms_dz": np.inf}
    for penalty, arrays in ridge_path(x, z, card["penalties"]):
        dz = (linear_answer(arrays, x_valid)[:, 0] - z_valid) / (1.0 + z_valid)
        rms = float(np.sqrt(np.mean(dz**2)))
        if rms < chosen["validation_rms_dz"]:
            best, chosen = arrays, {"penalty": penalty, "validation_rms_dz": rms}
    log.info(
        "run %s: %d training and %d validation galaxies, %d features, penalty %g: rms %.5f",
        card["run"], len(z), len(z_valid), x.shape[1], *chosen.values(),
    )  # fmt: skip
    return best, label_reference(z), chosen


def ridge_path(
    features: np.ndarray, labels: np.ndarray, penalties: Sequence[float]
) -> list[tuple[float, Arrays]]:
    """Return [(penalty, linear model)], one model (`learning.linear`) a penalty.

    On features x standardised by the training rows and centred labels y a model minimises
    mean (y - w.x)^2 + penalty |w|^2; by the mean, one penalty means the same at any number of
    labels. w = (X'X / n + penalty)^-1 X'y / n (Hoerl & Kennard 1970) from one eigendecomposition.

    Parameters
    ----------
    features
        Shape (n, D), finite.
    labels
        Shape (n,), redshifts.
    penalties
        Positive numbers.
    """
    mean, scale = fit_standard(features)
    x, offset = (features - mean) / scale, labels.mean()
    eigenvalues, vectors = np.linalg.eigh(x.T @ x / len(x))
    pull = vectors.T @ (x.T @ (labels - offset)) / len(x)
    common = {"bias": np.array([offset]), "mean": mean, "scale": scale}
    return [
        (penalty, {"weight": (vectors @ (pull / (eigenvalues + penalty)))[None], **common})
        for penalty in penalties
    ]


def _examples(
    card: Mapping[str, Any], dataset: Path, features: Path, split: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (features, labels) of a split, float32 (n, D) and float64 (n,)."""
    frame = split_rows(dataset, card, split)
    ids = frame["object_id"].to_numpy()
    values = read_features(features, ids)
    require_finite(values, ids, features)
    return values, frame["z_true"].to_numpy(dtype=np.float64)
