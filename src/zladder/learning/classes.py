"""Redshift as a class: bins [a, b) of equal width (180 on [0, 0.4]: Pasquet 2019, Hayat 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


def class_edges(output: Mapping[str, Any]) -> np.ndarray:
    """Return the edges of the classes, float64 (bins + 1,), from a card's `bins`, `range_z`."""
    low, high = output["range_z"]
    return np.asarray(low + (high - low) * np.arange(output["bins"] + 1) / output["bins"])


def class_index(z: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (class of each redshift, whether it has one), int64 (N,) and bool (N,).

    A redshift below the first edge, at or above the last one, or NaN has no class: its index is
    -1, and whoever asks has to say what becomes of it. (The code of Hayat et al. 2021,
    MustafaMustafa/ssl-sky-surveys, puts z >= 0.4 into the last class.)
    """
    inside = (z >= edges[0]) & (z < edges[-1])
    index = np.searchsorted(edges, np.where(inside, z, edges[0]), side="right") - 1
    return np.where(inside, index, -1).astype(np.int64), np.asarray(inside)
