"""Our AdamW takes PyTorch's steps, and goes on from its stored state as if nothing had been."""

from __future__ import annotations

import pytest
import torch

from zladder.learning.optimizer import (
    load_optimizer_state,
    make_optimizer,
    optimizer_state,
    set_rate_share,
)

SETTINGS = {"learning_rate": 0.03, "weight_decay": 0.1}


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    shapes = [(4, 3), (5,), (2, 3, 3, 3)]
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def set_gradients(parameters: list[torch.nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator) * (1 + step % 3)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_its_steps_are_those_of_pytorch(weight_decay: float) -> None:
    ours, theirs = weights(), weights()
    optimizer = make_optimizer({1.0: ours}, {"learning_rate": 0.03, "weight_decay": weight_decay})
    reference = torch.optim.AdamW(theirs, lr=0.03, weight_decay=weight_decay, foreach=False)
    for step in range(50):
        share = 1 - step / 60
        set_rate_share(optimizer, share)
        reference.param_groups[0]["lr"] = 0.03 * share
        for parameters, taken in ((ours, optimizer), (theirs, reference)):
            set_gradients(parameters, step)
            taken.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_group_at_a_tenth_of_the_rate_takes_the_steps_of_that_rate() -> None:
    grouped, alone = weights(), weights()
    optimizer = make_optimizer({0.1: grouped[:2], 1.0: grouped[2:]}, SETTINGS)
    slow = make_optimizer({1.0: alone}, {**SETTINGS, "learning_rate": 0.1 * 0.03})
    for step in range(5):
        for parameters, taken in ((grouped, optimizer), (alone, slow)):
            set_gradients(parameters, step)
            taken.step()
    assert torch.equal(grouped[0], alone[0])
    assert not torch.equal(grouped[2], alone[2])


def test_stored_and_loaded_it_goes_on_to_the_same_bits() -> None:
    whole, parts = weights(), weights()
    optimizer = make_optimizer({1.0: whole}, SETTINGS)
    first = make_optimizer({1.0: parts}, SETTINGS)
    for step in range(3):
        for parameters, taken in ((whole, optimizer), (parts, first)):
            set_gradients(parameters, step)
            taken.step()
    stored = {name: tensor.clone() for name, tensor in optimizer_state(first).items()}
    second = make_optimizer({1.0: parts}, SETTINGS)
    load_optimizer_state(second, stored)
    for step in range(3, 6):
        for parameters, taken in ((whole, optimizer), (parts, second)):
            set_gradients(parameters, step)
            taken.step()
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))


def test_what_is_frozen_or_has_no_gradient_stays() -> None:
    parameters = weights()
    parameters[0].requires_grad_(False)
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = make_optimizer({1.0: parameters}, SETTINGS)
    set_gradients(parameters[2:], 0)
    optimizer.step()
    assert torch.equal(parameters[0], before[0])
    assert torch.equal(parameters[1], before[1])
    assert not torch.equal(parameters[2], before[2])
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in parameters)
