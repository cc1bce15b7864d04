"""The scaling of inputs and output: hand-computed cases, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zladder.learning.scaling import centre_dz, fit_min_max, fit_scaling
from zladder.networks.mlp import MLP


def test_mean_and_standard_deviation_of_each_input():
    mean, scale = fit_scaling(torch.tensor([[1.0, 10.0], [3.0, 10.0], [5.0, 16.0]]))
    # Column 2: mean 12, deviations -2, -2, 4: variance 24 / 3 = 8.
    torch.testing.assert_close(mean, torch.tensor([3.0, 12.0]))
    torch.testing.assert_close(scale, torch.tensor([8 / 3, 8.0]).sqrt())
    assert mean.dtype == scale.dtype == torch.float32


def test_the_sums_are_taken_in_double_precision():
    # In float32 the standard deviation of these values is 0.4 % too large.
    draws = torch.randn(300_001, generator=torch.Generator().manual_seed(0))
    column = (1e4 + 0.01 * draws.double()).float()
    _, scale = fit_scaling(column[:, None])
    assert scale.item() == pytest.approx(np.std(column.numpy().astype(np.float64)), rel=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_refused(bad):
    inputs = torch.tensor([[1.0, 2.0], [2.0, bad], [3.0, 4.0]])
    with pytest.raises(ValueError, match="must be finite"):
        fit_scaling(inputs)


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="there must be some"):
        fit_scaling(torch.empty(0, 5))


@pytest.mark.parametrize("value", [0.0, 0.1, 17.3])
def test_a_constant_input_is_refused_and_named(value):
    inputs = torch.stack([torch.arange(1000.0), torch.full((1000,), value)], dim=1).double()
    with pytest.raises(ValueError, match=r"inputs \[1\] are the same"):
        fit_scaling(inputs)


@pytest.fixture
def network():
    net = MLP(
        2, [8], "gelu", input_skip=True, members=3, generator=torch.Generator().manual_seed(5)
    )
    net.output_mean.fill_(0.5)
    net.output_scale.fill_(0.2)
    return net


def mean_dz(network, inputs, z_true):
    z_pred = network(inputs.expand(network.members, -1, -1)).double().mean(dim=0)
    return ((z_pred - z_true) / (1 + z_true)).mean().item()


def test_centring_removes_the_mean_dz_and_returns_it(network):
    inputs = torch.randn(200, 2, generator=torch.Generator().manual_seed(6))
    z_true = 0.3 + 0.1 * inputs[:, 0].abs()
    before = mean_dz(network, inputs, z_true)
    assert abs(before) > 0.01
    assert centre_dz(network, inputs, z_true) == pytest.approx(before, abs=1e-9)
    assert abs(mean_dz(network, inputs, z_true)) < 1e-6


def test_centring_divides_one_plus_z_and_touches_nothing_else(network):
    inputs = torch.randn(50, 2, generator=torch.Generator().manual_seed(7))
    z_true = torch.full((50,), 0.2)
    stacked = inputs.expand(3, -1, -1)
    before = network(stacked).detach()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    removed = centre_dz(network, inputs, z_true)
    torch.testing.assert_close(1 + network(stacked), (1 + before) / (1 + removed))
    changed = {n for n, t in network.state_dict().items() if not torch.equal(t, state[n])}
    assert changed == {"output_mean", "output_scale"}


def test_min_max_maps_the_training_range_to_zero_and_one():
    inputs = torch.tensor([[18.0, -1.0], [22.0, 3.0], [20.0, 1.0]])
    low, spread = fit_min_max(inputs)
    assert low.tolist() == [18.0, -1.0]
    assert spread.tolist() == [4.0, 4.0]
    scaled = (inputs - low) / spread
    assert (scaled.amin(), scaled.amax()) == (0.0, 1.0)
    with pytest.raises(ValueError, match="same for all"):
        fit_min_max(torch.ones(3, 1))
