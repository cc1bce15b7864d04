"""Train the network of one run card, from its parent's weights if it has one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from zladder.learning.bundle import load_network, new_network, save_network
from zladder.learning.engine import Progress, run_training
from zladder.learning.examples import read_split
from zladder.learning.reference import fit_reference, write_card
from zladder.learning.scaling import centre_dz
from zladder.networks.mlp import freeze_except
from zladder.provenance.digests import file_digest, value_digest
from zladder.provenance.errors import BadInput, require_known
from zladder.tables.split_notes import notes_of
from zladder.train.catalogue import CatalogueTraining, Examples

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.networks.mlp import MLP

log = logging.getLogger("zladder")


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes
    ----------
    card
        The run card.
    network
        With the weights of the best validation epoch.
    progress
        History and seconds of all attempts.
    reference
        What it was trained on (`zladder.learning.reference`).
    """

    card: Mapping[str, Any]
    network: MLP
    progress: Progress
    reference: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """Return what the sidecar of the run says."""
        return {
            "card": self.card,
            "seed": self.card["seed"],
            "n_train": self.reference["n_train"],
            "epochs": self.progress.epoch,
            "best_epoch": self.progress.best_epoch,
            "stopped_by": self._stopped_by(),
            "training_seconds": round(self.progress.seconds, 3),
        }

    def _stopped_by(self) -> str:
        """Return why it ended: it had learned (patience), or the epochs were used up.

        Where the learning rate decays to zero the last epoch is the end that was meant.
        """
        schedule = self.card["schedule"]
        meant = self.progress.epoch < schedule["epochs"] or schedule["decay"] == "cosine"
        return "patience" if meant else "epochs"


def resume_folder(
    root: Path, card: Mapping[str, Any], dataset: Path, parent: Path | None, code: str
) -> Path:
    """Return the resume folder of a training below `root`.

    It is keyed by card, code digest and data: a checkpoint never meets a training it does not fit.
    """
    key = value_digest([card, code, file_digest(dataset), parent and file_digest(parent)])
    return root / f"{card['run']}-{key[:16]}"


def train_network(
    card: Mapping[str, Any],
    dataset: Path,
    parent: Path | None,
    folder: Path,
    minutes: float | None,
) -> Trained:
    """Train the network of a run card, going on from an earlier attempt if there is one.

    Parameters
    ----------
    card
        The run card.
    dataset
        Parquet file of the stage `datasets`.
    parent
        Weights that the training starts from, or None.
    folder
        Its resume folder; it can go once the outputs stand (`learning.resume.discard`).
    minutes
        Length of the job, None without a limit.

    Raises
    ------
    BadInput
        For unusable examples, or a parent that does not fit the card.
    Unfinished
        When stopped early, with the state saved.
    """
    train, validation = (_examples(dataset, card, split) for split in ("train", "validation"))
    torch.set_deterministic_debug_mode("error")  # the other spelling imports a compiler
    network = _starting_network(card, train, parent)
    log.info(
        "run %s: %d training and %d validation galaxies, %d parameters",
        card["run"], len(train.z_true), len(validation.z_true),
        sum(parameter.numel() for parameter in network.parameters()),
    )  # fmt: skip
    training = CatalogueTraining(network, train, validation, card)
    progress = run_training(training, card, folder, minutes)
    if card["fitted_output"]:
        log.info("mean training dz taken out: %+.6f",
                 centre_dz(network, train.inputs, train.z_true))  # fmt: skip
    reference = fit_reference(train.inputs.numpy(), train.z_true.numpy())
    return Trained(card, network, progress, reference)


def write_run(
    trained: Trained,
    weights: Path,
    card: Path,
    history: Path,
    dataset: Path | None = None,
) -> dict[str, Any]:
    """Write weights, card and history; return the splits of the dataset it learned from."""
    save_network(weights, trained.network, trained.card)
    splits = notes_of([dataset]) if dataset else {}
    write_card(card, trained.card, trained.reference, splits)
    pd.DataFrame(trained.progress.history).to_csv(history, index=False, lineterminator="\n")
    return splits


def _examples(dataset: Path, card: Mapping[str, Any], split: str) -> Examples:
    inputs, labels = read_split(dataset, card, split)
    return Examples(torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.float32)))


def _starting_network(card: Mapping[str, Any], train: Examples, parent: Path | None) -> MLP:
    """Return a new network, or the parent's with only the card's layer groups learning."""
    if parent is None:
        network = new_network(card, train.inputs, train.z_true)
    else:
        network, parent_card = load_network(parent)
        if parent_card["model"] != card["model"] or parent_card["inputs"] != card["inputs"]:
            expected = f"model {card['model']} with inputs {card['inputs']}"
            found = f"model {parent_card['model']} with inputs {parent_card['inputs']}"
            hint = "a child keeps the network and the inputs of its parent"
            raise BadInput(parent, "the run card inside", expected, found, hint)
    if card["trainable"] != "all":
        _freeze(network, card)
    return network


def _freeze(network: MLP, card: Mapping[str, Any]) -> None:
    groups = list(network.layer_groups())
    for name in card["trainable"]:
        require_known(name, groups, f"run {card['run']}", "trainable")
    freeze_except(network, card["trainable"])
