"""The network on images: its shapes, its first weights, its heads."""

from __future__ import annotations

import math

import pytest
import torch

from tests.toy_images import bits
from zladder.networks.heads import ClassesHead, ImageNetwork, ProjectionHead, RegressionHead
from zladder.networks.resnet import Encoder


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("bands", "size"), [(5, 32), (3, 12), (4, 33), (1, 64)])
def test_any_bands_and_any_size_give_the_same_number_of_features(bands, size):
    encoder = Encoder(bands, 8, [1, 1, 1], 2, seeded())
    features = encoder(torch.randn(2, bands, size, size, generator=seeded()))
    assert encoder.features == 32
    assert features.shape == (2, 32)
    assert features.dtype == torch.float32


@pytest.mark.parametrize(("blocks", "features"), [([1], 8), ([2, 1], 16), ([1, 1, 1, 1], 64)])
def test_the_width_doubles_from_stage_to_stage(blocks, features):
    encoder = Encoder(5, 8, blocks, 2, seeded())
    assert encoder.features == features
    assert encoder(torch.zeros(1, 5, 32, 32)).shape == (1, features)
    assert [len(stage) for stage in encoder.stages.values()] == blocks


def test_the_parameters_are_those_counted_by_hand():
    encoder = Encoder(5, 16, [1, 1], 2, seeded())
    stem = 5 * 16 * 9 + 2 * 16
    first = 2 * (16 * 16 * 9 + 2 * 16)
    second = 16 * 32 * 9 + 2 * 32 + 32 * 32 * 9 + 2 * 32 + 16 * 32 + 2 * 32
    assert sum(parameter.numel() for parameter in encoder.parameters()) == stem + first + second


def test_layers_are_named_from_the_input_on():
    encoder = Encoder(5, 4, [1, 2], 2, seeded())
    network = ImageNetwork(encoder, RegressionHead(encoder.features, seeded()))
    groups = network.layer_groups()
    assert list(groups) == ["stem", "stage_1", "stage_2", "head"]
    grouped = sum(p.numel() for layers in groups.values() for p in layers.parameters())
    assert grouped == sum(p.numel() for p in network.parameters())


def test_first_weights_come_from_the_given_generator_alone():
    before = torch.random.get_rng_state()
    one, two = (bits(Encoder(5, 8, [1, 1], 2, seeded()).state_dict()) for _ in range(2))
    other = bits(Encoder(5, 8, [1, 1], 2, seeded(4)).state_dict())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert one == two
    assert one["stem.0.weight"] != other["stem.0.weight"]


def test_first_weights_have_the_spread_of_kaiming_fan_out():
    encoder = Encoder(5, 32, [1, 1], 2, seeded())
    weight = encoder.stages["stage_2"][0].conv2.weight.detach()
    expected = math.sqrt(2.0 / (64 * 9))
    # 36,864 normal draws: the spread has a relative error of 0.37 %; 3 % is eight of them.
    assert float(weight.std()) == pytest.approx(expected, rel=0.03)
    assert abs(float(weight.mean())) < 5 * expected / math.sqrt(weight.numel())


def test_the_answer_does_not_depend_on_how_the_image_lies_in_memory():
    encoder = Encoder(5, 8, [1, 1], 2, seeded()).eval()
    x = torch.randn(4, 5, 32, 32, generator=seeded())
    plain = encoder(x)
    last = encoder(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, last)
    assert encoder.stem[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_block_starts_as_the_sum_of_its_paths():
    """With identity statistics and no residual weights a block is the rectifier of its input."""
    encoder = Encoder(3, 4, [1], 2, seeded()).eval()
    block = encoder.stages["stage_1"][0]
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 4, 6, 6, generator=seeded())
    torch.testing.assert_close(block(x), torch.relu(x))


def test_a_regression_speaks_in_units_of_the_labels():
    head = RegressionHead(4, seeded())
    features = torch.randn(6, 4, generator=seeded())
    plain = head(features)
    head.output_mean.fill_(0.1)
    head.output_scale.fill_(0.05)
    assert plain.shape == (6,)
    torch.testing.assert_close(head(features), 0.1 + 0.05 * plain)


def test_classes_get_one_logit_each():
    assert ClassesHead(4, 180, seeded())(torch.zeros(6, 4)).shape == (6, 180)


def test_a_projection_has_length_one():
    projected = ProjectionHead(8, 5, seeded())(torch.randn(7, 8, generator=seeded()))
    assert projected.shape == (7, 5)
    torch.testing.assert_close(projected.norm(dim=1), torch.ones(7))
