"""The labelled rows of one split of a dataset, for models that do not learn from magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd


def rank_column(draw: int) -> str:
    """Return the column of a dataset that shares out its labels in one of its draws, from 0."""
    return f"fraction_rank_{draw}" if draw else "fraction_rank"


def split_rows(path: Path, card: Mapping[str, Any], split: str) -> pd.DataFrame:
    """Return the rows of one split, in the order of the file.

    The training split is cut to the card's label fraction in the card's draw, so that a smaller
    fraction is always contained in a larger one. In what is returned `fraction_rank` is the rank
    of that draw.

    Raises
    ------
    BadInput
        For a galaxy that is both in training and in test, a split without galaxies, a draw that
        the dataset does not have, and labels outside the card's `label_range_z`.
    """
    frame = read_table(path)
    require_no_test_object(frame, path)
    frame = frame[frame["split"] == split]
    if split == "train":
        rank = label_rank(frame, card, path)
        frame = frame.assign(fraction_rank=rank)[rank < card["data"]["label_fraction"]]
    if frame.empty:
        hint = "use a larger sample, or other shares in config/stages/datasets.yaml"
        raise BadInput(path, f"split '{split}'", "at least one galaxy", "none", hint)
    low, high = card["label_range_z"]
    labels = frame["z_true"].to_numpy(dtype=np.float64)
    hint = "cut the sample in config/stages/catalogs.yaml, or widen train.label_range_z"
    expected = f"a redshift in [{low:g}, {high:g}]"
    require_labels(frame, (labels >= low) & (labels <= high), path, expected, hint)
    return frame.reset_index(drop=True)


def label_rank(frame: pd.DataFrame, card: Mapping[str, Any], path: Path) -> np.ndarray:
    """Return the ranks of galaxies in the draw of a card, float64 (N,); the first if none is named.

    Raises
    ------
    BadInput
        For a draw that the dataset does not have.
    """
    column = rank_column(card["data"].get("label_draw", 0))
    if column not in frame.columns:
        there = ", ".join(name for name in frame.columns if name.startswith("fraction_rank"))
        hint = "build the dataset again, with more label_draws (config/stages/datasets.yaml)"
        raise BadInput(path, f"column '{column}'", "the run's draw of labels", there, hint)
    return frame[column].to_numpy(dtype=np.float64)


def require_no_test_object(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a dataset in which a training or validation galaxy is also a test galaxy."""
    tested = frame["split"] == "test"
    shared = np.intersect1d(frame.loc[tested, "object_id"], frame.loc[~tested, "object_id"])
    if len(shared):
        found = f"{len(shared)} shared, the first is {shared[0]}"
        hint = "rebuild the dataset; a galaxy belongs to one split only"
        raise BadInput(path, "column 'object_id'", "no test galaxy in training", found, hint)


def require_labels(
    frame: pd.DataFrame, fit: np.ndarray, path: Path, expected: str, hint: str
) -> None:
    """Refuse labels that do not fit, bool (N,), naming the first of them.

    Raises
    ------
    BadInput
        If there is one.
    """
    if not fit.all():
        first = int(np.argmin(fit))
        z_true, object_id = (frame[name].iloc[first] for name in ("z_true", "object_id"))
        found = f"{z_true:g} for object_id {object_id} ({int((~fit).sum())} such)"
        raise BadInput(path, "column 'z_true'", expected, found, hint)


def label_reference(labels: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """Return what a run's card says of its training labels (n,): number, lowest, highest."""
    z_true = np.asarray(labels, dtype=np.float64)
    return {"n_train": len(z_true), "z_min": float(z_true.min()), "z_max": float(z_true.max())}
