"""The perceptron: its size, its members, its skip connection, its frozen layers, its first draw."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zladder.networks.mlp import ACTIVATIONS, MLP, freeze_except

MODULES = {"relu": nn.ReLU, "silu": nn.SiLU, "gelu": nn.GELU}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(members=1, hidden=(16, 12, 8), skip=True, activation="gelu", seed=1) -> MLP:
    return MLP(
        5, hidden, activation, input_skip=skip, members=members, generator=seeded(seed)
    )  # fmt: skip


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_published_network_has_122006_parameters():
    # 5*200+200, three times 200*200+200, 205+1 (astrodatalab/galaxiesml_examples).
    network = MLP(5, [200] * 4, "relu", input_skip=True)
    assert n_parameters(network) == 1200 + 3 * 40_200 + 206 == 122_006
    assert n_parameters(MLP(5, [200] * 4, "relu", input_skip=False)) == 122_006 - 5
    assert n_parameters(MLP(5, [200] * 4, "relu", input_skip=True, members=3)) == 3 * 122_006


def plain_network(network: MLP, member: int, activation: str) -> list[nn.Linear]:
    """Return the layers of one member as plain linear layers."""
    plain = []
    for layer in network.layer_groups().values():
        weight, bias = layer.weight[member].detach(), layer.bias[member, 0].detach()
        linear = nn.Linear(*weight.shape)
        linear.load_state_dict({"weight": weight.T.contiguous(), "bias": bias})
        plain.append(linear)
    return plain


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_each_member_equals_a_plain_sequential_with_its_weights(activation):
    network = make(members=3, skip=False, activation=activation)
    inputs = torch.randn(3, 40, 5, generator=seeded(2))
    together = network(inputs)
    assert together.shape == (3, 40)
    for m in range(3):
        first, second, third, last = plain_network(network, m, activation)
        act = MODULES[activation]
        alone = nn.Sequential(first, act(), second, act(), third, act(), last)
        torch.testing.assert_close(together[m], alone(inputs[m])[:, 0], rtol=0, atol=1e-6)


def test_with_the_skip_the_last_layer_sees_input_and_hidden_layer():
    network = make(members=2)
    inputs = torch.randn(2, 40, 5, generator=seeded(3))
    for m in range(2):
        *hidden, last = plain_network(network, m, "gelu")
        x = inputs[m]
        for layer in hidden:
            x = nn.functional.gelu(layer(x))
        expected = last(torch.cat([inputs[m], x], dim=1))[:, 0]
        torch.testing.assert_close(network(inputs)[m], expected, rtol=0, atol=1e-6)


def test_zeroing_the_weights_of_the_skip_changes_the_output():
    network, inputs = make(), torch.randn(1, 40, 5, generator=seeded(4))
    before = network(inputs).detach()
    with torch.no_grad():
        network.last.weight[:, :5] = 0.0
    assert (network(inputs) - before).abs().max() > 1e-3


def test_members_differ_and_do_not_touch_each_other():
    network, inputs = make(members=3), torch.randn(40, 5, generator=seeded(5)).expand(3, -1, -1)
    z = network(inputs)
    assert not torch.allclose(z[0], z[1])
    z[1].sum().backward()
    for parameter in network.parameters():
        assert parameter.grad[1].abs().sum() > 0
        assert not parameter.grad[0].any()
        assert not parameter.grad[2].any()


def test_the_first_draw_is_the_generators_and_nothing_elses():
    torch.manual_seed(0)
    one = make(seed=7).state_dict()
    torch.manual_seed(1)
    two = make(seed=7).state_dict()
    other = make(seed=8).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["last.weight"], other["last.weight"])


def test_the_first_draw_is_pytorchs_uniform_for_linear_layers():
    network = MLP(5, [400, 400], "relu", input_skip=False, generator=seeded(9))
    weight = network.layer_groups()["hidden_1"].weight
    # Uniform within 1/20: 160,000 draws fill the range, standard deviation 0.05/sqrt(3).
    assert 0.0499 < weight.abs().max() <= 0.05
    assert weight.std().item() == pytest.approx(0.05 / 3**0.5, rel=0.01)  # 5 standard errors


def test_scaling_of_inputs_and_output_is_part_of_the_weights():
    network, inputs = make(members=2), torch.randn(2, 30, 5, generator=seeded(10))
    mean, scale = torch.arange(5.0) + 18, torch.arange(5.0) + 0.5
    plain = network(inputs).detach()
    network.input_mean.copy_(mean)
    network.input_scale.copy_(scale)
    network.output_mean.fill_(0.7)
    network.output_scale.fill_(0.3)
    scaled = network(inputs * scale + mean)
    torch.testing.assert_close(scaled, 0.7 + 0.3 * plain, rtol=0, atol=1e-5)
    again = make(members=2, seed=99)
    again.load_state_dict(network.state_dict())
    assert torch.equal(again(inputs), network(inputs))


def test_scaling_never_learns():
    names = {name for name, _ in make().named_parameters()}
    assert not {name for name in names if name.startswith(("input_", "output_"))}


def test_layer_groups_are_named_from_the_input_to_the_output():
    assert list(make().layer_groups()) == ["first", "hidden_1", "hidden_2", "last"]
    assert list(make(hidden=(16,)).layer_groups()) == ["first", "last"]
    parameters = {id(p) for layer in make().layer_groups().values() for p in layer.parameters()}
    assert len(parameters) == 8


def train_a_little(network: MLP) -> None:
    inputs = torch.randn(network.members, 64, 5, generator=seeded(11))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad(set_to_none=True)
        (network(inputs) - inputs[..., 0]).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("groups", [["first", "last"], ["hidden_2"], ["last"]])
def test_frozen_layers_stay_bit_identical_and_the_others_learn(groups):
    network = make(members=2)
    train_a_little(network)  # gradients of an earlier training must not move a frozen layer
    freeze_except(network, groups)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train_a_little(network)
    frozen = [name for name in network.layer_groups() if name not in groups]
    for name, layer in network.layer_groups().items():
        prefix = "last" if name == "last" else f"hidden.{name}"
        for kind in ("weight", "bias"):
            same = torch.equal(getattr(layer, kind), before[f"{prefix}.{kind}"])
            assert same == (name in frozen), (name, kind)


def test_freezing_a_second_time_replaces_the_first():
    network = make()
    freeze_except(network, ["last"])
    freeze_except(network, ["first"])
    learning = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert learning == {"hidden.first.weight", "hidden.first.bias"}


def test_an_unknown_group_is_refused_with_the_allowed_names():
    network = make()
    allowed = r"\['hidden_9'\].*\['first', 'hidden_1', 'hidden_2', 'last'\]"
    with pytest.raises(ValueError, match=allowed):
        freeze_except(network, ["first", "hidden_9"])
    assert all(parameter.requires_grad for parameter in network.parameters())
