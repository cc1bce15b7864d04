"""The engine of every training: it takes steps, saves, stops when asked, and goes on later.

A training says what a step is (`Training`); the engine drives it. Everything random is drawn from
a generator keyed by (seed, purpose, epoch, step), so that no state of a generator or a sampler has
to be stored, and a training that was interrupted takes the very same steps as one that was not.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch

from zladder.learning.clock import Clock
from zladder.learning.lease import lease
from zladder.learning.resume import cumulative_log, load_checkpoint, save_checkpoint
from zladder.learning.stopping import stop_requests
from zladder.provenance.digests import derive_seed
from zladder.provenance.errors import BadInput, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

log = logging.getLogger("zladder")

Tensors = dict[str, torch.Tensor]


class Training(Protocol):
    """What the engine drives."""

    def start_epoch(self, epoch: int) -> int:
        """Prepare an epoch; return the number of its steps."""

    def step(self, epoch: int, step: int, rate_share: float) -> float:
        """Take one optimiser step at `rate_share` of the learning rate; return the mean loss."""

    def end_epoch(self, epoch: int) -> dict[str, float]:
        """Return what the history says of an epoch; `validation_loss` decides the best one."""

    def state(self) -> Tensors:
        """Return everything that a step changes: weights, buffers, optimiser, queue."""

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put such a state back."""

    def weights(self) -> Tensors:
        """Return what is kept of the best epoch."""

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put such weights back."""


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


def run_training(
    training: Training, card: Mapping[str, Any], folder: Path, minutes: float | None
) -> Progress:
    """Train, going on from an earlier attempt if there is one.

    Parameters
    ----------
    training
        At the end it holds the final weights.
    card
        The run card: `schedule`, `run`.
    folder
        Its resume folder; it can go once the outputs stand (`learning.resume.discard`).
    minutes
        Length of the job, None without a limit.

    Raises
    ------
    Unfinished
        When stopped early, with the state saved, or if another process trains in the folder.
    BadInput
        If it diverged.
    """
    with (
        lease(folder) as renew_lease,
        cumulative_log(folder),
        stop_requests(minutes) as asked_to_stop,
    ):

        def stop_reason() -> str | None:
            renew_lease()
            return asked_to_stop()

        return drive(training, card, folder, stop_reason)


def drive(
    training: Training,
    card: Mapping[str, Any],
    folder: Path,
    stop_reason: Callable[[], str | None],
) -> Progress:
    """Take all steps of a training in a folder that the caller holds alone.

    With `patience` in the schedule the weights of the best validation epoch are kept, and the
    training ends when none has been better for so many epochs; without, the last weights are kept.

    Parameters
    ----------
    training, card, folder
        As in `run_training`.
    stop_reason
        Asked before every step; a reason ends the training with its state saved.
    """
    schedule = card["schedule"]
    keeps_best = "patience" in schedule
    best = {name: tensor.clone() for name, tensor in training.weights().items()}
    progress = _restore(training, best, folder)
    clock = Clock(progress.seconds)
    while not _finished(progress, schedule):
        n_steps = training.start_epoch(progress.epoch)
        while progress.step < n_steps:
            reason = stop_reason()
            if reason or clock.checkpoint_due():
                progress.seconds = clock.total()
                _save(training, best if keeps_best else {}, progress, folder)
            if reason:
                message = f"{reason}; saved in epoch {progress.epoch}, step {progress.step}"
                raise Unfinished(message)
            share = rate_share(schedule, progress.epoch + progress.step / n_steps)
            progress.loss_sum += training.step(progress.epoch, progress.step, share)
            progress.step += 1
            _report(clock, progress, schedule, n_steps)
        _end_epoch(training, progress, best, n_steps)
    _require_learned(progress, card)
    progress.seconds = clock.total()
    # What still follows (batch statistics, files) may be cut short too.
    _save(training, best if keeps_best else {}, progress, folder)
    if keeps_best:
        training.load_weights(best)
    return progress


def n_epochs(schedule: Mapping[str, Any]) -> int:
    """Return how many epochs a schedule has: `epochs`, or `checks` parts of its `steps`."""
    if "epochs" in schedule:
        return int(schedule["epochs"])
    return int(schedule["checks"]) if schedule["steps"] else 0


def rate_share(schedule: Mapping[str, Any], epochs_done: float) -> float:
    """Return the factor of the learning rate: 1, or half a cosine down to zero."""
    if schedule["decay"] == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epochs_done / n_epochs(schedule)))


def keyed_generator(seed: int, *words: object) -> torch.Generator:
    """Return a generator (on the CPU) that depends on a seed and words alone."""
    return torch.Generator().manual_seed(derive_seed(seed, *(str(word) for word in words)))


def _end_epoch(training: Training, progress: Progress, best: Tensors, n_steps: int) -> None:
    """Note the epoch, keep its weights if they are the best, go to the next."""
    train_loss = progress.loss_sum / n_steps
    found = training.end_epoch(progress.epoch)
    entry = {"epoch": progress.epoch, "train_loss": train_loss, **found}
    progress.history.append(entry)
    value = entry.get("validation_loss", math.inf)
    if value < progress.best_loss:
        progress.best_loss, progress.best_epoch = value, progress.epoch
        for name, tensor in training.weights().items():
            best[name].copy_(tensor)
    progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0


def _finished(progress: Progress, schedule: Mapping[str, Any]) -> bool:
    waited = progress.epoch - 1 - progress.best_epoch
    return progress.epoch >= n_epochs(schedule) or waited >= schedule.get("patience", math.inf)


def _require_learned(progress: Progress, card: Mapping[str, Any]) -> None:
    """Refuse a training whose loss is no number, at the end or at its best."""
    if not progress.history:
        return
    last = progress.history[-1]
    named = "validation" if "validation_loss" in last else "train"
    losses = [entry[f"{named}_loss"] for entry in progress.history]
    kept = losses if "patience" in card["schedule"] else losses[-1:]
    if not any(math.isfinite(loss) for loss in kept):
        place, found = f"the {named} loss", f"none in {progress.epoch} epochs"
        hint = "the training diverged: lower the learning rate of its recipe or study"
        raise BadInput(f"run {card['run']}", place, "a finite number", found, hint)


def _save(training: Training, best: Tensors, progress: Progress, folder: Path) -> None:
    """Write everything that the next attempt needs."""
    tensors = {f"state/{name}": tensor for name, tensor in training.state().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
    save_checkpoint(folder, tensors, progress.as_json())


def _restore(training: Training, best: Tensors, folder: Path) -> Progress:
    """Put the last checkpoint back; without one return the start."""
    stored = load_checkpoint(folder)
    if stored is None:
        return Progress()
    tensors, values = stored
    training.load_state(tensors_below(tensors, "state/"))
    best.update(tensors_below(tensors, "best/"))
    log.info("resumed in epoch %d, step %d", values["epoch"], values["step"])
    best_loss = math.inf if values["best_loss"] is None else values["best_loss"]
    return Progress(**{**values, "best_loss": best_loss})


def tensors_below(tensors: Mapping[str, torch.Tensor], prefix: str) -> Tensors:
    """Return the tensors whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _report(clock: Clock, progress: Progress, schedule: Mapping[str, Any], n_steps: int) -> None:
    """Log how the training stands, every few seconds."""
    if not clock.report_due():
        return
    checked = ""
    if progress.history and "validation_loss" in progress.history[-1]:
        checked = f", validation {progress.history[-1]['validation_loss']:.5f}"
    log.info(
        "epoch %d/%d, step %d/%d: train %.5f%s, %.1f s",
        progress.epoch + 1, n_epochs(schedule), progress.step, n_steps,
        progress.loss_sum / progress.step, checked, clock.total(),
    )  # fmt: skip
