"""Near-balanced subsets: what a cell keeps, which galaxies, and the shares as weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests import toys
from tests.toy_features import CLASSES
from zladder.provenance.errors import BadInput
from zladder.train.balance import (
    N_MAGNITUDE_BINS,
    Cells,
    balanced_rows,
    cell_counts,
    kept_shares,
    magnitude_bins,
)


def test_magnitude_bins_are_those_of_the_paper():
    r_mag = np.array([12.5, 12.99, 13.0, 17.49, 17.5, 17.99])
    assert magnitude_bins(r_mag).tolist() == [0, 0, 1, 9, 10, 10]


def test_magnitudes_outside_or_missing_belong_to_the_end_bins():
    r_mag = np.array([9.0, 22.0, np.nan, np.inf])
    assert magnitude_bins(r_mag).tolist() == [0, 10, 10, 10]


def test_a_cell_keeps_the_galaxies_of_the_lowest_rank():
    z_class = np.array([3, 3, 3, 3, 5])
    r_bin = np.array([1, 1, 1, 2, 1])
    rank = np.array([0.9, 0.1, 0.5, 0.99, 0.999])
    kept = balanced_rows(z_class, r_bin, rank, 2)
    assert kept.tolist() == [False, True, True, True, True]


def test_without_a_limit_all_are_kept():
    assert balanced_rows(np.zeros(3, int), np.zeros(3, int), np.zeros(3), None).all()


@pytest.fixture
def drawn():
    draw = np.random.default_rng(4)
    return draw.integers(0, 7, 900), draw.integers(0, 4, 900), draw.uniform(size=900)


def test_no_cell_holds_more_than_the_limit_and_a_small_one_loses_nothing(drawn):
    z_class, r_bin, _ = drawn
    before = cell_counts(z_class, r_bin, 7)
    kept = balanced_rows(*drawn, 20)
    after = cell_counts(z_class[kept], r_bin[kept], 7)
    np.testing.assert_array_equal(after, np.minimum(before, 20))


def test_a_lower_limit_keeps_a_part_of_a_higher_ones(drawn):
    few, many = balanced_rows(*drawn, 5), balanced_rows(*drawn, 20)
    assert (few <= many).all()
    assert few.sum() < many.sum()


def test_the_order_of_the_rows_does_not_matter(drawn):
    shuffled = np.random.default_rng(5).permutation(900)
    kept = balanced_rows(*drawn, 9)
    again = balanced_rows(*(values[shuffled] for values in drawn), 9)
    np.testing.assert_array_equal(kept[shuffled], again)


def test_counts_stand_by_magnitude_bin_and_class():
    counts = cell_counts(np.array([2, 2, 0]), np.array([1, 1, 10]), 4)
    assert counts.shape == (N_MAGNITUDE_BINS, 4)
    assert (counts[1, 2], counts[10, 0], counts.sum()) == (2, 1, 3)


def test_shares_weigh_a_sample_as_the_subset_is(drawn):
    z_class, r_bin, _ = drawn
    kept = balanced_rows(*drawn, 20)
    before = cell_counts(z_class, r_bin, 9)
    after = cell_counts(z_class[kept], r_bin[kept], 9)
    shares = kept_shares(before, after)
    assert (shares[:, 8] == 1).all()  # a class without training galaxies
    weighted = np.bincount(z_class, shares[r_bin, z_class], minlength=9)
    np.testing.assert_allclose(weighted, after.sum(axis=0))


def rows(**changes):
    return pd.DataFrame({"object_id": [11, 12], "z_true": [0.1, 0.2], "mag_r": 17.1} | changes)


def test_cells_are_classes_and_magnitude_bins():
    cells = Cells.of(rows(), CLASSES, "t")
    assert (cells.z_class.tolist(), cells.r_bin.tolist()) == ([10, 20], [9, 9])
    assert cells.counts(50, np.array([True, False]))[9, 10] == 1


@pytest.mark.parametrize("z_true", [0.5, -0.001])
def test_a_redshift_without_a_class_is_refused(z_true):
    with pytest.raises(BadInput) as caught:
        Cells.of(rows(z_true=[0.1, z_true]), CLASSES, "t.parquet")
    assert (caught.value.file, caught.value.place) == ("t.parquet", "column 'z_true'")
    assert caught.value.expected == "a redshift in [0, 0.5)"
    assert caught.value.found == f"{z_true:g} for object_id 12 (1 such)"


def test_a_dataset_without_r_is_refused():
    with pytest.raises(BadInput) as caught:
        Cells.of(toys.galaxies(3).drop(columns="mag_r"), CLASSES, "t.parquet")
    assert (caught.value.file, caught.value.place) == ("t.parquet", "column 'mag_r'")
