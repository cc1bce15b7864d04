"""The multi-layer perceptron for catalogue photometry, one network or several at once.

With one member, five inputs and four hidden layers of 200 it is the lab's published GalaxiesML
network (its code: astrodatalab/galaxiesml_examples): 122,006 parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": nn.functional.relu,
    "silu": nn.functional.silu,
    "gelu": nn.functional.gelu,
}


class MemberLinear(nn.Module):
    """A linear layer for each of M members: (M, B, in) to (M, B, out) as one batched product."""

    def __init__(
        self, members: int, n_in: int, n_out: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        # PyTorch's own default for nn.Linear: uniform within 1/sqrt(fan-in), weights and biases.
        bound = 1.0 / math.sqrt(n_in)
        weight = torch.empty(members, n_in, n_out).uniform_(-bound, bound, generator=generator)
        bias = torch.empty(members, 1, n_out).uniform_(-bound, bound, generator=generator)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x W + b of each member."""
        return torch.baddbmm(self.bias, x, self.weight)


class MLP(nn.Module):
    """M independent perceptrons that share nothing but the scaling of inputs and output.

    The scaling is part of the weights: `input_mean`, `input_scale` of shape (F,) and
    `output_mean`, `output_scale` of shape (1,), in units of redshift. A new network has 0 and 1;
    whoever builds it for a training fits them to the training examples.

    Parameters
    ----------
    n_inputs
        Number of inputs F.
    hidden
        Units of the hidden layers.
    activation
        A name in `ACTIVATIONS`.
    input_skip
        Whether the standardised input is joined to the last hidden layer.
    members
        Number of networks M.
    generator
        Draws the initial weights; None leaves it to PyTorch's global one.
    """

    input_mean: torch.Tensor
    input_scale: torch.Tensor
    output_mean: torch.Tensor
    output_scale: torch.Tensor

    def __init__(
        self,
        n_inputs: int,
        hidden: Sequence[int],
        activation: str,
        *,
        input_skip: bool,
        members: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.members, self.input_skip = members, input_skip
        self.activation = ACTIVATIONS[activation]
        self.register_buffer("input_mean", torch.zeros(n_inputs))
        self.register_buffer("input_scale", torch.ones(n_inputs))
        self.register_buffer("output_mean", torch.zeros(1))
        self.register_buffer("output_scale", torch.ones(1))
        widths = [n_inputs, *hidden]
        names = ["first", *(f"hidden_{i}" for i in range(1, len(hidden)))]
        self.hidden = nn.ModuleDict(
            {
                name: MemberLinear(members, widths[i], widths[i + 1], generator)
                for i, name in enumerate(names)
            }
        )
        joined = hidden[-1] + (n_inputs if input_skip else 0)
        self.last = MemberLinear(members, joined, 1, generator)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return redshifts (M, B) for inputs (M, B, F) in their own units."""
        standard = (inputs - self.input_mean) / self.input_scale
        x = standard
        for layer in self.hidden.values():
            x = self.activation(layer(x))
        if self.input_skip:
            x = torch.cat([standard, x], dim=-1)
        return self.output_mean + self.output_scale * self.last(x).squeeze(-1)

    def layer_groups(self) -> dict[str, nn.Module]:
        """Return {name: layer}, input side first: first, hidden_1, …, last."""
        return {**self.hidden, "last": self.last}


def freeze_except(network: MLP, groups: Sequence[str]) -> None:
    """Let only the named layer groups learn.

    Raises
    ------
    ValueError
        For a group that the network does not have.
    """
    layers = network.layer_groups()
    unknown = [name for name in groups if name not in layers]
    if unknown:
        message = f"no layer group {unknown}; there are {list(layers)}"
        raise ValueError(message)
    for name, layer in layers.items():
        layer.requires_grad_(name in groups)
