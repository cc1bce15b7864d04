"""Scores of densities equal closed forms and scoringrules."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from scipy.stats import kstest, norm

from zladder.pdf.grid import cumulative, normalise
from zladder.pdf.scores import cde_loss, crps, crps_extended, nll, pit, truth_off_grid, w1_true
from zladder.pdf.summary import BLOCK_ROWS, coverage, object_scores, pdf_scores, pit_ks, pit_out


def normal(z: np.ndarray, mean: np.ndarray | float, sigma: float) -> np.ndarray:
    """Densities (n_objects, n_grid) of normals cut to the grid."""
    return normalise(z, norm.pdf(z, np.atleast_1d(mean)[:, None], sigma))


def grid(n: int) -> np.ndarray:
    return np.linspace(0.0, 3.0, n)


# truth; CRPS at 301 and 3,001 points; exact CDE term; PIT. Normal of mean 1 and sigma 0.05.
CLOSED_FORMS = [
    (1.00, 0.011763, 0.011686, -10.3158, 0.5),
    (1.05, 0.030096, 0.030122, -4.0369, 0.841345),
    (1.20, 0.171604, 0.171789, 5.6365, 0.999968),
]


@pytest.mark.parametrize(("truth", "crps_301", "crps_3001", "cde", "exact_pit"), CLOSED_FORMS)
def test_closed_forms_of_a_normal(truth, crps_301, crps_3001, cde, exact_pit):
    truths = np.array([truth])
    for n, expected in ((301, crps_301), (3001, crps_3001)):
        z = grid(n)
        p = normal(z, 1.0, 0.05)
        assert round(crps(z, cumulative(z, p), truths)[0], 6) == expected
    assert round(cde_loss(z, p, truths)[0], 4) == cde
    assert pit(z, cumulative(z, p), truths)[0] == pytest.approx(exact_pit, abs=1e-5)


def test_pit_of_a_coarse_grid():
    z = grid(301)
    found = pit(z, cumulative(z, normal(z, 1.0, 0.05)), np.array([1.05]))[0]
    assert round(found, 6) == 0.840537


def test_uniform_closed_forms():
    z = np.linspace(0.0, 3.0, 4)
    p = np.full((4, 4), 1 / 3)
    truths = np.array([0.0, 1.5, 3.0, 0.4])
    cdf = cumulative(z, p)
    expected = scoringrules.crps_uniform(truths, 0.0, 3.0)
    np.testing.assert_allclose(crps(z, cdf, truths), expected)
    np.testing.assert_allclose(crps(z, cdf, truths)[:2], [1.0, 0.25])
    np.testing.assert_allclose(cde_loss(z, p, truths), -1 / 3)
    np.testing.assert_allclose(nll(z, p, truths)[0], np.log(3))
    # Mean distance of a uniform variate from the truth.
    np.testing.assert_allclose(w1_true(z, cdf, truths), [1.5, 0.75, 1.5, (0.16 + 2.6**2) / 6])


def test_crps_and_nll_equal_scoringrules():
    rng = np.random.default_rng(0)
    z, mean = grid(6001), rng.uniform(0.8, 2.0, 300)
    truths = mean + 0.08 * rng.normal(size=300)
    p = normal(z, mean, 0.08)
    expected = scoringrules.crps_normal(truths, mean, 0.08)
    np.testing.assert_allclose(crps(z, cumulative(z, p), truths), expected, atol=2e-6)
    loss, floored = nll(z, p, truths)
    np.testing.assert_allclose(loss, scoringrules.logs_normal(truths, mean, 0.08), atol=2e-4)
    assert not floored.any()


def test_crps_between_nodes_is_the_exact_integral():
    z = np.array([0.0, 0.3, 0.5, 1.1])
    p = normalise(z, np.array([[0.2, 1.0, 0.1, 0.6]]))
    cdf = cumulative(z, p)
    fine = np.linspace(0, 1.1, 1_100_001)
    step, middle = fine[1], 0.5 * (fine[1:] + fine[:-1])
    F = np.interp(middle, z, cdf[0])
    for truth in (0.0, 0.1, 0.3, 0.42, 0.77, 1.1):
        below, at = middle < truth, np.array([truth])
        assert crps(z, cdf, at)[0] == pytest.approx(
            step * np.sum(np.where(below, F**2, (1 - F) ** 2)), abs=2e-6
        )
        assert w1_true(z, cdf, at)[0] == pytest.approx(
            step * np.sum(np.where(below, F, 1 - F)), abs=2e-6
        )


def test_a_calibrated_normal_has_the_known_mean_scores():
    # 20,000 objects. The CRPS of a normal has a standard deviation of 0.404 sigma, so that its
    # mean has an error of 0.0029 sigma; 2 p(truth) has 4.44 here and its mean 0.031. Every bound is
    # four errors or more: 6e-5 each, below 1e-3 for the whole test but for pit_ks with 1e-3.
    rng, sigma, n = np.random.default_rng(1), 0.05, 20_000
    z, mean = np.linspace(0.5, 2.5, 501), rng.uniform(1.0, 2.0, n)
    truths = mean + sigma * rng.normal(size=n)
    found = pdf_scores(z, normal(z, mean, sigma), truths, mean)
    assert found["crps"] == pytest.approx(sigma / np.sqrt(np.pi), abs=4 * 0.0029 * sigma)
    assert found["cde_loss"] == pytest.approx(-1 / (2 * sigma * np.sqrt(np.pi)), abs=0.125)
    for percent in (50, 68, 90, 95):
        error = found[f"cov_{percent}_err"]
        assert error == pytest.approx(np.sqrt(percent * (100 - percent)) / 100 / np.sqrt(n))
        assert found[f"cov_{percent}"] == pytest.approx(percent / 100, abs=4 * error)
    half = norm.ppf(0.84) * sigma
    assert found["width_68"] == pytest.approx(np.median(2 * half / (1 + mean)), rel=0.01)
    assert found["pit_ks"] < 1.95 / np.sqrt(n)  # passed by chance once in 1,000
    assert found["pit_out"] == pytest.approx(2e-4, abs=6 * np.sqrt(2e-4 / n))
    assert (found["n_total"], found["n_used"], found["n_floored"]) == (n, n, 0)


def test_train_z_passes_pit_and_fails_the_cde_loss():
    # One n(z) for every object: PIT is uniform, and only the proper scores tell.
    rng, n = np.random.default_rng(2), 4000
    z, truths = grid(601), rng.normal(1.2, 0.3, 4000).clip(0.01, 2.99)
    control = pdf_scores(z, np.repeat(normal(z, 1.2, 0.3), n, axis=0), truths, np.full(n, 1.2))
    model = pdf_scores(z, normal(z, truths + 0.03 * rng.normal(size=n), 0.03), truths, truths)
    assert control["pit_ks"] < 1.95 / np.sqrt(n)
    assert control["cde_loss"] > model["cde_loss"] + 5
    assert control["crps"] > 5 * model["crps"]


def test_truths_off_the_grid_are_flagged_excluded_and_counted():
    z = grid(301)
    truths = np.array([1.0, 3.0, 3.2, -0.1, np.nan, 0.0])
    p = np.repeat(normal(z, 1.0, 0.05), 6, axis=0)
    cdf = cumulative(z, p)
    assert truth_off_grid(z, truths).tolist() == [False, False, True, True, False, False]
    off = [False, False, True, True, True, False]
    for values in (crps(z, cdf, truths), pit(z, cdf, truths), w1_true(z, cdf, truths)):
        assert np.isnan(values).tolist() == off
    assert np.isnan(nll(z, p, truths)[0]).tolist() == off
    assert nll(z, p, truths)[1].tolist() == [False, True, False, False, False, True]
    # The extended CRPS adds the distance from the end of the grid, where F is 1 (or 0).
    extended = crps_extended(z, cdf, truths)
    assert extended[2] - extended[1] == pytest.approx(0.2)
    assert extended[3] - extended[5] == pytest.approx(0.1)
    found = pdf_scores(z, p, truths, np.ones(6))
    names = ("n_total", "n_used", "n_nonfinite", "n_off_grid", "n_floored", "n_pit_edge")
    assert [found[name] for name in names] == [6, 3, 1, 2, 2, 2]
    assert found["crps"] == pytest.approx(np.nanmean(crps(z, cdf, truths)))
    assert found["crps_extended"] == pytest.approx(np.nanmean(extended))


def test_without_objects_scores_are_nan_with_counts():
    z = grid(31)
    found = pdf_scores(z, normal(z, 1.0, 0.3), np.array([9.0]), np.array([1.0]))
    assert np.isnan([found[name] for name in ("crps", "nll", "pit_ks", "cov_68", "width_68")]).all()
    assert (found["n_used"], found["n_off_grid"]) == (0, 1)
    empty = pdf_scores(z, np.zeros((0, 31)), np.zeros(0), np.zeros(0))
    assert set(empty) == set(found)
    assert empty["n_total"] == 0


def test_proper_scores_come_first():
    z = grid(31)
    names = list(pdf_scores(z, normal(z, 1.0, 0.3), np.ones(1), np.ones(1)))
    assert names[:3] == ["crps", "nll", "cde_loss"]
    assert names.index("pit_ks") > names.index("w1_true")


def test_the_floor_of_the_nll_is_counted():
    z = np.array([0.0, 1.0, 2.0, 3.0])
    p = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]) * [[2.0], [1.0]]
    loss, floored = nll(z, p, np.array([2.5, 0.5]))
    assert floored.tolist() == [True, False]
    np.testing.assert_allclose(loss, [-np.log(1e-12), -np.log(0.5)])


def test_the_density_at_the_truth_is_interpolated():
    # Between nodes of density 1 and 3: 1.5 at a quarter, not that of the nearest node.
    z, p = np.array([0.0, 0.5]), np.array([[1.0, 3.0]])
    integral = 0.25 * (1 + 9)
    assert cde_loss(z, p, np.array([0.125]))[0] == pytest.approx(integral - 2 * 1.5)


def test_pit_at_the_edges_of_the_support_is_exactly_zero_or_one():
    z = grid(301)
    p = normalise(z, np.where(np.abs(z - 1.0) < 0.2, 1.0, 0.0)[None, :].repeat(2, axis=0))
    assert pit(z, cumulative(z, p), np.array([0.123, 2.123])).tolist() == [0.0, 1.0]


def test_pit_statistics():
    pits = np.random.default_rng(3).beta(2, 1, 500)
    assert pit_ks(pits) == pytest.approx(kstest(pits, "uniform").statistic)
    assert pit_out(np.array([0.0, 9.9e-5, 1e-4, 0.5, 0.9999, 0.99991, 1.0, 0.2])) == 0.5
    fraction, error = coverage(np.array([0.1, 0.3, 0.5, 0.8]), 68)
    assert fraction == 0.75  # inside are PIT of 0.16 to 0.84
    assert error == pytest.approx(np.sqrt(0.68 * 0.32 / 4))
    assert coverage(np.zeros(5000), 68)[1] == pytest.approx(0.0066, abs=5e-5)


def test_scores_do_not_depend_on_the_blocks():
    n = BLOCK_ROWS + 3
    rng, z = np.random.default_rng(4), grid(11)
    p, truths = normalise(z, rng.uniform(size=(n, 11))), rng.uniform(0, 3, n)
    whole, last = object_scores(z, p, truths), object_scores(z, p[-5:], truths[-5:])
    for name, values in whole.items():
        assert values.shape == (n,)
        np.testing.assert_array_equal(values[-5:], last[name], err_msg=name)
