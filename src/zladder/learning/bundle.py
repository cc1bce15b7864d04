"""A network on disk: weights and run card in one safetensors file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zladder.learning.scaling import INPUT_SCALINGS, fit_scaling
from zladder.networks.mlp import MLP
from zladder.provenance.digests import canonical_json, derive_seed
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def new_network(card: Mapping[str, Any], inputs: torch.Tensor, z_true: torch.Tensor) -> MLP:
    """Return an untrained network, scaled to the training inputs (N, F).

    With the card's `fitted_output` also to the labels (N,).
    """
    generator = torch.Generator().manual_seed(derive_seed(card["seed"], "weights"))
    network = _empty(card, inputs.shape[1], generator)
    mean, scale = INPUT_SCALINGS[card["input_scaling"]](inputs)
    network.input_mean.copy_(mean)
    network.input_scale.copy_(scale)
    if card["fitted_output"]:
        mean, scale = fit_scaling(z_true[:, None])
        network.output_mean.copy_(mean)
        network.output_scale.copy_(scale)
    return network


def _empty(card: Mapping[str, Any], n_inputs: int, generator: torch.Generator | None) -> MLP:
    model = {key: value for key, value in card["model"].items() if key != "kind"}
    return MLP(n_inputs, generator=generator, **model)


def save_network(path: Path, network: MLP, card: Mapping[str, Any]) -> None:
    """Write weights, buffers and card; equal networks give equal bytes."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={"card": canonical_json(card)})


def load_network(path: Path) -> tuple[MLP, dict[str, Any]]:
    """Return (network in evaluation mode, its run card).

    Raises
    ------
    BadInput
        If the file is not a whole network of zladder.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            card = json.loads(stored.metadata()["card"])
        network = _empty(card, len(tensors["input_mean"]), None)
        network.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        hint = "train the run again (remove the file first)"
        raise BadInput(path, "the file", "weights with a run card", str(error), hint) from error
    return network.eval(), card
