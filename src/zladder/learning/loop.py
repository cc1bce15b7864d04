"""The training loop: one network, rows of a resident tensor, steps that can stop anywhere.

Everything random is keyed by (seed, epoch), so that a training that was interrupted and resumed
takes the very same steps as one that was not.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.losses import LOSSES
from zladder.learning.resume import load_checkpoint, save_checkpoint
from zladder.provenance.digests import derive_seed
from zladder.provenance.errors import BadInput, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from zladder.networks.mlp import MLP

log = logging.getLogger("zladder")

PROGRESS_SECONDS = 5.0
CHECKPOINT_SECONDS = 300.0  # what a killed training loses at most


@dataclass(frozen=True)
class Examples:
    """Inputs and labels, resident on the device.

    Attributes
    ----------
    inputs
        float32, shape (N, F).
    z_true
        float32, shape (N,).
    """

    inputs: torch.Tensor
    z_true: torch.Tensor


@dataclass
class Progress:
    """How far a training has come; with the tensors it is all that a checkpoint holds."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_loss: float = math.inf
    best_epoch: int = -1
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; infinity, which JSON lacks, becomes None."""
        best = None if math.isinf(self.best_loss) else self.best_loss
        return {**self.__dict__, "best_loss": best}


def fit(
    network: MLP,
    train: Examples,
    validation: Examples,
    card: Mapping[str, Any],
    folder: Path,
    stop_reason: Callable[[], str | None],
) -> Progress:
    """Train a network in place; at the end it holds the weights of the best validation epoch.

    Parameters
    ----------
    network
        Maps (M, B, F) inputs to (M, B) redshifts for its M members; has an attribute `members`.
    train, validation
        The examples; validation decides which epoch is kept and when to stop, nothing else.
    card
        The run card: `loss`, `optimizer`, `schedule`, `seed`.
    folder
        The resume folder, which the caller holds alone.
    stop_reason
        Asked before every step; a reason ends the training with its state saved.

    Returns
    -------
    Progress
        With one entry a finished epoch in `history` and the seconds of all attempts together.

    Raises
    ------
    Unfinished
        After a request to stop, with the state saved.
    BadInput
        If no epoch had a finite validation loss.
    """
    optimizer = make_optimizer(network, card["optimizer"])
    best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    progress = _restore(network, optimizer, best, folder)
    clock = _Clock(progress.seconds)
    while not _finished(progress, card["schedule"]):
        network.train()
        order = _epoch_order(card["seed"], progress.epoch, network.members, len(train.z_true))
        batches = order.split(card["schedule"]["batch_size"], dim=1)
        for rows in batches[progress.step :]:
            reason = stop_reason()
            if reason or clock.checkpoint_due():
                progress.seconds = clock.total()
                _save(network, optimizer, best, progress, folder)
            if reason:
                message = f"{reason}; saved in epoch {progress.epoch}, step {progress.step}"
                raise Unfinished(message)
            _set_rate(optimizer, card, progress, len(batches))
            progress.loss_sum += _step(network, optimizer, train, rows, card["loss"])
            progress.step += 1
        _end_epoch(network, validation, card["loss"], progress, best, len(batches))
        clock.report(progress, card["schedule"]["epochs"])
    _require_learned(progress, card)
    network.load_state_dict(best)
    progress.seconds = clock.total()
    return progress


def _require_learned(progress: Progress, card: Mapping[str, Any]) -> None:
    if progress.best_epoch < 0:
        place, found = "the validation loss", f"none in {progress.epoch} epochs"
        hint = "the training diverged: lower the learning rate of its recipe or study"
        raise BadInput(f"run {card['run']}", place, "a finite number", found, hint)


def make_optimizer(network: MLP, settings: Mapping[str, float]) -> torch.optim.Optimizer:
    """Return AdamW over the parameters that learn (with no decay it is Adam)."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(
        learning, lr=settings["learning_rate"], weight_decay=settings["weight_decay"], foreach=False
    )


def mean_loss(network: MLP, examples: Examples, loss: Mapping[str, Any]) -> float:
    """Return the loss over all examples, averaged over members."""
    network.eval()
    with torch.no_grad():
        predicted = network(examples.inputs.expand(network.members, -1, -1))
        return float(_losses(predicted, examples.z_true, loss).double().mean())


def _losses(predicted: torch.Tensor, z_true: torch.Tensor, loss: Mapping[str, Any]) -> torch.Tensor:
    settings = {key: value for key, value in loss.items() if key != "name"}
    return LOSSES[loss["name"]](predicted, z_true, **settings)


