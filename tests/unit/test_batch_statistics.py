"""Settled statistics are those of the images themselves; nothing else of the network moves."""

from __future__ import annotations

import torch

from zladder.learning.batch_statistics import settle
from zladder.learning.engine import keyed_generator
from zladder.networks.resnet import Encoder


def encoder() -> Encoder:
    return Encoder(2, 4, [1, 1], 2, keyed_generator(1, "weights"))


def images(n: int) -> torch.Tensor:
    return 3.0 + 2.0 * torch.randn(n, 2, 16, 16, generator=keyed_generator(2, "images"))


def test_the_first_statistics_are_mean_and_variance_over_all_images() -> None:
    network, x = encoder(), images(64)
    settle(network, [x])
    after_stem = network.stem[0](x)
    norm = network.stem[1]
    torch.testing.assert_close(norm.running_mean, after_stem.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(norm.running_var, after_stem.var(dim=(0, 2, 3)))
    assert not network.training
    assert norm.momentum == 0.1


def test_one_batch_is_answered_alike_in_both_modes() -> None:
    network, x = encoder(), images(64)
    settle(network, [x])
    with torch.no_grad():
        asked = network(x)
        network.train()
        trained = network(x)
    # the running variance has n - 1 in its denominator, the batch's own n
    torch.testing.assert_close(asked, trained, rtol=2e-2, atol=1e-3)


def test_batches_count_alike_and_the_mean_of_their_statistics_is_kept() -> None:
    network, x = encoder(), images(60)
    settle(network, x.tensor_split(3))
    of_parts = [network.stem[0](part) for part in x.tensor_split(3)]
    means = torch.stack([part.mean(dim=(0, 2, 3)) for part in of_parts])
    variances = torch.stack([part.var(dim=(0, 2, 3)) for part in of_parts])
    torch.testing.assert_close(network.stem[1].running_mean, means.mean(dim=0))
    torch.testing.assert_close(network.stem[1].running_var, variances.mean(dim=0))


def test_weights_stay_and_earlier_statistics_do_not_matter() -> None:
    one, other, x = encoder(), encoder(), images(40)
    before = {name: value.detach().clone() for name, value in one.named_parameters()}
    with torch.no_grad():
        other.train()
        other(100 * x)
    for network in (one, other):
        settle(network, [x])
    assert all(torch.equal(value, before[name]) for name, value in one.named_parameters())
    stored = other.state_dict()
    assert all(torch.equal(value, stored[name]) for name, value in one.state_dict().items())
