"""Distances of n(z) equal their formulas, and sampling alone moves them as it must."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from zladder.metrics.binned import bin_index
from zladder.metrics.distances import binned_counts, tv_of, w1_of


def sdss_like(n: int, rng: np.random.Generator) -> np.ndarray:
    """Redshifts with the mean and width of the SDSS main sample."""
    return rng.gamma(4.0, 0.1 / 4.0, n)


def counted(z_phot: np.ndarray, z_true: np.ndarray, edges) -> list[np.ndarray]:
    """Return the counts of estimates and of true redshifts, those outside at the ends."""
    return [binned_counts(bin_index(z, edges), len(edges) - 1) for z in (z_phot, z_true)]


def total_variation(z_phot: np.ndarray, z_true: np.ndarray, edges) -> float:
    return float(tv_of(*counted(z_phot, z_true, edges)))


def test_counts_keep_the_galaxies_outside():
    index = bin_index([[0.1, 0.3, 0.3, -1.0], [0.5, 9.0, 0.11, 0.31]], [0.0, 0.2, 0.4])
    assert binned_counts(index, 2).tolist() == [[1, 1, 2, 0], [0, 1, 1, 2]]


def test_distances_by_hand():
    phot, truth = np.array([0, 4, 0, 4, 0]), np.array([0, 2, 2, 2, 2])
    assert tv_of(phot, truth) == pytest.approx(0.5 * (2 + 2 + 2 + 2) / 8)
    # the CDFs at the upper edges differ by 2/8, 0 and 2/8; bins 0.1, 0.2 and 0.3 wide
    edges = np.array([0.0, 0.1, 0.3, 0.6])
    assert w1_of(phot, truth, edges) == pytest.approx((2 * 0.1 + 0 + 2 * 0.3) / 8)


def test_total_variation_by_hand():
    edges = [0.0, 0.1, 0.2, 0.3]
    z_true = np.array([0.05, 0.05, 0.15, 0.25])
    z_phot = np.array([0.15, 0.15, 0.15, 0.95])  # one object in a bin of its own outside
    assert total_variation(z_phot, z_true, edges) == 0.75
    assert total_variation(z_true, z_true, edges) == 0.0


def test_total_variation_of_independent_draws_is_its_floor():
    # Two independent draws: E abs(difference) of bin k is sqrt(4 p_k / (pi n)); the design quotes
    # 0.017 for SDSS-like redshifts. The scatter of one TV here is 0.0013 (measured), that of the
    # mean of five 0.0006; four of it are passed by chance six times in 100,000.
    n, edges = 103_305, np.linspace(0, 0.4, 181)
    rng = np.random.default_rng(8)
    p = np.histogram(sdss_like(4 * n, rng), edges)[0] / (4 * n)
    floor = np.sum(np.sqrt(p)) / np.sqrt(np.pi * n)
    assert floor == pytest.approx(0.017, abs=0.0015)
    pairs = [(sdss_like(n, rng), sdss_like(n, rng)) for _ in range(5)]
    found = [total_variation(*pair, edges) for pair in pairs]
    assert np.mean(found) == pytest.approx(floor, abs=0.0024)


def test_total_variation_of_a_blurred_truth():
    # The design quotes 0.023 for SDSS-like redshifts blurred by 0.0095 (1 + z). One TV scatters by
    # 0.0011 about 0.0236 here (measured), the mean of five by 0.0005: 4 of it and the difference.
    n, edges = 103_305, np.linspace(0, 0.4, 181)
    rng, found = np.random.default_rng(11), []
    for _ in range(5):
        z = sdss_like(n, rng)
        blurred = z + 0.0095 * (1 + z) * rng.normal(size=n)
        found.append(total_variation(blurred, z, edges))
    assert np.mean(found) == pytest.approx(0.023, abs=0.0026)


def test_wasserstein_is_the_shift_and_equals_scipy():
    edges = np.linspace(0, 2, 41)
    z_true = np.random.default_rng(10).uniform(0.2, 1, 5000)
    assert w1_of(*counted(z_true + 0.25, z_true, edges), edges) == pytest.approx(0.25)
    z_phot = z_true**2 + 0.1
    upper = [edges[1:][bin_index(values, edges)] for values in (z_phot, z_true)]
    expected = wasserstein_distance(*upper)
    assert w1_of(*counted(z_phot, z_true, edges), edges) == pytest.approx(expected)
