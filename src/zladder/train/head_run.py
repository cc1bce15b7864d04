"""Train the head of one run card on the cached features of its parent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zladder.learning.engine import run_training
from zladder.learning.features import read_copies, read_features, require_finite
from zladder.learning.image_run import ImageRun
from zladder.learning.split_rows import label_reference, split_rows
from zladder.train.head import HeadTraining
from zladder.train.label_plan import plan_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("zladder")


def train_head(
    card: Mapping[str, Any],
    dataset: Path,
    features: Path,
    labels_from: Path | None,
    folder: Path,
    minutes: float | None,
) -> tuple[ImageRun, dict[str, Any]]:
    """Return (finished training, what was found about its labels).

    Parameters
    ----------
    card
        The run card.
    dataset, features
        Parquet file of the stage `datasets`, and the features of its images.
    labels_from
        Predictions of a Step 2 run, or None for hard labels.
    folder
        The resume folder.
    minutes
        Length of the job, None without a limit.

    Raises
    ------
    BadInput
        As `split_rows`, `plan_labels` and `read_features` do; for features that are not finite.
    Unfinished
        When stopped early, with the state saved.
    """
    train, validation = (split_rows(dataset, card, split) for split in ("train", "validation"))
    labels = plan_labels(card, train, validation, dataset, labels_from)
    kept = train[labels.kept]
    n_copies = card["inputs"].get("copies", 0)
    versions = _versions(features, kept["object_id"].to_numpy(), n_copies)
    torch.set_deterministic_debug_mode("error")  # the other spelling imports a compiler
    log.info(
        "run %s: %d of %d training galaxies, %d features in %d versions",
        card["run"], len(kept), len(train), versions.shape[2], versions.shape[1],
    )  # fmt: skip
    training = HeadTraining(versions, labels, card)
    progress = run_training(training, card, folder, minutes)
    reference = label_reference(kept["z_true"].to_numpy())
    return ImageRun(card, training.weights(), progress, reference), labels.found


def _versions(path: Path, object_id: np.ndarray, n_copies: int) -> np.ndarray:
    """Return the features of galaxies and of their turned copies, float32 (n, 1 + copies, D)."""
    versions = read_features(path, object_id)[:, None]
    if n_copies:
        copies = read_copies(path, object_id, n_copies)
        versions = np.concatenate([versions, copies], axis=1)
    require_finite(versions, object_id, path)
    return versions
