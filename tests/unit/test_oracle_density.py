"""Between its nodes the oracle's density follows smooth ones, cliffs or not, and adds no peak."""

from __future__ import annotations

import numpy as np
import pytest
from mock_sky import settings

from zladder.evaluate.oracle_density import LOWEST_LN, between_nodes, class_shares
from zladder.universe.programmes import success_share

EDGES = np.linspace(0.0, 3.0, 751)
Z = np.expm1(np.linspace(np.log1p(0.01), np.log1p(2.8), 335))  # steps of 0.004 in ln(1 + z)
X = np.log1p(Z)


def gaussian(z: np.ndarray, peak: float, width: float) -> np.ndarray:
    """Return ln of z^2 times a Gaussian in ln(1 + z)."""
    return 2 * np.log(z) - 0.5 * ((np.log1p(z) - peak) / width) ** 2


def everywhere(z: np.ndarray) -> np.ndarray:
    return np.zeros((1, len(z)))


def expected(log_density) -> np.ndarray:
    fine = EDGES[:-1, None] + np.diff(EDGES)[:, None] * (np.arange(200) + 0.5) / 200
    density = np.exp(log_density(fine) - log_density(Z).max())
    share = np.where((fine > Z[0]) & (fine < Z[-1]), density, 0.0).sum(axis=1)
    return share / share.sum()


def variation(log_density, nodes: np.ndarray) -> float:
    found = class_shares(Z, nodes[None, :], EDGES, everywhere)[0]
    return float(0.5 * np.abs(found - expected(log_density)).sum())


def n_peaks(values: np.ndarray) -> int:
    rising = np.sign(np.diff(values))
    rising = rising[rising != 0]
    return int(((rising[:-1] > 0) & (rising[1:] < 0)).sum())


@pytest.mark.parametrize("width", [0.012, 0.03, 0.2])
@pytest.mark.parametrize("peak", [0.3, 0.5017, 1.1])
def test_a_smooth_density_is_followed(peak, width):
    def law(z):
        return gaussian(z, peak, width)

    assert variation(law, law(Z)) < 1e-3


@pytest.mark.parametrize("nothing", [-np.inf, -700.0])
@pytest.mark.parametrize("cut", [2.3, 3.0, 4.0])
def test_a_cliff_makes_no_waves(cut, nothing):
    peak, width = 0.6, 0.02
    kept = X[np.abs(X - peak) < cut * width]  # the cliffs stand at nodes

    def law(z):
        outside = (np.log1p(z) > kept[-1] + 1e-9) | (np.log1p(z) < kept[0] - 1e-9)
        return np.where(outside, -800.0, gaussian(z, peak, width))

    nodes = law(Z)
    assert variation(law, np.where(nodes < -700, nothing, nodes)) < 1e-3


def test_no_peak_that_the_nodes_lack():
    rng = np.random.default_rng(11)
    at = np.linspace(X[0], X[-1], 20_001)
    for roughness in (0.3, 3.0, 30.0):
        nodes = np.cumsum(roughness * rng.normal(size=(40, len(X))), axis=1)
        nodes = np.maximum(nodes - nodes.max(axis=1, keepdims=True), LOWEST_LN)
        curves = between_nodes(X, nodes, at)
        for curve, row in zip(curves, nodes, strict=True):
            padded = np.pad(row, 1, constant_values=-1e9)
            assert n_peaks(np.pad(curve, 1, constant_values=-1e9)) <= n_peaks(padded)


def test_a_step_of_the_selection_stays_a_step():
    """Between H alpha leaving the spectrograph and the next node nothing is smeared."""
    block = settings()["spectroscopy"]

    def selected(z):
        return np.log(success_share(block, z[None, :], np.array([[20.0]])))

    found = class_shares(Z, gaussian(Z, 0.35, 0.3)[None, :], EDGES, selected)[0]
    whole = class_shares(Z, gaussian(Z, 0.35, 0.3)[None, :], EDGES, everywhere)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = found / whole
    levels = ratio[np.isfinite(ratio)] / np.nanmax(ratio)
    shares = np.array([block[key] for key in ("success", "one_line_success", "no_line_success")])
    off = np.abs(levels[:, None] - shares / shares.max()).min(axis=1)
    assert (off > 1e-6).sum() <= 4  # the classes that hold a step


def test_nothing_anywhere_is_no_answer():
    nodes = np.stack([gaussian(Z, 0.5, 0.1), np.full(len(Z), -np.inf)])
    found = class_shares(Z, nodes, EDGES, lambda z: np.zeros((2, len(z))))
    assert found[0].sum() == pytest.approx(1.0)
    assert np.isnan(found[1]).all()
