"""The flag bits of a prediction (docs/formats.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.learning.reference import is_extrapolated, is_out_of_distribution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

BITS = {
    "out_of_distribution": 0,
    "extrapolated": 1,
    "edge_of_range": 3,
    "low_signal_to_noise": 4,
    "not_detected": 6,
    "not_observed": 7,
    "truth_off_grid": 11,
    "label_is_photo_z": 12,
}
# A magnitude error of a flux at five sigma: 2.5 / ln(10) / 5.
LOW_SIGNAL_ERR_MAG = 2.5 / np.log(10) / 5


def prediction_flags(
    frame: pd.DataFrame,
    inputs: np.ndarray,
    z_phot: np.ndarray,
    bands: Sequence[str],
    card: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> np.ndarray:
    """Return the flags of every row, uint32, shape (N,).

    Parameters
    ----------
    frame
        Standard columns: `mag_{band}`, and where known `mag_err_{band}`, `z_true`, `z_true_kind`.
    inputs
        float32, shape (N, F).
    z_phot
        Shape (N,); NaN where there is none.
    bands
        Bands of the run.
    card, reference
        Of the run.
    """
    magnitudes = frame[[f"mag_{band}" for band in bands]].to_numpy(dtype=np.float64)
    low, high = reference["z_min"], reference["z_max"]
    marks = {
        "out_of_distribution": is_out_of_distribution(inputs, reference),
        "extrapolated": is_extrapolated(inputs, reference),
        "edge_of_range": (z_phot <= low) | (z_phot >= high),
        "low_signal_to_noise": _low_signal(frame, bands),
        "not_detected": np.isposinf(magnitudes).any(axis=1),
        "not_observed": np.isnan(magnitudes).any(axis=1),
        "truth_off_grid": _off_grid(frame, card["label_range_z"]),
        "label_is_photo_z": _is_photo_z(frame),
    }
    flags = np.zeros(len(frame), dtype=np.uint32)
    for name, mark in marks.items():
        flags |= mark.astype(np.uint32) << np.uint32(BITS[name])
    return flags


def _low_signal(frame: pd.DataFrame, bands: Sequence[str]) -> np.ndarray:
    columns = [name for band in bands if (name := f"mag_err_{band}") in frame.columns]
    return (frame[columns].to_numpy(dtype=np.float64) > LOW_SIGNAL_ERR_MAG).any(axis=1)


def _off_grid(frame: pd.DataFrame, limits: Sequence[float]) -> np.ndarray:
    if "z_true" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    z_true = frame["z_true"].to_numpy(dtype=np.float64)
    return (z_true < limits[0]) | (z_true > limits[1])


def _is_photo_z(frame: pd.DataFrame) -> np.ndarray:
    if "z_true_kind" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return (frame["z_true_kind"] == "photo").to_numpy()