def _step(
    network: MLP,
    optimizer: torch.optim.Optimizer,
    train: Examples,
    rows: torch.Tensor,
    loss: Mapping[str, Any],
) -> float:
    """Take one optimiser step on rows (M, B), each member on its own; return the mean loss."""
    losses = _losses(network(train.inputs[rows]), train.z_true[rows], loss)
    optimizer.zero_grad(set_to_none=True)
    losses.mean(dim=1).sum().backward()  # the sum keeps a member's step independent of M
    optimizer.step()
    return float(losses.detach().mean())


def _epoch_order(seed: int, epoch: int, members: int, n: int) -> torch.Tensor:
    """Return the rows in the order of one epoch, shape (M, N): every member its own."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "epoch", str(epoch)))
    return torch.stack([torch.randperm(n, generator=generator) for _ in range(members)])


def _set_rate(
    optimizer: torch.optim.Optimizer, card: Mapping[str, Any], progress: Progress, n_steps: int
) -> None:
    """Set the learning rate of this step: constant, or half a cosine down to zero."""
    done = (progress.epoch + progress.step / n_steps) / card["schedule"]["epochs"]
    cosine = card["schedule"]["decay"] == "cosine"
    share = 0.5 * (1 + math.cos(math.pi * done)) if cosine else 1.0
    for group in optimizer.param_groups:
        group["lr"] = card["optimizer"]["learning_rate"] * share


def _end_epoch(
    network: MLP,
    validation: Examples,
    loss: Mapping[str, Any],
    progress: Progress,
    best: dict[str, torch.Tensor],
    n_steps: int,
) -> None:
    """Score the epoch on validation, keep the weights if they are the best, go to the next."""
    value = mean_loss(network, validation, loss)
    train_loss = progress.loss_sum / n_steps
    progress.history.append(
        {"epoch": progress.epoch, "train_loss": train_loss, "validation_loss": value}
    )
    if value < progress.best_loss:
        progress.best_loss, progress.best_epoch = value, progress.epoch
        for name, tensor in network.state_dict().items():
            best[name].copy_(tensor)
    progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0


def _finished(progress: Progress, schedule: Mapping[str, Any]) -> bool:
    waited = progress.epoch - 1 - progress.best_epoch
    return progress.epoch >= schedule["epochs"] or waited >= schedule["patience"]


def _save(
    network: MLP,
    optimizer: torch.optim.Optimizer,
    best: Mapping[str, torch.Tensor],
    progress: Progress,
    folder: Path,
) -> None:
    """Write everything that the next attempt needs."""
    tensors = {f"network/{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in state.items()}
    save_checkpoint(folder, tensors, progress.as_json())


def _restore(
    network: MLP,
    optimizer: torch.optim.Optimizer,
    best: dict[str, torch.Tensor],
    folder: Path,
) -> Progress:
    """Put the last checkpoint back; without one return the start."""
    stored = load_checkpoint(folder)
    if stored is None:
        return Progress()
    tensors, values = stored
    network.load_state_dict(_below(tensors, "network/"))
    best.update(_below(tensors, "best/"))
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _below(tensors, "optimizer/").items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    log.info("resumed in epoch %d, step %d", values["epoch"], values["step"])
    best_loss = math.inf if values["best_loss"] is None else values["best_loss"]
    return Progress(**{**values, "best_loss": best_loss})


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


class _Clock:
    """Seconds of all attempts, and a line of progress every few of them."""

    def __init__(self, earlier_seconds: float) -> None:
        self.start = time.monotonic() - earlier_seconds
        self.last_report = 0.0
        self.last_checkpoint = time.monotonic()

    def checkpoint_due(self) -> bool:
        """Return whether it is time for a checkpoint, once every CHECKPOINT_SECONDS."""
        due = time.monotonic() - self.last_checkpoint > CHECKPOINT_SECONDS
        if due:
            self.last_checkpoint = time.monotonic()
        return due

    def total(self) -> float:
        """Return the seconds of all attempts."""
        return time.monotonic() - self.start

    def report(self, progress: Progress, epochs: int) -> None:
        """Log how the training stands, every PROGRESS_SECONDS and at its end."""
        if time.monotonic() - self.last_report > PROGRESS_SECONDS or progress.epoch == epochs:
            self.last_report = time.monotonic()
            entry = progress.history[-1]
            log.info(
                "epoch %d/%d: train %.5f, validation %.5f (best %.5f in epoch %d), %.1f s",
                progress.epoch, epochs, entry["train_loss"], entry["validation_loss"],
                progress.best_loss, progress.best_epoch + 1, self.total(),
            )  # fmt: skip
