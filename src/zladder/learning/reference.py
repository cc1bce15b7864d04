"""What a run was trained on, in a few numbers: the yardstick of the flags of its predictions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Share of the training galaxies that lie inside the limit of "out of distribution".
INSIDE_SHARE = 0.999


def fit_reference(inputs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return the reference of a training set as plain values.

    Parameters
    ----------
    inputs
        float32, shape (N, F), finite.
    labels
        Shape (N,).

    Returns
    -------
    dict
        `n_train`; range of each input; mean and inverse covariance of the inputs (pseudo-inverse:
        colours are differences of magnitudes) and the squared Mahalanobis distance that
        `INSIDE_SHARE` of the training galaxies stay below; range of the labels.
    """
    x = inputs.astype(np.float64)
    mean = x.mean(axis=0)
    inverse = np.linalg.pinv(np.cov(x, rowvar=False), hermitian=True)
    distance2 = _distance2(x, mean, inverse)
    return {
        "n_train": len(x),
        "input_min": x.min(axis=0).tolist(),
        "input_max": x.max(axis=0).tolist(),
        "input_mean": mean.tolist(),
        "input_inverse_covariance": inverse.tolist(),
        "distance2_limit": float(np.quantile(distance2, INSIDE_SHARE)),
        "z_min": float(labels.min()),
        "z_max": float(labels.max()),
    }


def write_card(
    path: Path,
    card: Mapping[str, Any],
    reference: Mapping[str, Any],
    splits: Mapping[str, Any] | None = None,
) -> None:
    """Archive a run card beside its model, with the reference of its training set.

    `splits` are the notes of the dataset's splits (`tables.split_notes`), where they are known.
    """
    content = {"card": card, "reference": reference, **({"splits": splits} if splits else {})}
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def is_extrapolated(inputs: np.ndarray, reference: Mapping[str, Any]) -> np.ndarray:
    """Return which rows (N,) have an input outside the range of the training set."""
    low, high = np.array(reference["input_min"]), np.array(reference["input_max"])
    outside = (inputs < low.astype(np.float32)) | (inputs > high.astype(np.float32))
    return np.asarray(outside.any(axis=1))


def is_out_of_distribution(inputs: np.ndarray, reference: Mapping[str, Any]) -> np.ndarray:
    """Return which rows (N,) lie further from the training set than nearly all of it.

    Squared Mahalanobis distance above the training set's 99.9 % quantile; a row that is not finite
    is not called out of distribution (it carries flags of its own).
    """
    mean = np.array(reference["input_mean"])
    inverse = np.array(reference["input_inverse_covariance"])
    with np.errstate(invalid="ignore"):
        distance2 = _distance2(inputs.astype(np.float64), mean, inverse)
        far = distance2 > reference["distance2_limit"]
    return np.asarray(far & np.isfinite(inputs).all(axis=1))


def _distance2(x: np.ndarray, mean: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    offset = x - mean
    return np.einsum("nf,fg,ng->n", offset, inverse, offset)
