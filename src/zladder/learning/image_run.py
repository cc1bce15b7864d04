"""A finished training on images: its summary, its files, and the name of its resume folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.learning.image_bundle import save_images_run
from zladder.learning.reference import write_card
from zladder.provenance.digests import quick_digest, value_digest
from zladder.tables.split_notes import notes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

    from zladder.learning.engine import Progress


@dataclass(frozen=True)
class ImageRun:
    """A finished training on images.

    Attributes
    ----------
    card
        The run card.
    tensors
        What is kept of its network.
    progress
        History and seconds of all attempts.
    reference
        What it was trained on: `n_train`, and of a training with labels `z_min`, `z_max`.
    device
        Where it was trained, as the sidecar says it.
    """

    card: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]
    progress: Progress
    reference: dict[str, Any]
    device: str = "cpu"

    def summary(self) -> dict[str, Any]:
        """Return what the sidecar of the run says."""
        schedule = self.card["schedule"]
        return {
            "card": self.card,
            "seed": self.card["seed"],
            "device": self.device,
            "n_train": self.reference["n_train"],
            "images": schedule["steps"] * schedule["batch_size"],
            "stopped_by": "steps",
            "training_seconds": round(self.progress.seconds, 3),
        }


def write_image_run(
    run: ImageRun,
    weights: Path,
    card: Path,
    history: Path,
    dataset: Path | None = None,
) -> dict[str, Any]:
    """Write weights, card and history; return the splits of the dataset it learned from."""
    save_images_run(weights, run.tensors, run.card)
    splits = notes_of([dataset]) if dataset else {}
    write_card(card, run.card, run.reference, splits)
    table = pd.DataFrame(run.progress.history or {"epoch": [], "train_loss": []})
    table.to_csv(history, index=False, lineterminator="\n")
    return splits


def image_resume_folder(
    root: Path, card: Mapping[str, Any], files: Sequence[Path], code: str
) -> Path:
    """Return the resume folder of a training below `root`.

    It is keyed by card, code digest and data (dataset, stamps, parent): a checkpoint never meets a
    training it does not fit.
    """
    key = value_digest([card, code, *(quick_digest(path) for path in files)])
    return root / f"{card['run']}-{key[:16]}"
