"""A run that sees pixels, read from its folder: networks on images, probes and heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.evaluate.trained import read_card
from zladder.learning.augment import Views
from zladder.learning.extended import extended_edges
from zladder.learning.image_answers import answered, redshifts
from zladder.learning.image_bundle import load_encoder, load_image_network
from zladder.learning.linear import linear_answer, load_linear
from zladder.provenance.digests import value_digest
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zladder.learning.images import Images


@dataclass(frozen=True)
class PixelRun:
    """A run that answers for images.

    Attributes
    ----------
    card, reference
        Of the run.
    inputs
        `inputs` of the network that sees the pixels: the run's own, or its parent's.
    edges
        Of the redshift classes, float64 (classes + 1,); None of a regression.
    answer
        Maps images (N, S, S, B), S the crop, to redshifts, float64 (N,), or to the odds of the
        classes, (N, classes).
    """

    card: dict[str, Any]
    reference: dict[str, Any]
    inputs: dict[str, Any]
    edges: np.ndarray | None
    answer: Callable[[Images], np.ndarray]


def load_pixel_run(folder: Path) -> PixelRun:
    """Return the run of a folder; a probe or a head takes its parent from the folder beside it.

    Raises
    ------
    BadInput
        If a file is missing or not what it should be, if the parent is missing or is no longer the
        one that the run was trained on, and for a run that knows no redshifts.
    """
    card, reference = read_card(folder / "card.json")
    task = card["task"]
    edges = extended_edges(card["output"]) if _has_classes(card) else None
    if task == "image":
        return PixelRun(card, reference, card["inputs"], edges, _network_answer(folder))
    if task in ("probe", "head"):
        inputs, answer = _linear_answer(folder, card)
        return PixelRun(card, reference, inputs, edges, answer)
    hint = "take a network, a probe or a head that was trained on it: `zladder runs`"
    expected = "a run that was trained on redshifts and sees images"
    raise BadInput(folder / "card.json", "task", expected, f"'{task}'", hint)


def _has_classes(card: dict[str, Any]) -> bool:
    return bool(card.get("output", {}).get("kind") == "classes")


def _network_answer(folder: Path) -> Callable[[Images], np.ndarray]:
    network, card = load_image_network(folder / "weights.safetensors")

    def answer(images: Images) -> np.ndarray:
        z_phot, odds = redshifts(network, card, images)
        return z_phot if odds is None else odds

    return answer


def _linear_answer(
    folder: Path, card: dict[str, Any]
) -> tuple[dict[str, Any], Callable[[Images], np.ndarray]]:
    """Return (inputs of the parent, answer of a probe or head on the parent's features)."""
    arrays, _card = load_linear(folder / "weights.safetensors")
    encoder, parent_card = load_encoder(_parent_folder(folder, card) / "weights.safetensors")
    _require_same_parent(folder, card, parent_card)

    def answer(images: Images) -> np.ndarray:
        views = Views(images, parent_card["inputs"], encoder.softening_nmgy)
        features = answered(encoder, len(images), views.centred).numpy()
        found = linear_answer(arrays, features)
        if not _has_classes(card):
            return np.asarray(found[:, 0])
        odds = np.exp(found - found.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    return parent_card["inputs"], answer


def _parent_folder(folder: Path, card: dict[str, Any]) -> Path:
    parent = folder.resolve().parent / card["inputs"]["features_of"]
    if not (parent / "weights.safetensors").is_file():
        expected = "the run whose features it takes: cutouts have to go through its encoder first"
        hint = "keep the parent's folder beside the run's, or take a run of task 'image'"
        raise BadInput(folder, f"parent {parent.name}", expected, f"no weights in {parent}", hint)
    return parent


def _require_same_parent(folder: Path, card: dict[str, Any], parent_card: dict[str, Any]) -> None:
    if value_digest(parent_card) != card["parent"]["card"]:
        found = f"another training of {card['parent']['run']} lies there"
        hint = "train the run again: its features are those of an older encoder"
        raise BadInput(folder, "parent", "the encoder it was trained on", found, hint)
