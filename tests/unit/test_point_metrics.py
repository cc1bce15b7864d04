"""Point metrics equal the hand-computed ten objects, astropy and numpy; edges are NaN, not 0."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.stats import biweight_location, biweight_scale, mad_std
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zladder.metrics.conventions import CONVENTIONS, ordered_ids
from zladder.metrics.counts import counts, point_flags
from zladder.metrics.point import POINT_METRICS, dc1_threshold, evaluate, fout_3sig, point_metrics
from zladder.metrics.residuals import Residuals, linear_quantile
from zladder.provenance.errors import BadInput

Z_TRUE = np.array([0.5, 0.2, 1.0, 0.1, 0.3, 0.8, 0.6, 0.4, 1.5, 0.25])
DZ = np.array([-0.30, -0.02, -0.01, 0.005, 0.01, 0.015, 0.02, 0.03, 0.06, 1.20])
Z_PHOT = Z_TRUE + DZ * (1 + Z_TRUE)

# Computed by hand from the definitions, to the digits printed in the design.
TEN_OBJECTS = {
    "bias_mean": (0.101, 3),
    "bias_median": (0.0125, 4),
    "bias_biweight": (0.012727, 6),
    "sigma_nmad": (0.029652, 6),
    "sigma_nmad0": (0.029652, 6),  # abs(dz) sorted: 0.02 twice in the middle
    "sigma_iqr": (0.025019, 6),
    "sigma_biweight": (0.025862, 6),
    "rms_dz": (0.391886, 6),
    "std_dz": (0.378648, 6),
    "mse_z": (0.247969, 6),
    "fout_05": (0.3, 12),
    "fout_15": (0.2, 12),
    "fout_dc1": (0.2, 12),
    "fout_bw2": (0.2, 12),
    "fcat_1": (0.1, 12),
    "loss_tanaka": (0.20158, 5),
}

SCATTERS = ("sigma_nmad", "sigma_iqr", "sigma_biweight", "std_dz")
BIASES = ("bias_mean", "bias_median", "bias_biweight")
samples = arrays(np.float64, st.integers(5, 60), elements=st.floats(-2, 2, width=32))


def residuals(dz: np.ndarray) -> Residuals:
    return Residuals(np.asarray(dz, dtype=np.float64), np.asarray(dz, dtype=np.float64))


@pytest.mark.parametrize("metric_id", TEN_OBJECTS)
def test_ten_objects(metric_id):
    value, digits = TEN_OBJECTS[metric_id]
    assert round(point_metrics(Z_PHOT, Z_TRUE)[metric_id], digits) == value


def test_ten_objects_cover_every_id():
    assert set(TEN_OBJECTS) == set(POINT_METRICS) == set(point_metrics(Z_PHOT, Z_TRUE))


def test_ten_objects_quartiles_and_threshold():
    ten = Residuals.of(Z_PHOT, Z_TRUE)
    assert linear_quantile(ten.ordered_dz, 0.25) == pytest.approx(-0.00625, abs=1e-15)
    assert linear_quantile(ten.ordered_dz, 0.75) == pytest.approx(0.0275, abs=1e-15)
    assert round(float(dc1_threshold(ten)), 6) == 0.075056


def test_mse_by_hand():
    by_hand = sum((d * (1 + z)) ** 2 for d, z in zip(DZ, Z_TRUE, strict=True)) / 10
    assert point_metrics(Z_PHOT, Z_TRUE)["mse_z"] == pytest.approx(by_hand, rel=1e-13)


def test_outlier_rates_count_both_signs():
    # The text of the DC1 paper omits the absolute value, which would halve this rate.
    assert np.mean(float(dc1_threshold(Residuals.of(Z_PHOT, Z_TRUE))) < DZ) == 0.1
    assert point_metrics(Z_PHOT, Z_TRUE)["fout_dc1"] == 0.2


def test_biweight_and_nmad_equal_astropy():
    rng = np.random.default_rng(1)
    for n in (2, 3, 10, 1001, 4000):
        dz = rng.standard_t(1.5, size=(4, n)) * 0.03
        got = evaluate(residuals(dz))
        np.testing.assert_allclose(got["bias_biweight"], biweight_location(dz, axis=1), rtol=1e-12)
        np.testing.assert_allclose(got["sigma_biweight"], biweight_scale(dz, axis=1), rtol=1e-12)
        np.testing.assert_allclose(got["sigma_nmad"], mad_std(dz, axis=1), rtol=3e-5)  # 1.4826


def test_quantiles_equal_numpy():
    rng = np.random.default_rng(2)
    for n in (2, 5, 6, 7, 8, 301):
        dz = rng.normal(size=(3, n))
        quartiles = np.quantile(dz, [0.25, 0.75], axis=1)
        got = evaluate(residuals(dz), ["sigma_iqr", "bias_median"])
        np.testing.assert_allclose(got["sigma_iqr"], (quartiles[1] - quartiles[0]) / 1.349)
        np.testing.assert_allclose(got["bias_median"], np.median(dz, axis=1))


def test_rows_of_a_matrix_are_evaluated_one_by_one():
    rng = np.random.default_rng(3)
    z_true = rng.uniform(0, 2, 400)
    z_phot = z_true + rng.standard_t(2, (3, 400)) * 0.05
    matrix = evaluate(Residuals.of(z_phot, z_true))
    for row in range(3):
        single = point_metrics(z_phot[row], z_true)
        for metric_id, values in matrix.items():
            assert values.shape == (3,)
            assert values[row] == pytest.approx(single[metric_id], rel=1e-12, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(samples, st.floats(-1, 1))
def test_a_shift_moves_biases_and_leaves_scatters(dz, shift):
    before, after = evaluate(residuals(dz)), evaluate(residuals(dz + shift))
    # Where half of the values coincide the MAD is 0 or rounding noise: the biweights jump there.
    scale = before["sigma_nmad"]
    for metric_id in (*BIASES, *SCATTERS):
        if "biweight" in metric_id and scale < 1e-6:
            continue
        moved = shift if metric_id in BIASES else 0.0
        assert after[metric_id] == pytest.approx(before[metric_id] + moved, abs=1e-7), metric_id


@settings(max_examples=60, deadline=None)
@given(samples, st.sampled_from([-8.0, -0.5, 0.25, 2.0, 1024.0]))
def test_a_scale_multiplies_biases_and_scatters(dz, factor):
    # Powers of two scale exactly, so that MAD = 0 stays MAD = 0.
    before, after = evaluate(residuals(dz)), evaluate(residuals(dz * factor))
    for metric_id in (*BIASES, *SCATTERS, "rms_dz", "sigma_nmad0"):
        expected = before[metric_id] * (factor if metric_id in BIASES else abs(factor))
        assert after[metric_id] == pytest.approx(expected, rel=1e-9, abs=1e-12), metric_id


@settings(max_examples=40, deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(dz, random):
    order = list(range(len(dz)))
    random.shuffle(order)
    before, after = evaluate(residuals(dz)), evaluate(residuals(dz[order]))
    for metric_id in POINT_METRICS:
        assert after[metric_id] == pytest.approx(before[metric_id], rel=1e-9, abs=1e-12)


def test_thresholds_are_strict():
    at_05 = point_metrics_of_dz([0.05, -0.05, 0.0, 0.0])
    assert at_05["fout_05"] == 0.0
    assert point_metrics_of_dz([0.0501, -0.0501, 0.0, 0.0])["fout_05"] == 0.5
    assert point_metrics_of_dz([0.15, -0.15, 0.0, 0.0])["fout_15"] == 0.0
    assert point_metrics_of_dz([1.0, -1.0, 0.0, 1.0001])["fcat_1"] == 0.25
    assert point_metrics_of_dz([0.06, 0.0, 0.0, 0.0, 0.0, 0.0])["fout_dc1"] == 0.0


def point_metrics_of_dz(dz: list[float]) -> dict[str, float]:
    return {metric_id: float(v) for metric_id, v in evaluate(residuals(np.array(dz))).items()}


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_objects_give_nan(n):
    values = point_metrics(Z_PHOT[:n], Z_TRUE[:n], np.ones(n))
    assert set(values) == {*POINT_METRICS, "fout_3sig"}
    assert np.isnan(list(values.values())).all()
    assert point_flags(values, n) == ["too_few"]


def test_identical_residuals_are_flagged_collapsed():
    z_true = np.array([0.0, 1.0, 3.0, 0.0])
    values = point_metrics(z_true + 0.25 * (1 + z_true), z_true)
    assert values["sigma_nmad"] == values["sigma_biweight"] == 0.0
    assert values["bias_biweight"] == 0.25
    assert point_flags(values, 4) == ["collapsed"]
    assert point_flags(point_metrics(Z_PHOT, Z_TRUE), 10) == []


def test_a_constant_predictor_is_legal():
    values = point_metrics(np.full(10, 0.5), Z_TRUE)
    assert np.isfinite(list(values.values())).all()
    assert values["sigma_nmad"] > 0


def test_a_far_outlier_over_a_tiny_mad_raises_no_warning():
    values = point_metrics_of_dz([0.0, 1e-200, -1e-200, 2e-200, 1.0, -2e-200])
    assert abs(values["bias_biweight"]) < 1e-199


def test_objects_that_are_not_finite_are_left_out_and_counted():
    z_phot = np.append(Z_PHOT, [np.nan, 0.3, np.inf])
    z_true = np.append(Z_TRUE, [0.3, np.nan, 0.4])
    assert point_metrics(z_phot, z_true) == point_metrics(Z_PHOT, Z_TRUE)
    expected = {"n_total": 13, "n_used": 10, "n_nonfinite": 3, "n_off_grid": 0}
    assert counts(z_phot, z_true) == expected


def test_counts_of_truths_off_the_grid():
    z_true = np.array([-0.001, 0.0, 0.5, 1.0, 1.2, np.nan])
    expected = {"n_total": 6, "n_used": 5, "n_nonfinite": 1, "n_off_grid": 3}
    assert counts(np.zeros(6), z_true, grid_max=1.0) == expected
    assert counts(np.zeros((2, 6)), z_true, grid_max=2.0, grid_min=-1.0)["n_off_grid"] == 0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"z_phot has shape \(3,\), but z_true \(1,\)"):
        point_metrics(np.zeros(3), np.zeros(1))


def test_fout_3sig_uses_each_objects_own_uncertainty():
    # abs(Dz): 0.45 0.024 0.02 0.0055 0.013 0.027 0.032 0.042 0.15 1.5
    sigma = np.array([0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.01, 0.02, 0.06, 1.0])
    assert point_metrics(Z_PHOT, Z_TRUE, sigma)["fout_3sig"] == pytest.approx(0.3)  # 1, 6, 7
    assert "fout_3sig" not in point_metrics(Z_PHOT, Z_TRUE)
    sigma[3] = np.nan
    assert np.isnan(point_metrics(Z_PHOT, Z_TRUE, sigma)["fout_3sig"])


def test_fout_3sig_is_strict():
    exact = Residuals.of(np.array([3.0, 3.5, 0.0, -3.0]), np.zeros(4), np.ones(4))
    assert fout_3sig(exact) == 0.25


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_convention_puts_its_family_first_and_loses_nothing(convention):
    ids = ordered_ids(convention, [*POINT_METRICS, "fout_3sig"])
    family = CONVENTIONS[convention]
    assert ids[: len(family)] == family
    assert sorted(ids) == sorted([*POINT_METRICS, "fout_3sig"])
    assert sorted(ordered_ids(convention)) == sorted(POINT_METRICS)


def test_an_unknown_convention_is_refused():
    with pytest.raises(BadInput) as caught:
        ordered_ids("hcs")
    message = str(caught.value)
    for part in ("metrics", "convention", "one of dc1, hsc, sdss_cnn", "'hcs'", "mean 'hsc'?"):
        assert part in message
