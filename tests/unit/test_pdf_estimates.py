"""One redshift from a density: closed forms, ties, second peaks and classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from zladder.pdf.estimates import class_mean, conf_003, z_mean, z_median, z_mode, z_risk, z_weight
from zladder.pdf.grid import class_cdf, class_centres, normalise, quantile
from zladder.pdf.scores import pit


def normal(z: np.ndarray, mean: np.ndarray | float, sigma: float) -> np.ndarray:
    """Densities (n_objects, n_grid) of normals cut to the grid."""
    return normalise(z, norm.pdf(z, np.atleast_1d(mean)[:, None], sigma))


def grid(n: int) -> np.ndarray:
    return np.linspace(0.0, 3.0, n)


def test_estimates_of_a_symmetric_peak_agree():
    z = grid(3001)
    p = normal(z, np.array([0.9, 1.4]), 0.05)
    for estimate in (z_mode, z_mean, z_median, z_weight, z_risk):
        # The Tanaka loss divides by 1 + z_true: its minimum lies a little below the centre.
        tolerance = 0.006 if estimate is z_risk else 1e-6
        np.testing.assert_allclose(estimate(z, p), [0.9, 1.4], atol=tolerance)


def test_the_mode_takes_the_lowest_of_equals():
    z = np.array([0.0, 1.0, 2.0, 3.0])
    assert z_mode(z, np.array([[0.1, 0.4, 0.1, 0.4]])).tolist() == [1.0]


def test_mean_and_median_of_a_skewed_density():
    z = grid(3001)  # p = 2 z / 9: mean 2, median 3 / sqrt(2)
    p = normalise(z, 2 * z[None, :] / 9)
    assert z_mean(z, p)[0] == pytest.approx(2.0, abs=1e-5)
    assert z_median(z, p)[0] == pytest.approx(3 / np.sqrt(2), abs=1e-5)
    assert z_median(np.array([0.0, 1.0]), np.ones((1, 2)))[0] == 0.5


def test_quantiles_on_a_flat_stretch_take_the_lowest_redshift():
    z = np.array([0.0, 1.0, 2.0, 3.0])
    assert quantile(z, np.array([[0.0, 0.5, 0.5, 1.0]]), 0.5).tolist() == [1.0]


def test_z_weight_stays_on_the_main_peak():
    z = grid(3001)
    second = 0.4 * norm.pdf(z, 2.0, 0.05)
    p = normalise(z, (0.6 * norm.pdf(z, 0.8, 0.05) + second)[None, :])
    assert z_weight(z, p)[0] == pytest.approx(0.8, abs=1e-6)
    assert z_mean(z, p)[0] == pytest.approx(0.6 * 0.8 + 0.4 * 2.0, abs=1e-6)


def test_z_weight_ends_where_the_density_falls_to_a_twentieth():
    z = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    # Nodes 1 to 3 lie above 0.05 of the peak, 0 is exactly at it: mean of a triangle, cut.
    p = np.array([[0.05, 0.5, 1.0, 0.06, 0.04]])
    mean = (0.5 * (0.5 * 1 + 1.0 * 2) + 0.5 * (1.0 * 2 + 0.06 * 3)) / (0.75 + 0.53)
    assert z_weight(z, p)[0] == pytest.approx(mean)
    assert z_weight(z, np.array([[0.0, 0.0, 1.0, 0.0, 0.0]])).tolist() == [2.0]


def test_z_risk_minimises_the_expected_loss_by_hand():
    z = np.linspace(0.0, 3.0, 61)
    p = normalise(z, np.random.default_rng(5).uniform(size=(3, 61)) ** 4)
    for row, found in zip(p, z_risk(z, p), strict=True):
        risk = [
            np.trapezoid(row * (1 - 1 / (1 + ((guess - z) / (1 + z) / 0.15) ** 2)), z)
            for guess in z
        ]
        assert found == z[np.argmin(risk)]


def test_conf_003_is_the_probability_near_the_estimate():
    z = grid(3001)
    p = normal(z, 1.0, 0.05)
    expected = norm.cdf(1.05, 1, 0.05) - norm.cdf(0.99, 1, 0.05)
    assert conf_003(z, p, np.array([1.02]))[0] == pytest.approx(expected, abs=1e-4)
    uniform = normalise(z, np.ones((1, 3001)))
    assert conf_003(z, uniform, np.array([0.01]))[0] == pytest.approx(0.04 / 3)


def test_classes_stand_at_their_centres():
    # 180 bins on [0, 0.4]: left edges would shift every estimate by 0.00111.
    edges = np.linspace(0, 0.4, 181)
    pmf = np.zeros((1, 180))
    pmf[0, [10, 11]] = 0.5
    assert class_mean(edges, pmf)[0] == pytest.approx(edges[11])
    assert z_mode(class_centres(edges), pmf)[0] - edges[10] == pytest.approx(0.00111, abs=2e-6)
    cdf = class_cdf(pmf)
    assert quantile(edges, cdf, 0.25)[0] == pytest.approx(0.5 * (edges[10] + edges[11]))
    assert pit(edges, cdf, np.array([edges[11]]))[0] == pytest.approx(0.5)
