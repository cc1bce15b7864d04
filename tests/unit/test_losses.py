"""The losses: their definitions by hand, their gradients, and the divisor 1 + z_true."""

from __future__ import annotations

import pytest
import torch

from zladder.learning.losses import LOSSES, huber, mse, tanaka

SETTINGS = {"tanaka": {"gamma": 0.15}, "huber": {"delta": 0.02}, "mse": {}}


def one(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def test_every_loss_is_tested_here():
    assert set(LOSSES) == set(SETTINGS)


def test_tanaka_divides_by_one_plus_the_true_redshift():
    # dz = (0.3 - 3) / 4 = -0.675; (dz / 0.15)^2 = 20.25; L = 1 - 1 / 21.25 = 0.9529.
    assert tanaka(one(0.3), one(3.0), gamma=0.15).item() == pytest.approx(1 - 1 / 21.25, abs=1e-12)
    # With the arguments swapped, the public defect: dz = 2.7 / 1.3, L = 0.9948.
    assert tanaka(one(3.0), one(0.3), gamma=0.15).item() == pytest.approx(0.9948, abs=5e-5)


def test_tanaka_is_one_half_where_dz_equals_gamma():
    # z_true = 1, dz = 0.1: z_pred = 1.2.
    assert tanaka(one(1.2), one(1.0), gamma=0.1).item() == pytest.approx(0.5, abs=1e-12)


def test_mse_is_the_square_of_dz():
    assert mse(one(1.2), one(1.0)).item() == pytest.approx(0.01, abs=1e-12)


@pytest.mark.parametrize(
    ("dz", "expected"),
    [
        (0.01, 0.5 * 0.01**2 / 0.02),  # quadratic
        (0.02, 0.01),  # the joint
        (0.10, 0.10 - 0.01),  # linear with slope 1
        (-0.10, 0.10 - 0.01),  # even
    ],
)
def test_huber_is_quadratic_then_linear(dz, expected):
    assert huber(one(1 + 2 * dz), one(1.0), delta=0.02).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_loss_is_zero_only_at_the_truth(name):
    z_true = torch.tensor([0.0, 0.5, 3.0], dtype=torch.float64)
    loss = LOSSES[name]
    assert loss(z_true, z_true, **SETTINGS[name]).tolist() == [0.0, 0.0, 0.0]
    assert (loss(z_true + 0.01, z_true, **SETTINGS[name]) > 0).all()
    assert (loss(z_true - 0.01, z_true, **SETTINGS[name]) > 0).all()


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_loss_gives_one_number_for_each_member_and_object(name):
    z_pred = torch.tensor([[0.10, 0.20, 0.30], [0.15, 0.20, 0.90]])
    z_true = torch.tensor([0.10, 0.25, 0.30])
    together = LOSSES[name](z_pred, z_true, **SETTINGS[name])
    assert together.shape == (2, 3)
    for m in range(2):
        torch.testing.assert_close(together[m], LOSSES[name](z_pred[m], z_true, **SETTINGS[name]))


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_gradients_equal_finite_differences(name):
    # Far below, below, at, above and far above the truth; double precision, step 1e-6.
    z_pred = torch.tensor([0.05, 0.49, 0.5, 0.51, 2.5], dtype=torch.float64, requires_grad=True)
    z_true = torch.full((5,), 0.5, dtype=torch.float64)

    def loss(z):
        return LOSSES[name](z, z_true, **SETTINGS[name])

    loss(z_pred).sum().backward()
    with torch.no_grad():
        numerical = (loss(z_pred + 1e-6) - loss(z_pred - 1e-6)) / 2e-6
    torch.testing.assert_close(z_pred.grad, numerical, rtol=1e-6, atol=1e-7)
    assert z_pred.grad[2] == 0.0
