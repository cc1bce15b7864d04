"""Train the image network of one run card, from scratch or from its parent's encoder."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zladder.learning.batch_statistics import settle
from zladder.learning.classes import class_edges, class_index
from zladder.learning.device import best_device, keep_reproducible
from zladder.learning.engine import keyed_generator, run_training
from zladder.learning.image_bundle import (
    drawn_encoder,
    load_encoder,
    new_head,
    require_same_sight,
)
from zladder.learning.image_index import shard_files
from zladder.learning.image_run import ImageRun
from zladder.learning.image_set import EVERYTHING, open_images
from zladder.learning.images import fitted_softening
from zladder.learning.loaders import loader_of
from zladder.learning.room import room_pixels
from zladder.learning.scaling import fit_scaling
from zladder.learning.split_rows import label_reference, require_labels, split_rows
from zladder.networks.heads import ImageNetwork, RegressionHead
from zladder.train.image_training import ImageExamples, ImageTraining

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.learning.image_set import ImageSet, Room

log = logging.getLogger("zladder")


def train_image(
    card: Mapping[str, Any],
    dataset: Path,
    stamps: Sequence[Path],
    parent: Path | None,
    folder: Path,
    minutes: float | None,
    room: Room = EVERYTHING,
) -> ImageRun:
    """Train the network of a run card, going on from an earlier attempt if there is one.

    Parameters
    ----------
    card
        The run card.
    dataset
        Parquet file of an image dataset.
    stamps
        The stamp files that its rows lie in.
    parent
        Weights of a pretraining whose encoder (and nothing else) the training starts from, or None.
    folder
        Its resume folder; it can go once the outputs stand (`learning.resume.discard`).
    minutes
        Length of the job, None without a limit.
    room
        Where the pixels may go; the outputs do not depend on it.

    Raises
    ------
    BadInput
        For unusable galaxies, and a parent that does not fit the card.
    Unfinished
        When stopped early, with the state saved.
    """
    rows = {split: split_rows(dataset, card, split) for split in ("train", "validation")}
    labels = {split: _labels(part, card, dataset) for split, part in rows.items()}
    images = _opened(rows, shard_files(stamps), card, dataset, room, folder)
    device = best_device()
    keep_reproducible(device)
    network = _starting_network(card, images["train"], labels["train"], parent, dataset).to(device)
    examples = [_examples(network, card, images[key], labels[key]) for key in images]
    log.info("run %s: %d training and %d validation galaxies, %d parameters, on %s",
             card["run"], *(len(part) for part in rows.values()),
             sum(parameter.numel() for parameter in network.parameters()), device)  # fmt: skip
    with closing(ImageTraining(network, examples[0], examples[1], card)) as training:
        progress = run_training(training, card, folder, minutes)
        if not training.frozen:
            settle(network.encoder, (seen for _, seen in examples[0].loader.shown()))
    reference = label_reference(labels["train"])
    return ImageRun(card, training.weights(), progress, reference, str(device))


def _opened(
    rows: Mapping[str, pd.DataFrame],
    files: Mapping[str, Path],
    card: Mapping[str, Any],
    dataset: Path,
    room: Room,
    folder: Path,
) -> dict[str, ImageSet]:
    """Return the images of the training galaxies, and of those that only watch it, as room is."""
    inputs, crop = card["inputs"], card["inputs"]["crop_pixels"]
    side = room_pixels(crop, card["augmentation"])
    kept = {split: folder / f"sky-{split}.safetensors" for split in rows}
    train = open_images(rows["train"], files, inputs, side, dataset, room, with_sky=True,
                        kept=kept["train"])  # fmt: skip
    left = replace(room, resident_bytes=room.resident_bytes - train.bytes_held)
    validation = open_images(rows["validation"], files, inputs, crop, dataset, left,
                             with_sky=False, kept=kept["validation"])  # fmt: skip
    return {"train": train, "validation": validation}


def _labels(frame: pd.DataFrame, card: Mapping[str, Any], dataset: Path) -> np.ndarray:
    """Return the redshifts (N,); all must have a class if the card has classes."""
    labels = frame["z_true"].to_numpy(dtype=np.float64)
    if card["output"]["kind"] == "classes":
        edges = class_edges(card["output"])
        expected = f"a redshift in [{edges[0]:g}, {edges[-1]:g}), where the classes are"
        hint = "cut the sample in config/stages/catalogs.yaml, or widen output.range_z"
        require_labels(frame, class_index(labels, edges)[1], dataset, expected, hint)
    return labels


def _starting_network(
    card: Mapping[str, Any],
    images: ImageSet,
    labels: np.ndarray,
    parent: Path | None,
    dataset: Path,
) -> ImageNetwork:
    """Return a drawn network, or a drawn head on the parent's encoder.

    A parent's encoder keeps its softening: its first layer learned that stretch.
    """
    if parent is None:
        encoder = drawn_encoder(card)
        encoder.softening_nmgy.copy_(fitted_softening(images.sky_sigma_nmgy, dataset))
    else:
        encoder, parent_card = load_encoder(parent)
        require_same_sight(parent, card, parent_card)
    head = new_head(card, encoder.features, keyed_generator(card["seed"], "weights", "head"))
    if isinstance(head, RegressionHead):
        mean, scale = fit_scaling(torch.tensor(labels)[:, None])
        head.output_mean.copy_(mean)
        head.output_scale.copy_(scale)
    return ImageNetwork(encoder, head)


def _examples(
    network: ImageNetwork, card: Mapping[str, Any], images: ImageSet, labels: np.ndarray
) -> ImageExamples:
    loader = loader_of(images, network.encoder, card)
    targets = labels.astype(np.float32)
    if card["output"]["kind"] == "classes":
        targets, _ = class_index(labels, class_edges(card["output"]))
    return ImageExamples(loader, torch.from_numpy(targets).to(loader.device))
