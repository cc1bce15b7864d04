"""A linear layer on standardised features: what a probe and a head are, on disk and in use.

Answers need no more than numpy: many probes are fitted and asked in short jobs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

Arrays = dict[str, np.ndarray]
NAMES = ("weight", "bias", "mean", "scale")
CHUNK_ROWS = 65_536  # bounds the memory of float64 copies


def fit_standard(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (mean, standard deviation) of each feature, float64 (D,), from features (N, D).

    The scale of a feature that never changes is 1: it says nothing, and must divide nothing.
    """
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    # Rounding leaves a constant feature a spread of 1e-8 of its value or less.
    dead = scale <= 1e-7 * np.abs(mean)
    return mean, np.where(dead, 1.0, scale)


def load_linear(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return (weight (K, D), bias (K,), mean (D,), scale (D,)) by name, and the run card.

    Raises
    ------
    BadInput
        If the file is not a whole linear model of zladder.
    """
    try:
        with safe_open(path, framework="np") as stored:
            arrays = {name: stored.get_tensor(name) for name in NAMES}
            card = json.loads(stored.metadata()["card"])
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        hint = "train the run again (remove the file first)"
        raise BadInput(path, "the file", "a linear model and its card", str(error), hint) from error
    return arrays, card


def linear_answer(arrays: Arrays, features: np.ndarray) -> np.ndarray:
    """Return weight ((features - mean) / scale) + bias, float64 (N, K), for features (N, D)."""
    weight = arrays["weight"].astype(np.float64) / arrays["scale"]
    bias = arrays["bias"] - weight @ arrays["mean"]
    starts = range(0, len(features), CHUNK_ROWS)
    parts = [features[start : start + CHUNK_ROWS] @ weight.T + bias for start in starts]
    return np.concatenate(parts) if parts else np.empty((0, len(bias)))
