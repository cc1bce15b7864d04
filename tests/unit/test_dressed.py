"""Densities from point estimates: they say what the errors of similar galaxies were."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from zladder.evaluate.dressed import dressed_pmf, fit_dressing
from zladder.pdf.grid import at, class_cdf, quantile

EDGES = np.linspace(0.0, 4.0, 801)


def drawn(seed: int, n: int, width: float = 0.03):
    """Estimates and true redshifts, dz normal and independent of z_phot."""
    rng = np.random.default_rng(seed)
    z_phot = rng.uniform(0.4, 1.5, n)
    return z_phot, z_phot + width * (1 + z_phot) * rng.normal(size=n)


def test_odds_are_odds_and_never_0():
    dressing = fit_dressing(*drawn(1, 500))
    odds = dressed_pmf(dressing, np.array([-0.2, 0.0, 0.7, 3.9, 7.0]), EDGES)
    assert odds.shape == (5, 800)
    assert odds.sum(axis=1) == pytest.approx(1.0)
    assert (odds > 0).all()


def test_normal_errors_give_a_density_that_is_nearly_the_true_one():
    # The Kullback-Leibler distance from the truth, in nats a galaxy, of 1,000 galaxies' errors.
    dressing = fit_dressing(*drawn(2, 1000))
    z_phot, z = drawn(3, 4000)
    place = np.searchsorted(EDGES, z, side="right") - 1
    odds = dressed_pmf(dressing, z_phot, EDGES)[np.arange(4000), place]
    width = 0.03 * (1 + z_phot)
    true = norm.cdf(EDGES[place + 1], z_phot, width) - norm.cdf(EDGES[place], z_phot, width)
    assert 0 < np.mean(np.log(true / odds)) < 0.03


def test_the_pit_of_new_galaxies_is_flat():
    # A Kolmogorov-Smirnov test with one fixed seed, alarm at 1 %
    z_phot, z = drawn(5, 600)
    odds = dressed_pmf(fit_dressing(*drawn(4, 3000)), z_phot, EDGES)
    assert kstest(at(EDGES, class_cdf(odds), z), "uniform").pvalue > 0.01


def test_errors_that_grow_with_z_phot_give_wider_densities_there():
    rng = np.random.default_rng(6)
    z_phot = rng.uniform(0.4, 1.5, 1500)
    z = z_phot + 0.05 * z_phot * (1 + z_phot) * rng.normal(size=1500)
    odds = dressed_pmf(fit_dressing(z_phot, z), np.array([0.6, 1.2]), EDGES)
    low, high = (quantile(EDGES, class_cdf(odds), level) for level in (0.16, 0.84))
    width = (high - low) / np.array([1.6, 2.2])
    # twice the error at twice z_phot; the window of alike galaxies blurs it, and 1,500 of them
    # give each width to about 5 %
    assert 1.7 < width[1] / width[0] < 2.3


def test_a_constant_answer_becomes_the_distribution_of_redshifts():
    rng = np.random.default_rng(7)
    z = rng.gamma(4.0, 0.2, 800)
    odds = dressed_pmf(fit_dressing(np.full(800, 0.7), z), np.array([0.7]), EDGES)
    # At this n the smoothed distribution differs from the sample's by less than 0.06 anywhere
    cdf = class_cdf(odds)[0]
    assert np.max(np.abs(cdf - np.searchsorted(np.sort(z), EDGES) / 800)) < 0.06


def test_perfect_answers_have_a_width_all_the_same():
    z = np.linspace(0.3, 1.2, 200)
    odds = dressed_pmf(fit_dressing(z, z), np.array([0.7025]), EDGES)
    assert 0.9 < odds[0].max() < 1.0
