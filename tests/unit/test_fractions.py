"""A share of the labels lies within each larger one and has the redshifts of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from zladder.datasets.fractions import N_STRATA, label_ranks, z_strata

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0)
SEEDS = st.integers(0, 2**63 - 1)


def labelled(n: int, kind: str, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return identifiers and redshifts: smooth, with many equal ones, or all equal."""
    draw = np.random.default_rng(seed)
    z = {"smooth": draw.gamma(2, 0.05, n), "tied": draw.integers(0, 3, n) / 10, "one": np.ones(n)}
    return draw.permutation(np.arange(n)) * 17 - 40, z[kind].astype(np.float64)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 700), st.sampled_from(["smooth", "tied", "one"]), SEEDS, st.floats(0, 1))
def test_every_share_takes_its_share_of_every_stratum_to_less_than_a_galaxy(n, kind, seed, odd):
    ids, z = labelled(n, kind)
    rank, stratum = label_ranks(ids, z, np.ones(n, dtype=bool), seed), z_strata(ids, z)
    assert ((rank >= 0) & (rank < 1)).all()
    sizes = np.bincount(stratum)
    assert sizes.min() >= sizes.max() - 1 >= 0
    assert (np.diff(z[np.argsort(stratum, kind="stable")][np.cumsum(sizes) - 1]) >= 0).all()
    inside = np.zeros(n, dtype=bool)
    for fraction in sorted((*FRACTIONS, odd)):
        kept = rank < fraction
        assert (kept | ~inside).all()  # the smaller share lies within
        inside = kept
        counts = np.bincount(stratum[kept], minlength=len(sizes))
        assert (np.abs(counts - fraction * sizes) < 1).all()
    assert inside.all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), SEEDS, st.floats(0, 1))
def test_fewer_labels_than_strata_are_spread_over_neighbours(per_stratum, seed, fraction):
    """Equal strata: any pair, four, eight, … of neighbours has its share to less than a galaxy."""
    n = N_STRATA * per_stratum
    ids, z = labelled(n, "smooth")
    kept = label_ranks(ids, z, np.ones(n, dtype=bool), seed) < fraction
    counts = np.bincount(z_strata(ids, z)[kept], minlength=N_STRATA)
    for side in (2, 4, 8, 16, 32):
        there = counts.reshape(-1, side).sum(axis=1)
        assert (np.abs(there - fraction * side * per_stratum) < 1 + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 300), SEEDS)
def test_no_label_but_a_training_galaxys_is_looked_at(n, seed):
    ids, z = labelled(n, "smooth")
    train = np.arange(n) % 3 != 0
    rank = label_ranks(ids, z, train, seed)
    for other in (np.nan, 9.0):
        changed = np.where(train, z, other)
        np.testing.assert_array_equal(label_ranks(ids, changed, train, seed), rank)
    alone = label_ranks(ids[train], z[train], np.ones(train.sum(), dtype=bool), seed)
    np.testing.assert_array_equal(alone, rank[train])
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_array_equal(
        label_ranks(ids[order], z[order], train[order], seed), rank[order]
    )
    np.testing.assert_array_equal(
        label_ranks(ids, None, train, seed)[~train], rank[~train]
    )  # outside training, as without labels: a hash


def test_seeds_draw_other_galaxies_from_the_same_strata():
    ids, z = labelled(4000, "smooth")
    train = np.ones(4000, dtype=bool)
    one, two = (label_ranks(ids, z, train, seed) for seed in (1, 2))
    # Of 400 galaxies each, 40 are shared by chance, with a standard deviation of 5.7: six of them.
    assert abs(((one < 0.1) & (two < 0.1)).sum() - 40) < 35
    counts = [np.bincount(z_strata(ids, z)[rank < 0.1], minlength=32) for rank in (one, two)]
    assert abs(counts[0] - counts[1]).max() <= 1


@pytest.mark.parametrize("fraction", [0.01, 0.1])
def test_every_galaxy_is_drawn_as_often(fraction):
    """Over seeds, the chance of each galaxy is the share: ranks are uniform (P = 1e-6 each)."""
    ids, z = labelled(100, "tied")
    train = np.ones(100, dtype=bool)
    ranks = np.stack([label_ranks(ids, z, train, seed) for seed in range(500)])
    for galaxy in (0, 50, 99):
        assert kstest(ranks[:, galaxy], "uniform").pvalue > 1e-6
    assert abs((ranks < fraction).mean() - fraction) < 0.003


def test_the_redshifts_of_few_labels_match_those_of_all_better_than_a_plain_draw():
    """The test above is no accident: a plain draw of the same size is off by several galaxies."""
    ids, z = labelled(3200, "smooth")
    stratum, train = z_strata(ids, z), np.ones(3200, dtype=bool)
    plain = label_ranks(ids, None, train, 5) < 0.1
    off = np.abs(np.bincount(stratum[plain], minlength=32) - 10)
    assert off.max() > 3  # expected of 32 numbers with a standard deviation of 3
