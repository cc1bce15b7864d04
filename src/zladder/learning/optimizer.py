"""AdamW over the parameters that learn, and its state as plain tensors.

PyTorch's own is the reference in the tests. It imports PyTorch's compiler when it is first made,
1.5 to 3 seconds in each of dozens of trainings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass
class Group:
    """Parameters that learn at one rate."""

    parameters: list[torch.nn.Parameter]
    full_rate: float
    rate: float


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, ICLR, algorithm 2).

    Parameters
    ----------
    groups
        The parameters and their rates.
    weight_decay
        Share of the rate by which each weight shrinks a step; with 0 it is Adam (Kingma & Ba 2015).
    """

    def __init__(self, groups: Sequence[Group], weight_decay: float) -> None:
        self.groups, self.weight_decay, self.steps = list(groups), weight_decay, 0
        self.moments = [
            [(torch.zeros_like(weight), torch.zeros_like(weight)) for weight in group.parameters]
            for group in self.groups
        ]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.groups:
            for parameter in group.parameters:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take one step along the gradients."""
        self.steps += 1
        for group, moments in zip(self.groups, self.moments, strict=True):
            for parameter, (first, second) in zip(group.parameters, moments, strict=True):
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, first, second, group.rate)

    def _update(
        self,
        weight: torch.Tensor,
        gradient: torch.Tensor,
        first: torch.Tensor,
        second: torch.Tensor,
        rate: float,
    ) -> None:
        weight.mul_(1 - rate * self.weight_decay)
        first.lerp_(gradient, 1 - BETA1)
        second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        size = second.sqrt().div_(math.sqrt(1 - BETA2**self.steps)).add_(EPSILON)
        weight.addcdiv_(first, size, value=-rate / (1 - BETA1**self.steps))


def make_optimizer(
    groups: Mapping[float, Iterable[torch.nn.Parameter]], settings: Mapping[str, Any]
) -> AdamW:
    """Return the optimiser of the parameters that learn.

    Parameters
    ----------
    groups
        {factor: parameters}: each group learns at `factor` times the learning rate.
    settings
        `learning_rate`, `weight_decay`.
    """
    learning = []
    for factor, parameters in groups.items():
        rate = factor * settings["learning_rate"]
        chosen = [parameter for parameter in parameters if parameter.requires_grad]
        learning.append(Group(chosen, rate, rate))
    return AdamW(learning, settings["weight_decay"])


def set_rate_share(optimizer: AdamW, share: float) -> None:
    """Let every group learn at a share of its full rate."""
    for group in optimizer.groups:
        group.rate = group.full_rate * share


def optimizer_state(optimizer: AdamW) -> dict[str, torch.Tensor]:
    """Return the moments of every parameter, as ``GROUP/INDEX/NAME``, and the steps taken."""
    state = {"steps": torch.tensor(optimizer.steps)}
    for place, (first, second) in _places(optimizer):
        state |= {f"{place}/first": first, f"{place}/second": second}
    return state


def load_optimizer_state(optimizer: AdamW, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put such a state back; the moments keep their layout in memory."""
    optimizer.steps = int(tensors["steps"])
    for place, (first, second) in _places(optimizer):
        first.copy_(tensors[f"{place}/first"])
        second.copy_(tensors[f"{place}/second"])


def _places(optimizer: AdamW) -> list[tuple[str, tuple[torch.Tensor, torch.Tensor]]]:
    return [
        (f"{number}/{index}", moments)
        for number, group in enumerate(optimizer.moments)
        for index, moments in enumerate(group)
    ]
