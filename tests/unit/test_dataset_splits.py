"""Splits held against each other: distances, dealt-out cells, neighbours; numbers made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ecdf, ks_2samp, kstwobign

from zladder.report.dataset_splits import (
    N_EXCHANGES,
    cells_of,
    compare_splits,
    describe_splits,
    ks_distance,
    splits_in,
)
from zladder.tables.sky_cells import healpix_index

NUMBERS = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


def clustered(rng, n_cells=60, per_cell=20, shift=0.0):
    """Return (cells, split, column): the column is nearly the same within a cell."""
    cells = np.repeat(np.arange(n_cells), per_cell)
    names = rng.permutation(np.repeat(["train", "validation", "test"], n_cells // 3))
    split = names[cells]
    column = rng.normal(size=n_cells)[cells] + 0.1 * rng.normal(size=len(cells))
    return cells, split, column + shift * (split == "test")


def test_the_distance_is_that_of_two_staircases():
    assert ks_distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert ks_distance(np.array([1.0, 1, 1]), np.array([1.0])) == 0
    assert np.isnan(ks_distance(np.array([]), np.array([1.0])))


@given(NUMBERS, NUMBERS)
def test_the_distance_is_scipy_s_and_does_not_see_the_scale(first, second):
    first, second = (np.sort(np.array(values, dtype=float)) for values in (first, second))
    found = ks_distance(first, second)
    places = np.unique(np.concatenate([first, second]))
    steps = [ecdf(part).cdf.evaluate(places) for part in (first, second)]
    assert found == pytest.approx(np.abs(steps[0] - steps[1]).max(), abs=1e-12)
    assert 0 <= found <= 1
    assert ks_distance(second, first) == found
    assert ks_distance(np.sinh(first / 9), np.sinh(second / 9)) == found


def test_p_of_galaxies_is_the_asymptotic_one():
    rng = np.random.default_rng(1)
    split = np.repeat(["train", "test"], [400, 150])
    values = rng.normal(size=550) + 0.1 * (split == "test")
    row = compare_splits({"x": values}, split, None).iloc[0]
    expected = kstwobign.sf(np.sqrt(400 * 150 / 550) * row["ks"])
    assert row["p_galaxies"] == pytest.approx(expected, rel=1e-9)
    of_scipy = ks_2samp(values[:400], values[400:])
    assert row["ks"] == pytest.approx(of_scipy.statistic, abs=1e-12)
    assert row["p_galaxies"] == pytest.approx(of_scipy.pvalue, rel=0.2)  # the exact one


def test_p_of_cells_is_the_share_of_all_deals_with_as_large_a_distance():
    """Six cells of uneven size: the 60 ways to deal them out are counted one by one."""
    rng = np.random.default_rng(4)
    sizes = np.array([5, 9, 3, 12, 7, 4])
    cells = np.repeat(np.arange(6), sizes)
    names = np.array(["train", "train", "train", "validation", "validation", "test"])
    values = rng.normal(size=6)[cells] + rng.normal(size=len(cells))

    def distance(dealt, other):
        split = np.array(dealt)[cells]
        parts = (np.sort(values[split == name]) for name in ("train", other))
        return ks_distance(*parts)

    table = compare_splits({"x": values}, names[cells], cells).set_index("split")
    deals = set(itertools.permutations(names))
    assert len(deals) == 60
    for other in ("validation", "test"):
        drawn = distance(names, other)
        exact = np.mean([distance(deal, other) >= drawn - 1e-12 for deal in deals])
        spread = np.sqrt(exact * (1 - exact) / N_EXCHANGES)
        assert table.loc[other, "ks"] == pytest.approx(drawn)
        assert abs(table.loc[other, "p_cells"] - exact) < 4 * spread + 2 / N_EXCHANGES


def test_galaxies_of_one_cell_do_not_raise_an_alarm_where_the_usual_test_does():
    """Splits drawn by cell, nothing different: at 10 %, 80 draws; > 19 alarms happen in 4e-4."""
    alarms = naive = 0
    for seed in range(80):
        cells, split, column = clustered(np.random.default_rng(seed))
        row = compare_splits({"x": column}, split, cells).set_index("split").loc["test"]
        alarms += row["p_cells"] < 0.1
        naive += row["p_galaxies"] < 0.01
    assert alarms <= 19
    assert naive > 40


def test_a_split_that_differs_is_found_and_the_others_are_not_blamed():
    cells, split, column = clustered(np.random.default_rng(5), n_cells=150, shift=2.0)
    table = compare_splits({"x": column}, split, cells).set_index("split")
    assert table.loc["test", "p_cells"] == pytest.approx(1 / (N_EXCHANGES + 1))
    assert table.loc["test", "ks"] > table.loc["test", "ks_by_chance95"]
    assert table.loc["validation", "p_cells"] > 0.01


def test_what_is_no_number_does_not_count_and_is_counted():
    split = np.repeat(["train", "test"], [50, 20])
    values = np.arange(70.0)
    values[[3, 55, 60]] = np.nan, np.inf, -np.inf
    table = compare_splits({"x": values, "empty": np.full(70, np.nan)}, split, None)
    row, empty = table.iloc[0], table.iloc[1]
    assert (row["n_train"], row["n_split"], row["n_no_number"], row["ks"]) == (49, 18, 2, 1.0)
    assert (empty["n_train"], empty["n_split"], empty["n_no_number"]) == (0, 0, 20)
    assert np.isnan(empty[["ks", "p_galaxies", "p_cells"]].to_numpy(dtype=float)).all()


@pytest.mark.parametrize("split", [["train"] * 4, ["test", "test", "validation", "test"]])
def test_without_a_training_set_and_another_split_nothing_is_compared(split):
    assert compare_splits({"x": np.arange(4.0)}, np.array(split), None).empty


def test_a_cell_that_holds_two_splits_counts_as_two():
    """Published splits may cut through a cell."""
    cells = np.zeros(40, dtype=np.int64)
    split = np.repeat(["train", "test"], 20)
    table = compare_splits({"x": np.arange(40.0)}, split, cells)
    assert table["p_cells"].iloc[0] == 1.0  # both deals are as far apart
    assert table["ks"].iloc[0] == 1.0


def on_the_sky(**columns):
    """Return five galaxies on the equator: 0, 10 and 30 arcsec apart, and two far away."""
    ra = 150 + np.array([0, 10, 40, 7200, 7203]) / 3600
    split = ["train", "test", "train", "validation", "validation"]
    return pd.DataFrame({"ra": ra, "dec": np.zeros(5), "split": split, **columns})


def test_a_split_is_described_by_its_galaxies_and_its_neighbours():
    frame = on_the_sky(z_true=[0.1, 0.2, np.nan, 0.4, 0.8], fraction_rank=[0.3, 0.0, 0.1, 0, 0])
    table = describe_splits(frame, cells_of(frame, 10), [0.2, 0.5, 1.0]).set_index("part")
    assert table["n"].to_dict() == {"train": 2, "validation": 2, "test": 1, "train 20 %": 0,
                                    "train 50 %": 1}  # fmt: skip
    assert table["n_labelled"].tolist() == [1, 2, 1, 0, 1]
    assert table.loc["validation", "z_p50"] == pytest.approx(0.6)
    assert np.isnan(table.loc["train 20 %", "z_p50"])
    apart = table["nearest_other_arcsec"]
    assert apart[["train", "test"]].tolist() == pytest.approx([10, 10], rel=1e-6)
    assert apart["validation"] == pytest.approx(7160, rel=1e-6)
    assert apart[["train 20 %", "train 50 %"]].isna().all()
    cells = healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), 10)
    assert table.loc["train", "n_cells"] == len(np.unique(cells[[0, 2]]))


def test_without_positions_labels_or_other_splits_there_are_no_such_numbers():
    frame = pd.DataFrame({"split": ["train", "train"]})
    assert cells_of(frame, 10) is None
    [row] = describe_splits(frame, None, [0.1]).to_dict("records")
    assert (row["n"], row["n_labelled"]) == (2, 0)
    assert all(np.isnan(row[name]) for name in ("n_cells", "z_p50", "nearest_other_arcsec"))
    one = on_the_sky()[lambda found: found["split"] == "train"]
    assert describe_splits(one, cells_of(one, 10), [])["nearest_other_arcsec"].isna().all()


def test_splits_stand_in_the_order_of_their_use():
    frame = pd.DataFrame({"split": ["test", "calibration", "train", "validation"]})
    assert splits_in(frame) == ["train", "validation", "calibration", "test"]
