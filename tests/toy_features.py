"""Features from which the toy's redshifts can be read, and run cards of models on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from tests import toys
from zladder.config.merge import overlay

CLASSES = {"kind": "classes", "bins": 50, "range_z": [0.0, 0.5], "extension_bins": 0}
_COMMON: dict[str, Any] = {
    "seed": 11,
    "data": {"dataset": "toy", "label_fraction": 1.0},
    "inputs": {"features_of": "toy.image-s0"},
    "parent": {"run": "toy.image-s0", "card": "0"},
    "label_range_z": [0.0, 1.0],
}
PROBE = {**_COMMON, "task": "probe", "run": "toy.probe-s0", "penalties": [1e-4, 1e-2, 1.0]}
HEAD = {
    **_COMMON,
    "task": "head",
    "run": "toy.head-s0",
    "output": CLASSES,
    "labels": {"cell_limit": None, "softened": False, "shifted": False},
    "labels_from": None,
    "optimizer": {"learning_rate": 0.05, "weight_decay": 0.0},
    "schedule": {"steps": 60, "batch_size": 32, "checks": 3, "decay": "cosine"},
    "precision": "float32",
}


def probe_card(**changes: Any) -> dict[str, Any]:
    """Return the toy's card of a probe with changes laid over it."""
    return overlay(PROBE, changes)


def head_card(**changes: Any) -> dict[str, Any]:
    """Return the toy's card of a head with changes laid over it."""
    return overlay(HEAD, changes)


def features_of(frame: pd.DataFrame, noise: float = 0.05, seed: int = 3) -> np.ndarray:
    """Return features, float32 (N, 5): redshift in four of them, and a dead one."""
    draw = np.random.default_rng(seed)
    slopes = np.array([1.0, -2.0, 0.5, 3.0, 0.0])
    values = frame["z_true"].to_numpy()[:, None] * slopes + 7.0
    return (values + noise * np.sign(slopes) * draw.normal(size=values.shape)).astype(np.float32)


def write_features(
    path: Path, frame: pd.DataFrame, features: np.ndarray, copies: np.ndarray | None = None
) -> Path:
    """Write a file of features, its rows in another order than the dataset's; return the path."""
    order = np.random.default_rng(0).permutation(len(frame))
    with h5py.File(path, "w") as file:
        file["object_id"] = frame["object_id"].to_numpy()[order]
        file["features"] = features[order]
        if copies is not None:
            file["copies"] = copies[order]
    return path


def write_world(folder: Path, n: int = 400) -> tuple[pd.DataFrame, Path, Path]:
    """Write a toy dataset and its features; return (dataset, its file, the features)."""
    frame = toys.dataset(n)
    dataset = toys.write_dataset(folder / "toy.parquet", frame)
    return frame, dataset, write_features(folder / "features.h5", frame, features_of(frame))
