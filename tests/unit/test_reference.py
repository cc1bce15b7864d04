"""The reference of a training set, and what it calls extrapolated or out of distribution."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zladder.learning.reference import (
    fit_reference,
    is_extrapolated,
    is_out_of_distribution,
    write_card,
)

DRAW = np.random.default_rng(4)
INPUTS = DRAW.normal(size=(5000, 2)).astype(np.float32) * [1.0, 2.0] + [20.0, 5.0]
INPUTS = INPUTS.astype(np.float32)
LABELS = DRAW.uniform(0.1, 0.9, 5000)
REFERENCE = fit_reference(INPUTS, LABELS)


def test_it_says_what_was_trained_on():
    assert REFERENCE["n_train"] == 5000
    assert (REFERENCE["z_min"], REFERENCE["z_max"]) == (LABELS.min(), LABELS.max())
    assert REFERENCE["input_min"] == INPUTS.min(axis=0).astype(float).tolist()
    assert REFERENCE["input_max"] == INPUTS.max(axis=0).astype(float).tolist()
    assert np.linalg.inv(REFERENCE["input_inverse_covariance"]) == pytest.approx(
        np.cov(INPUTS, rowvar=False), rel=1e-6
    )


def test_it_is_plain_json(tmp_path):
    write_card(tmp_path / "card.json", {"run": "a"}, REFERENCE)
    stored = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert stored == {"card": {"run": "a"}, "reference": REFERENCE}


def test_training_galaxies_are_inside():
    assert not is_extrapolated(INPUTS, REFERENCE).any()
    assert is_out_of_distribution(INPUTS, REFERENCE).mean() == pytest.approx(0.001, abs=2e-4)


def test_the_limit_is_the_quantile_of_the_squared_distance():
    # For a normal distribution in two dimensions the squared distance is chi-squared with two
    # degrees of freedom: its 99.9 % quantile is -2 ln(0.001) = 13.8; 5 galaxies of 5000 lie above,
    # so that the estimate scatters by about 2 / sqrt(5) = 0.9 (four sigma: P = 6e-5).
    assert REFERENCE["distance2_limit"] == pytest.approx(13.8, abs=3.6)


@pytest.mark.parametrize(
    ("row", "extrapolated", "out"),
    [
        ([20.0, 5.0], False, False),
        ([INPUTS[:, 0].max(), INPUTS[:, 1].max()], False, True),  # each was seen, never together
        ([30.0, 5.0], True, True),
        ([20.0, np.nan], False, False),
        ([20.0, np.inf], True, False),
        ([np.inf, np.inf], True, False),
    ],
)
def test_rows_by_hand(row, extrapolated, out):
    inputs = np.array([row], dtype=np.float32)
    assert is_extrapolated(inputs, REFERENCE).tolist() == [extrapolated]
    assert is_out_of_distribution(inputs, REFERENCE).tolist() == [out]


def test_correlated_inputs_are_measured_along_their_correlation():
    line = DRAW.normal(size=2000)
    inputs = np.stack([line, line + 0.01 * DRAW.normal(size=2000)], axis=1).astype(np.float32)
    reference = fit_reference(inputs, LABELS[:2000])
    rows = np.array([[1.0, 1.0], [1.0, -1.0]], dtype=np.float32)
    assert is_out_of_distribution(rows, reference).tolist() == [False, True]


def test_colours_beside_their_magnitudes_do_no_harm():
    colours = (INPUTS[:, :1] - INPUTS[:, 1:]).astype(np.float32)
    reference = fit_reference(np.concatenate([INPUTS, colours], axis=1), LABELS)
    assert np.isfinite(reference["distance2_limit"])
    rows = np.array([[20.0, 5.0, 15.0], [26.0, 12.0, 14.0]], dtype=np.float32)
    assert is_out_of_distribution(rows, reference).tolist() == [False, True]
