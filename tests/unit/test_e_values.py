"""The test of the leak alarm: its false-alarm rate is what it says, at any n and for any tails."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.evaluate.e_values import GAIN_LIMIT, loss_log_e, nll_log_e, p_value

LEVEL = 0.05
SKIES = 20_000


def share_of_alarms(log_e: np.ndarray) -> float:
    return float(np.mean([p_value(value) <= LEVEL for value in log_e]))


def test_the_false_alarm_rate_is_the_nominal_one_for_the_worst_model():
    # A model that denies what happens to one galaxy in a hundred: it wins until one turns up. With
    # ln 20 / ln(1 / 0.99) = 298.07 galaxies the bound of Markov is met: 0.99^299 = 4.95 % of skies.
    # Of 20,000 skies the share has an error of 0.15 %; four of them is a false alarm of 6e-5.
    rng = np.random.default_rng(1)
    rare = rng.binomial(299, 0.01, size=SKIES)
    gain = -np.log(0.99)
    log_e = [nll_log_e(np.r_[np.full(299 - k, gain), np.full(k, -27.0)]) for k in rare]
    assert share_of_alarms(np.array(log_e)) == pytest.approx(0.0495, abs=0.006)


def test_where_a_t_test_would_ring_in_a_third_of_all_skies_this_one_is_silent():
    # The same model with 100 galaxies: in 0.99^100 = 37 % of skies it is ahead on every galaxy.
    ahead = np.full(100, -np.log(0.99))
    assert ahead.mean() > 0
    assert ahead.std() == pytest.approx(0.0, abs=1e-15)
    assert p_value(nll_log_e(ahead)) == pytest.approx(0.99**100)


@pytest.mark.parametrize("strength", [0.05, 0.2, 0.5, 2.45 / np.sqrt(60)])
def test_models_that_know_less_ring_no_more_often_than_stated(strength):
    # A normal density of the right width, wrong by `strength` sigma; 2.45 sigma in all is where a
    # false alarm is likeliest (0.7 %). The limit adds four errors of the share at 5 %.
    rng = np.random.default_rng(2)
    z = rng.normal(size=(SKIES, 60))
    gain = 0.5 * z**2 - 0.5 * (z - strength) ** 2
    assert share_of_alarms(np.minimum(gain, GAIN_LIMIT).sum(axis=1)) <= LEVEL + 0.006


@pytest.mark.parametrize("chance", [0.002, 0.01, 0.1, 0.5])
def test_bets_on_fair_losses_ring_no_more_often_than_stated(chance):
    # Losses of 1 with some chance and of -chance / (1 - chance) without: 0 in the mean. 4,000 skies
    # of 300 galaxies; the limit adds four errors of the share.
    rng = np.random.default_rng(3)
    skies = np.where(rng.random((4000, 300)) < chance, 1.0, -chance / (1 - chance))
    log_e = np.array([loss_log_e(loss, np.ones(300)) for loss in skies])
    assert share_of_alarms(log_e) <= LEVEL + 0.014


def test_bets_find_losses_that_are_negative_in_the_mean():
    rng = np.random.default_rng(4)
    loss = rng.uniform(-1, 0.6, size=(200, 900))
    found = [p_value(loss_log_e(row, np.full(900, 0.6))) < 1e-6 for row in loss]
    assert all(found)


def test_the_unit_of_the_losses_does_not_count():
    rng = np.random.default_rng(5)
    worst = rng.uniform(0.5, 1.0, 200)
    loss = worst * rng.uniform(-1, 0.9, 200)
    scaled = loss_log_e(1e-3 * loss, 1e-3 * worst)
    assert scaled == pytest.approx(loss_log_e(loss, worst), rel=1e-9)


def test_a_single_galaxy_that_the_oracle_misses_is_no_alarm():
    # e of it is at most e^3 = 20: no alarm at a level below 5 %, however absurd the oracle was
    assert p_value(nll_log_e(np.array([27.6]))) == pytest.approx(np.exp(-GAIN_LIMIT))
    catastrophe = np.r_[np.zeros(99), -1000.0]
    assert p_value(loss_log_e(catastrophe[:99], np.zeros(99))) == 1.0


def test_a_model_that_is_the_oracle_has_p_of_one():
    assert p_value(nll_log_e(np.zeros(500))) == 1.0
    assert p_value(loss_log_e(np.zeros(500), np.zeros(500))) == 1.0
    assert p_value(loss_log_e(np.zeros(0), np.zeros(0))) == 1.0
