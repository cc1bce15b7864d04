"""Predictions of networks on images, block by block: no more pixels in memory than a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.evaluate.predict_features import redshift_table
from zladder.evaluate.trained import read_card
from zladder.learning.device import keep_reproducible
from zladder.learning.image_answers import redshifts
from zladder.learning.image_bundle import load_image_network
from zladder.learning.image_index import image_blocks, shard_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.evaluate.asked import Asked
    from zladder.networks.heads import ImageNetwork


def predict_images(
    datasets: Sequence[Path],
    trained_on: Sequence[Path],
    stamps: Sequence[Path],
    run: tuple[Path, Path],
    device: torch.device,
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return (predictions, counts) of a regression network for galaxies outside training splits.

    Parameters
    ----------
    datasets, trained_on
        Image datasets that are asked for, and what the run and its parents have seen.
    stamps
        The stamp files of the datasets, ``SAMPLE/SHARD.h5``.
    run
        Model file and card file.
    device
        Where the network answers.

    Raises
    ------
    BadInput
        For a test galaxy that was seen, stamps that are missing, too small or not finite, an
        unusable run.
    """
    keep_reproducible(device)
    network, network_card = load_image_network(run[0])
    network.to(device)
    card, reference = read_card(run[1])
    asked = asked_galaxies(datasets, trained_on)
    tables = []
    for part in asked:
        z_phot, _odds = image_answers(network, network_card, part, stamps)
        tables.append(redshift_table(part.frame, z_phot, card, reference))
    return whole_table(asked, tables)


def image_odds(
    model: Path, stamps: Sequence[Path], threads: int, device: str, part: Asked
) -> np.ndarray:
    """Return what a network of classes says of galaxies: float32 (n, classes), rows sum to 1.

    Torch works with so many threads from then on; `device` is where the network answers.

    Raises
    ------
    BadInput
        For stamps that are missing, too small or not finite, and an unusable model.
    """
    torch.set_num_threads(threads)
    keep_reproducible(torch.device(device))
    network, card = load_image_network(model)
    network.to(device)
    _z_phot, odds = image_answers(network, card, part, stamps)
    if odds is None:
        message = f"{model} is a regression, not a classifier"
        raise ValueError(message)
    return odds


def image_answers(
    network: ImageNetwork, card: Mapping[str, Any], part: Asked, stamps: Sequence[Path]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return (redshifts, odds of the classes) of galaxies in their order, seen in centre crops.

    Float64 (n,), and float32 (n, classes) or None for a regression.
    """
    files = shard_files(stamps)
    z_phot = np.full(len(part.frame), np.nan)
    odds: np.ndarray | None = None
    if card["output"]["kind"] == "classes":
        odds = np.full((len(part.frame), card["output"]["bins"]), np.nan, dtype=np.float32)
    for places, images in image_blocks(part.frame, files, card["inputs"], part.path):
        z_phot[places], found = redshifts(network, card, images)
        if odds is not None and found is not None:
            odds[places] = found
    return z_phot, odds
