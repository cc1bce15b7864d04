"""Densities are checked with file, row and value before anything is made of them."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.pdf.grid import check_grid, check_pdf, cumulative, normalise
from zladder.provenance.errors import BadInput


def test_the_cdf_ends_at_exactly_one():
    z = np.sort(np.random.default_rng(6).uniform(0, 3, 200))
    p = normalise(z, np.random.default_rng(7).uniform(size=(50, 200)))
    cdf = cumulative(z, p)
    assert (cdf[:, 0] == 0).all()
    assert (cdf[:, -1] == 1).all()
    assert (np.diff(cdf, axis=1) >= 0).all()
    check_pdf(z, p)


Z3 = np.array([0.0, 1.0, 2.0])
GOOD = np.array([[0.5, 0.5, 0.5], [0.5, 0.75, 0.0]])


def spoiled(row: int, column: int, value: float) -> np.ndarray:
    p = GOOD.copy()
    p[row, column] = value
    return p


@pytest.mark.parametrize(
    ("z", "p", "parts"),
    [
        (np.array([0.0, 1.0, 1.0]), GOOD, ("z grid, point 3", "increase", "1.0 after 1.0")),
        (np.array([np.nan, 1.0, 2.0]), GOOD, ("z grid, point 1", "finite", "nan")),
        (np.array([0.0]), GOOD, ("z grid", "two or more", "shape (1,)")),
        (Z3, GOOD[:, :2], ("p\n", "(n_objects, 3)", "(2, 2)")),
        (Z3, spoiled(1, 2, -0.1), ("p, row 2, z = 2", "density >= 0", "-0.1")),
        (Z3, spoiled(0, 1, np.nan), ("p, row 1, z = 1", "finite", "nan")),
        (Z3, spoiled(1, 1, 0.6), ("p, row 2", "1 within 1e-06", "0.85")),
    ],
)
def test_bad_densities_are_refused(z, p, parts):
    with pytest.raises(BadInput) as caught:
        check_pdf(z, p, "pdfs.h5")
    for part in ("pdfs.h5", *parts):
        assert part in str(caught.value)


def test_a_density_of_zero_cannot_be_normalised():
    with pytest.raises(BadInput) as caught:
        normalise(Z3, np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), "pdfs.h5")
    for part in ("pdfs.h5", "p, row 2", "some density above 0", "none"):
        assert part in str(caught.value)


def test_the_integral_may_be_off_by_rounding_only():
    check_grid(Z3)
    p = np.array([[0.25, 0.5, 0.25]]) / 0.75
    check_pdf(Z3, p * (1 + 0.9e-6))
    with pytest.raises(BadInput):
        check_pdf(Z3, p * (1 + 1.1e-6))
