"""Pretrain the encoder of one run card on unlabelled images."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.batch_statistics import settle
from zladder.learning.device import best_device, keep_reproducible
from zladder.learning.engine import run_training
from zladder.learning.image_index import shard_files
from zladder.learning.image_run import ImageRun
from zladder.learning.image_set import EVERYTHING, open_images
from zladder.learning.images import fitted_softening
from zladder.learning.loaders import loader_of
from zladder.learning.room import room_pixels
from zladder.pretrain.colour import photometry_targets
from zladder.pretrain.moco import MoCo
from zladder.pretrain.training import Pretraining
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.learning.image_set import ImageSet, Room

log = logging.getLogger("zladder")


def pretrain_encoder(
    card: Mapping[str, Any],
    dataset: Path,
    stamps: Sequence[Path],
    folder: Path,
    minutes: float | None,
    room: Room = EVERYTHING,
) -> ImageRun:
    """Pretrain the encoder of a run card, going on from an earlier attempt if there is one.

    With `steps: 0` the weights stay as they are drawn: the untrained control. Its batch statistics
    are measured like everybody's.

    Parameters
    ----------
    card
        The run card.
    dataset
        Parquet file of an image dataset; every row's split is ``train``.
    stamps
        The stamp files that its rows lie in.
    folder
        Its resume folder; it can go once the outputs stand (`learning.resume.discard`).
    minutes
        Length of the job, None without a limit.
    room
        Where the pixels may go; the outputs do not depend on it.

    Raises
    ------
    BadInput
        For a dataset with galaxies of another split, and for unusable images or magnitudes.
    Unfinished
        When stopped early, with the state saved.
    """
    frame = read_table(dataset)
    require_training_galaxies(frame, dataset)
    side = room_pixels(card["inputs"]["crop_pixels"], card["augmentation"])
    images = open_images(
        frame, shard_files(stamps), card["inputs"], side, dataset, room, with_sky=True,
        kept=folder / "sky.safetensors",
    )  # fmt: skip
    device = best_device()
    keep_reproducible(device)
    with closing(_training(card, images, frame, dataset, device)) as training:
        parameters = sum(parameter.numel() for parameter in training.model.encoder.parameters())
        log.info("run %s: %d galaxies of %d pixels, encoder of %d parameters, on %s",
                 card["run"], len(images), side, parameters, device)  # fmt: skip
        progress = run_training(training, card, folder, minutes)
        settle(training.model.encoder, (seen for _, seen in training.loader.shown()))
    return ImageRun(card, training.weights(), progress, {"n_train": len(images)}, str(device))


def require_training_galaxies(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a dataset that holds galaxies of any split but ``train``: they must stay unseen."""
    other = frame.loc[frame["split"] != "train", "split"]
    if len(frame) == 0 or len(other):
        found = "no galaxies"
        if len(other):
            counts = other.value_counts().sort_index()
            found = ", ".join(f"{count} of split '{name}'" for name, count in counts.items())
        hint = "give the unlabelled sample a dataset of its own, all of it training"
        raise BadInput(path, "column 'split'", "galaxies of split 'train' alone", found, hint)


def _training(
    card: Mapping[str, Any],
    images: ImageSet,
    frame: pd.DataFrame,
    dataset: Path,
    device: torch.device,
) -> Pretraining:
    model = MoCo(card)
    softening = fitted_softening(images.sky_sigma_nmgy, dataset)
    for encoder in (model.encoder, model.key_encoder):
        encoder.softening_nmgy.copy_(softening)
    targets = None
    if card["objective"]["colour_weight"]:
        targets = photometry_targets(frame, card["inputs"]["bands"], dataset)
        log.info("%d magnitudes or colours of %d were not measured",
                 int((~torch.isfinite(targets)).sum()), targets.numel())  # fmt: skip
        targets = targets.to(device)
    model.to(device)
    return Pretraining(model, loader_of(images, model.encoder, card), targets, card)
