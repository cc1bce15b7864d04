"""The members of an ensemble are trained together and feel nothing of each other."""

from __future__ import annotations

import torch

from tests import toys
from tests.toy_training import TRAIN, train
from zladder.learning.bundle import new_network
from zladder.learning.optimizer import AdamW


def test_members_do_not_feel_each_other(tmp_path):
    changes = {"schedule": {"epochs": 1}, "model": {"members": 3}}
    plain, _ = train(tmp_path / "a", **changes)
    disturbed = new_network(toys.card(**changes), TRAIN.inputs, TRAIN.z_true)
    with torch.no_grad():
        for parameter in disturbed.parameters():
            parameter[1] *= 3.0
    train(tmp_path / "b", network=disturbed, **changes)
    for one, two in zip(plain.parameters(), disturbed.parameters(), strict=True):
        assert torch.equal(one[0], two[0])
        assert torch.equal(one[2], two[2])
        assert not torch.equal(one[1], two[1])
        assert not torch.equal(one[0], one[2])  # each begins elsewhere and sees its own order


def test_a_member_learns_as_it_would_alone(tmp_path, monkeypatch):
    # Plain gradient descent: Adam would forgive a gradient that is divided by the members.
    def plain(_optimizer, weight, gradient, _first, _second, rate):
        weight.sub_(rate * gradient)

    monkeypatch.setattr(AdamW, "_update", plain)
    two = new_network(toys.card(model={"members": 2}), TRAIN.inputs, TRAIN.z_true)
    one = new_network(toys.CARD, TRAIN.inputs, TRAIN.z_true)
    with torch.no_grad():
        for alone, together in zip(one.parameters(), two.parameters(), strict=True):
            alone.copy_(together[:1])
    schedule = {"epochs": 1}
    train(tmp_path / "two", network=two, schedule=schedule, model={"members": 2})
    train(tmp_path / "one", network=one, schedule=schedule)
    for alone, together in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(alone[0], together[0], rtol=1e-5, atol=1e-6)
