"""AdamW over the parameters that learn, and its state as plain tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def make_optimizer(
    groups: Mapping[float, Iterable[torch.nn.Parameter]], settings: Mapping[str, Any]
) -> torch.optim.Optimizer:
    """Return AdamW (with no decay it is Adam) over the parameters that learn.

    Parameters
    ----------
    groups
        {factor: parameters}: each group learns at `factor` times the learning rate.
    settings
        `learning_rate`, `weight_decay`.
    """
    learning = [
        {
            "params": [parameter for parameter in parameters if parameter.requires_grad],
            "lr": factor * settings["learning_rate"],
            "full_rate": factor * settings["learning_rate"],
        }
        for factor, parameters in groups.items()
    ]
    return torch.optim.AdamW(learning, weight_decay=settings["weight_decay"], foreach=False)


def set_rate_share(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Let every group learn at a share of its full rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * share


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the moments and step counts of every parameter, as ``INDEX/NAME``."""
    return {
        f"{index}/{name}": tensor
        for index, state in optimizer.state_dict()["state"].items()
        for name, tensor in state.items()
    }


def load_optimizer_state(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Put such a state back."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
