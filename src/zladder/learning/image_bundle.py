"""Networks on pixels on disk: weights and run card in one safetensors file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zladder.learning.engine import keyed_generator, tensors_below
from zladder.networks.heads import ClassesHead, ImageNetwork, RegressionHead
from zladder.networks.resnet import Encoder
from zladder.provenance.digests import canonical_json
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

Card = dict[str, Any]


def new_encoder(card: Mapping[str, Any], generator: torch.Generator | None) -> Encoder:
    """Return the encoder of a card's `model` and `inputs`, with drawn weights."""
    model = {key: value for key, value in card["model"].items() if key != "kind"}
    return Encoder(len(card["inputs"]["bands"]), generator=generator, **model)


def drawn_encoder(card: Mapping[str, Any]) -> Encoder:
    """Return the encoder that a training of this card starts from without a parent."""
    return new_encoder(card, keyed_generator(card["seed"], "weights", "encoder"))


def new_head(
    card: Mapping[str, Any], features: int, generator: torch.Generator | None
) -> RegressionHead | ClassesHead:
    """Return the head of a card's `output`, with drawn weights."""
    if card["output"]["kind"] == "regression":
        return RegressionHead(features, generator)
    return ClassesHead(features, card["output"]["bins"], generator)


def save_images_run(
    path: Path, tensors: Mapping[str, torch.Tensor], card: Mapping[str, Any]
) -> None:
    """Write weights, buffers and card; equal networks give equal bytes."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, path, metadata={"card": canonical_json(card)})


def load_encoder(path: Path) -> tuple[Encoder, Card]:
    """Return (encoder in evaluation mode, run card) of a pretraining or an image network.

    Raises
    ------
    BadInput
        If the file is not a whole run of zladder with an encoder in it.
    """
    tensors, card = _stored(path)
    try:
        encoder = new_encoder(card, None)
        encoder.load_state_dict(tensors_below(tensors, "encoder."))
    except (KeyError, TypeError, RuntimeError) as error:
        raise _unusable(path, error) from error
    return encoder.eval(), card


def load_image_network(path: Path) -> tuple[ImageNetwork, Card]:
    """Return (encoder and head in evaluation mode, run card) of a trained image network.

    Raises
    ------
    BadInput
        If the file is not a whole image network of zladder.
    """
    tensors, card = _stored(path)
    try:
        encoder = new_encoder(card, None)
        network = ImageNetwork(encoder, new_head(card, encoder.features, None))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        raise _unusable(path, error) from error
    return network.eval(), card


def require_same_sight(path: Path, card: Mapping[str, Any], parent_card: Mapping[str, Any]) -> None:
    """Refuse a parent that sees other pixels, or through another network, than a card's run.

    Raises
    ------
    BadInput
        Naming the bands if it is they that differ.
    """
    pairs = [("inputs", key) for key in card["inputs"]] + [("model", key) for key in card["model"]]
    pairs.sort(key=lambda pair: pair[1] != "bands")
    for block, key in pairs:
        expected, found = card[block][key], parent_card[block].get(key)
        if expected != found:
            hint = "pretrain the encoder on a dataset of the same survey, with the same settings"
            place = f"the run card inside: {block}.{key}"
            raise BadInput(path, place, f"{expected}", f"{found}", hint)


def _stored(path: Path) -> tuple[dict[str, torch.Tensor], Card]:
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            return tensors, json.loads(stored.metadata()["card"])
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> BadInput:
    hint = "train the run again (remove the file first)"
    return BadInput(path, "the file", "weights of a network on images", str(error), hint)
