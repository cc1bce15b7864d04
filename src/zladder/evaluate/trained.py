"""A trained run, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.learning.controls import load_control
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


@dataclass(frozen=True)
class TrainedRun:
    """A run that can answer.

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
        If either file is missing or not what it should be.
    """
    try:
        stored = json.loads(card_file.read_text(encoding="utf-8"))
        card, reference = stored["card"], stored["reference"]
    except (OSError, ValueError, KeyError) as error:
        hint = "the run is not complete: build it first"
        raise BadInput(card_file, "the file", "a run card", repr(error), hint) from error
    answer = _network_answer(model) if "optimizer" in card else load_control(model)
    return TrainedRun(card, reference, answer)


def _network_answer(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    from zladder.learning.bundle import load_network

    network, _card = load_network(path)

    def answer(inputs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            stacked = torch.from_numpy(inputs).expand(network.members, -1, -1)
            return network(stacked).double().mean(dim=0).numpy()

    return answer
