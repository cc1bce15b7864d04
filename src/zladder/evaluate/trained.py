"""A trained run, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.learning.controls import load_control
from zladder.provenance.errors import BadInput

PIXEL_TASKS = ("pretrain", "image", "probe", "head")  # these see images, the others magnitudes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np


@dataclass(frozen=True)
class TrainedRun:
    """A run that can answer for magnitudes.

    Attributes
    ----------
    card
        Its run card.
    reference
        What it was trained on (`zladder.learning.reference`).
    answer
        Maps finite inputs, float32 (N, F), to redshifts, float64 (N,).
    """

    card: dict[str, Any]
    reference: dict[str, Any]
    answer: Callable[[np.ndarray], np.ndarray]


def load_run(model: Path, card_file: Path) -> TrainedRun:
    """Return the run of a model file (weights.safetensors) and its card file.

    Raises
    ------
    BadInput
        If either file is missing or not what it should be, and for a run that sees images.
    """
    card, reference = read_card(card_file)
    task = task_of(card)
    if task in PIXEL_TASKS:
        hint = "take a run that was trained on magnitudes: `zladder runs`"
        raise BadInput(card_file, "task", "catalogue or control", f"'{task}'", hint)
    answer = _network_answer(model) if task == "catalogue" else load_control(model)
    return TrainedRun(card, reference, answer)


def task_of(card: Mapping[str, Any]) -> str:
    """Return the kind of a run: catalogue, control, or one of `PIXEL_TASKS`.

    Cards from before there were images do not say it; controls have no optimizer.
    """
    return str(card.get("task") or ("catalogue" if "optimizer" in card else "control"))


def read_card(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (run card, reference of its training set) of a run's card file.

    Raises
    ------
    BadInput
        If the file is missing or no run card.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return stored["card"], stored["reference"]
    except (OSError, ValueError, KeyError) as error:
        hint = "the run is not complete: build it first"
        raise BadInput(path, "the file", "a run card", repr(error), hint) from error


def _network_answer(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    from zladder.learning.bundle import load_network

    network, _card = load_network(path)

    def answer(inputs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            stacked = torch.from_numpy(inputs).expand(network.members, -1, -1)
            return network(stacked).double().mean(dim=0).numpy()

    return answer
