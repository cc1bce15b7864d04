"""A small problem that a network learns in a second: redshifts that are linear in magnitudes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zladder.config.merge import overlay

BANDS = ["g", "r", "i"]
CARD: dict[str, Any] = {
    "run": "toy.net-s0",
    "data": {"dataset": "toy", "label_fraction": 1.0},
    "inputs": {"bands": BANDS, "dereddened": False, "colours": True},
    "label_range_z": [0.0, 1.0],
    "seed": 7,
    "model": {"kind": "mlp", "hidden": [8], "activation": "silu", "input_skip": True, "members": 1},
    "loss": {"name": "huber", "delta": 0.05},
    "optimizer": {"learning_rate": 0.02, "weight_decay": 1e-4},
    "schedule": {"epochs": 6, "patience": 6, "batch_size": 32, "decay": "constant"},
    "input_scaling": "standard",
    "fitted_output": True,
    "parent": None,
    "trainable": "all",
    "precision": "float32",
}


def card(**changes: Any) -> dict[str, Any]:
    """Return the toy's run card with changes laid over it."""
    return overlay(CARD, changes)


def control_card(**model: Any) -> dict[str, Any]:
    """Return the run card of an ordinary tool on the toy."""
    kept = ("data", "inputs", "label_range_z", "seed")
    values = {key: CARD[key] for key in kept}
    return {"run": f"toy.{model['kind']}-s0", **values, "model": model}


def galaxies(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return a standard table of n galaxies in which magnitudes and colours grow with redshift."""
    draw = np.random.default_rng(seed)
    z_true = draw.uniform(0.05, 0.45, n)
    columns: dict[str, Any] = {
        "object_id": np.arange(1000, 1000 + n) * 7 + seed * 10**6,
        "ra": draw.uniform(10.0, 20.0, n),
        "dec": draw.uniform(-5.0, 5.0, n),
        "z_true": z_true,
        "z_true_err": np.full(n, 1e-4),
        "z_true_kind": pd.array(["spec"] * n, dtype="str"),
    }
    for index, band in enumerate(BANDS):
        slope = 6.0 - index
        columns[f"mag_{band}"] = 18.0 + slope * z_true + draw.normal(0, 0.02, n)
        columns[f"mag_err_{band}"] = np.full(n, 0.02)
    return pd.DataFrame(columns)


def dataset(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Return a dataset: 60 % train, 20 % validation, 10 % calibration, 10 % test."""
    frame = galaxies(n, seed)
    tenth = np.arange(n) % 10
    names = np.array(["train"] * 6 + ["validation"] * 2 + ["calibration", "test"])
    frame["part"] = pd.array(["all"] * n, dtype="str")
    frame["sample"] = pd.array(["toy"] * n, dtype="str")
    frame["split"] = pd.array(names[tenth], dtype="str")
    frame["fraction_rank"] = np.random.default_rng(seed + 1).uniform(size=n)
    return frame


def write_dataset(path: Path, frame: pd.DataFrame) -> Path:
    """Write a dataset to path as Parquet; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)
    return path
