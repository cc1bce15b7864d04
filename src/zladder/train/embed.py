"""Send the images of a dataset through a trained encoder and keep its features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch

from zladder.learning.augment import N_SYMMETRIES
from zladder.learning.device import best_device, keep_reproducible
from zladder.learning.engine import keyed_generator
from zladder.learning.image_answers import answered, views_of
from zladder.learning.image_bundle import load_encoder
from zladder.learning.image_index import image_blocks, shard_files
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.split_notes import read_note, tested_split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.learning.augment import Views
    from zladder.networks.resnet import Encoder

FEATURES_SCHEMA = "zladder features 1"
EXTRA_EBV_MAG = 0.1  # how much more dust the features `reddened` stand behind


def embed_images(
    weights: Path, dataset: Path, stamps: Sequence[Path], n_copies: int, features: Path
) -> dict[str, Any]:
    """Write the features of all galaxies of a dataset; return what the sidecar says.

    Parameters
    ----------
    weights
        Of a pretraining or of an image network.
    dataset
        Parquet file of an image dataset.
    stamps
        The stamp files that its rows lie in.
    n_copies
        How many turned copies of the training galaxies to embed beside, 0 to 7.
    features
        HDF5 file to write: `object_id` (N,); `features` (N, D); `reddened` (N, D): the same behind
        0.1 mag more of E(B-V), NaN for all but the test galaxies; with copies
        `copies` (N, n_copies, D), NaN for those of another split than ``train``.

    Raises
    ------
    BadInput
        For a file without an encoder, a dataset without images, stamps without the encoder's
        bands, splits that were changed by hand, and a number of copies that the symmetries of the
        square do not give.
    """
    if not 0 <= n_copies < N_SYMMETRIES:
        hint = "a square has seven turns and reflections beside the identity"
        raise BadInput("--copies", "copies", "0 to 7", f"{n_copies}", hint)
    encoder, card = load_encoder(weights)
    device = best_device()
    keep_reproducible(device)
    frame = read_table(dataset)
    arrays = _embedded(encoder.to(device), card, frame, dataset, stamps, n_copies)
    attributes = {
        "schema": FEATURES_SCHEMA,
        "run": card["run"],
        "dataset": dataset.stem,
        "bands": card["inputs"]["bands"],
        "extra_ebv_mag": EXTRA_EBV_MAG,
    }
    with h5py.File(features, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
        for name, value in attributes.items():
            file.attrs[name] = value
    return {
        "run": card["run"],
        "n_in": len(frame),
        "n_out": len(arrays["features"]),
        "device": str(device),
    }


def _embedded(
    encoder: Encoder,
    card: dict[str, Any],
    frame: pd.DataFrame,
    dataset: Path,
    stamps: Sequence[Path],
    n_copies: int,
) -> dict[str, np.ndarray]:
    """Return the datasets of the features file, their rows in the order of the dataset."""
    shape = (len(frame), encoder.features)
    arrays = {
        "object_id": frame["object_id"].to_numpy(),
        "features": np.empty(shape, dtype=np.float32),
        "reddened": np.full(shape, np.nan, dtype=np.float32),
    }
    symmetry = distinct_symmetries(card["seed"], len(frame), n_copies)
    split, held_out = frame["split"].to_numpy(), tested_split(read_note(dataset))
    if n_copies:
        arrays["copies"] = np.full((shape[0], n_copies, shape[1]), np.nan, dtype=np.float32)
    for places, images in image_blocks(frame, shard_files(stamps), card["inputs"], dataset):
        views = views_of(encoder, card["inputs"], images)
        arrays["features"][places] = _features(encoder, views, np.arange(len(places)))
        tested = np.flatnonzero(split[places] == held_out)
        arrays["reddened"][places[tested]] = _features(encoder, views, tested, EXTRA_EBV_MAG)
        trained = np.flatnonzero(split[places] == "train")
        for copy in range(n_copies):
            turned = _turned(encoder, views, trained, symmetry[places[trained], copy])
            arrays["copies"][places[trained], copy] = turned
    return arrays


def distinct_symmetries(seed: int, n: int, n_copies: int) -> torch.Tensor:
    """Return symmetries of the square, int64 (n, n_copies): no identity, none twice a galaxy."""
    draws = torch.rand(n, N_SYMMETRIES - 1, generator=keyed_generator(seed, "copies"))
    return draws.argsort(dim=1)[:, :n_copies] + 1


def _features(
    encoder: Encoder, views: Views, places: np.ndarray, ebv_mag: float = 0.0
) -> np.ndarray:
    """Return the features of some images of a block, behind `ebv_mag` more of dust."""
    unturned = torch.zeros(len(places), dtype=torch.int64)
    return _turned(encoder, views, places, unturned, ebv_mag)


def _turned(
    encoder: Encoder,
    views: Views,
    places: np.ndarray,
    symmetry: torch.Tensor,
    ebv_mag: float = 0.0,
) -> np.ndarray:
    """Return the features of some images of a block, each under its own symmetry."""
    if not len(places):
        return np.empty((0, encoder.features), dtype=np.float32)
    rows = torch.from_numpy(places)

    def seen(part: torch.Tensor) -> torch.Tensor:
        return views.turned(rows[part], symmetry[part], ebv_mag)

    return np.asarray(answered(encoder, len(rows), seen).numpy())
