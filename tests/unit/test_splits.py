"""A galaxy's split depends on the master seed and its place on the sky, and on nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from zladder.datasets.splits import SPLITS, draw_splits, split_keys, uniform_hash
from zladder.tables.sky_cells import healpix_index

SHARES = {"train": 0.70, "validation": 0.075, "calibration": 0.075, "test": 0.15}
ORDER = 13


def sky(n: int, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "object_id": draw.permutation(np.arange(n)) + 10**12,
            "ra": draw.uniform(0, 360, n),
            "dec": np.degrees(np.arcsin(draw.uniform(-1, 1, n))),
            "part": np.where(np.arange(n) % 5 == 0, "second", "first"),
        }
    )


def drawn(frame: pd.DataFrame, seed: int = 3, **given: str) -> pd.Series:
    splits = draw_splits(frame, SHARES, given, ORDER, seed)
    return pd.Series(splits, index=frame["object_id"])


def test_uniform_hash_is_uniform_whatever_the_keys():
    # Kolmogorov-Smirnov, four samples: false alarm with P = 4e-6.
    for keys in (np.arange(20000), np.arange(20000) << 40, -np.arange(20000), np.arange(20000) * 7):
        numbers = uniform_hash(keys.astype(np.int64), 5)
        assert numbers.dtype == np.float64
        assert ((numbers >= 0) & (numbers < 1)).all()
        assert kstest(numbers, "uniform").pvalue > 1e-6


def test_uniform_hash_is_splitmix64():
    # The first number of SplittableRandom(0) (Steele, Lea & Flood 2014); the key of seed 0 is
    # xored with it, so that this key is hashed as SplittableRandom(0) hashes its seed.
    first = 0xE220A8397B1DCDAF
    key = np.array([first], dtype=np.uint64).astype(np.int64)
    assert uniform_hash(key, 0)[0] == (first >> 11) / 2**53


def test_hashes_of_other_seeds_are_independent():
    keys = np.arange(20000)
    one, two = uniform_hash(keys, 1), uniform_hash(keys, 2)
    # Correlation of 20000 independent pairs: sigma = 0.0071; 5 sigma, P = 6e-7.
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.036


def test_shares_are_met():
    n = 20000
    counts = drawn(sky(n)).value_counts()
    for split, share in SHARES.items():
        # Nearly one galaxy a cell: binomial; 5 sigma, four splits, P = 2e-6.
        assert abs(counts[split] - n * share) < 5 * np.sqrt(n * share * (1 - share))


def test_order_and_company_are_irrelevant():
    frame = sky(3000)
    everyone = drawn(frame)
    shuffled = drawn(frame.sample(frac=1, random_state=1))
    some = drawn(frame[frame["dec"] > 0])
    pd.testing.assert_series_equal(shuffled[everyone.index], everyone)
    pd.testing.assert_series_equal(some, everyone[some.index])


def test_no_cell_lies_in_two_splits():
    draw = np.random.default_rng(2)
    frame = sky(4000).assign(ra=draw.uniform(0, 0.2, 4000), dec=draw.uniform(0, 0.2, 4000))
    cells = healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), ORDER)
    splits = drawn(frame).to_numpy()
    by_cell = pd.Series(splits).groupby(cells).nunique()
    assert (by_cell == 1).all()
    assert len(by_cell) < len(frame) / 2  # cells hold several galaxies: the test can fail
    assert set(splits) == set(SPLITS)


def test_without_positions_the_identifier_decides():
    frame = sky(3000).drop(columns=["ra", "dec"])
    assert (split_keys(frame, ORDER) == frame["object_id"]).all()
    splits = drawn(frame)
    shuffled = drawn(frame.sample(frac=1, random_state=1))
    pd.testing.assert_series_equal(shuffled[splits.index], splits)
    assert set(splits) == set(SPLITS)


def test_a_published_part_is_that_split_and_the_rest_is_shared_in_proportion():
    n = 20000
    frame = sky(n)
    splits = drawn(frame, test="second")
    second = (frame["part"] == "second").to_numpy()
    assert (splits.to_numpy()[second] == "test").all()
    rest = splits[~second].value_counts()
    assert "test" not in rest
    for split in ("train", "validation", "calibration"):
        share = SHARES[split] / 0.85
        # Binomial, 5 sigma, three splits, P = 2e-6.
        width = 5 * np.sqrt(rest.sum() * share * (1 - share))
        assert abs(rest[split] - rest.sum() * share) < width


def test_splits_of_one_published_part_share_it_in_proportion():
    frame = sky(20000)
    parts = dict.fromkeys(("validation", "calibration"), "second")
    splits = drawn(frame, **parts).to_numpy()
    second = (frame["part"] == "second").to_numpy()
    assert set(splits[~second]) == {"train", "test"}
    assert set(splits[second]) == {"validation", "calibration"}
    n = second.sum()
    # Binomial with a half, 5 sigma, P = 6e-7.
    assert abs((splits[second] == "validation").sum() - n / 2) < 5 * np.sqrt(n / 4)
    all_given = drawn(frame, train="first", test="first", **parts).to_numpy()
    np.testing.assert_array_equal(all_given[second], splits[second])
    assert set(all_given[~second]) == {"train", "test"}


def test_another_master_seed_draws_other_splits():
    frame = sky(2000)
    same = (drawn(frame, 1) == drawn(frame, 2)).mean()
    # Chance agreement: sum of the squared shares = 0.524, sigma = 0.011; 5 sigma, P = 6e-7.
    assert same == pytest.approx(0.524, abs=0.056)
