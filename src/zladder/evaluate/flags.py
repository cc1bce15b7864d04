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
    marks = {
        "out_of_distribution": is_out_of_distribution(inputs, reference),
        "extrapolated": is_extrapolated(inputs, reference),
        "not_detected": np.isposinf(magnitudes).any(axis=1),
        "not_observed": np.isnan(magnitudes).any(axis=1),
    }
    return _packed(marks | _common_marks(frame, z_phot, bands, card, reference))


def image_flags(
    frame: pd.DataFrame,
    z_phot: np.ndarray,
    bands: Sequence[str],
    card: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> np.ndarray:
    """Return the flags of every row for a run that sees no magnitudes, uint32, shape (N,).

    The bits that need the inputs' range stay 0; a galaxy without an answer was not observed.
    Parameters as of `prediction_flags`; the magnitudes' errors only tell a faint galaxy.
    """
    marks = {"not_observed": np.isnan(z_phot)}
    return _packed(marks | _common_marks(frame, z_phot, bands, card, reference))


def label_flags(frame: pd.DataFrame) -> np.ndarray:
    """Return the flags of every row for answers that no training stands behind, uint32 (N,)."""
    return _packed({"label_is_photo_z": _is_photo_z(frame)})


def _common_marks(
    frame: pd.DataFrame,
    z_phot: np.ndarray,
    bands: Sequence[str],
    card: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """Return what is marked in the answers of any run, bool (N,) by name."""
    return {
        "edge_of_range": (z_phot <= reference["z_min"]) | (z_phot >= reference["z_max"]),
        "low_signal_to_noise": _low_signal(frame, bands),
        "truth_off_grid": _off_grid(frame, card["label_range_z"]),
        "label_is_photo_z": _is_photo_z(frame),
    }


def _packed(marks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the marks (N,) as bits, uint32 (N,)."""
    flags = np.zeros(len(next(iter(marks.values()))), dtype=np.uint32)
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
