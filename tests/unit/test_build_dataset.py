"""A dataset holds each galaxy once, in one split, with a rank that nests the label fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from tests import toys
from zladder.datasets.build import build_dataset
from zladder.provenance.errors import BadInput

SETTINGS = {
    "splits": {"train": 0.70, "validation": 0.075, "calibration": 0.075, "test": 0.15},
    "sky_cell_order": 13,
    "duplicate_radius_arcsec": 1.0,
    "pair_radius_arcsec": 3.0,
    "label_draws": 2,
}


def sample(n: int, seed: int = 0, **columns) -> pd.DataFrame:
    return toys.galaxies(n, seed).assign(part="all", **columns)


def build(samples, file="samples/a.parquet", given=None, master_seed=1, **settings):
    photometry = {"photometry": dict.fromkeys(samples, "deep"), **settings}
    return build_dataset(samples, SETTINGS | photometry, given or {}, master_seed, file)


def test_copies_keep_the_sample_named_first():
    first = sample(300, seed=1).assign(z_true=0.1)
    second = pd.concat([first.iloc[100:].assign(z_true=0.2), sample(200, seed=2)])
    joined, counts = build({"spec": first, "photo": second})
    assert joined["object_id"].is_unique
    shared = joined[joined["object_id"].isin(first["object_id"])]
    assert (shared["sample"] == "spec").all()
    assert (shared["z_true"] == 0.1).all()
    assert counts["n_in"] == {"spec": 300, "photo": 400}
    assert counts["n_copies_dropped"] == 200
    assert counts["n_out"] == len(joined) == 500
    assert sum(counts["n_by_split"].values()) == 500
    turned, _ = build({"photo": second, "spec": first})
    assert (turned["sample"] == "photo").sum() == 400


def test_a_galaxy_has_the_same_split_in_every_dataset():
    one, two = sample(400, seed=1), sample(300, seed=2)
    alone, _ = build({"one": one})
    both, _ = build({"two": two, "one": one.sample(frac=1, random_state=1)})
    joined = alone.merge(both, on="object_id", suffixes=("", "_both"))
    assert len(joined) == 400
    assert (joined["split"] == joined["split_both"]).all()


def test_ranks_are_uniform_and_independent_of_the_split():
    frame, _ = build({"one": sample(5000)})
    rank = frame["fraction_rank"]
    assert ((rank >= 0) & (rank < 1)).all()
    # Kolmogorov-Smirnov, three samples: false alarm with P = 3e-6.
    for split in ("train", "test", "validation"):
        assert kstest(rank[frame["split"] == split], "uniform").pvalue > 1e-6


def test_only_columns_that_all_samples_have_are_kept():
    frame, _ = build({"one": sample(200, seed=1, lp_type=0), "two": sample(200, seed=2)})
    assert "lp_type" not in frame
    assert {"sample", "split", "fraction_rank", "fraction_rank_1", "mag_g"} <= set(frame)


def test_a_published_test_set_stays_the_test_set():
    table = sample(600)
    table["part"] = np.where(np.arange(600) < 200, "test", "train")
    frame, counts = build({"one": table}, given={"test": "test"})
    assert counts["n_by_split"]["test"] == 200
    assert (frame.loc[frame["part"] == "test", "split"] == "test").all()


def refused(*arguments, **settings) -> BadInput:
    with pytest.raises(BadInput) as caught:
        build(*arguments, **settings)
    return caught.value


def test_shares_must_add_up():
    error = refused({"one": sample(100)}, splits=SETTINGS["splits"] | {"test": 0.2})
    assert (error.file, error.place) == ("config/stages/datasets.yaml", "splits")
    assert error.expected == "shares that add up to 1"
    assert error.found == "a sum of 1.05"


def test_an_empty_split_is_refused():
    error = refused({"one": sample(3)})
    assert error.file == "samples/a.parquet"
    assert error.place.startswith("split '")
    assert (error.expected, error.found) == ("at least one galaxy", "none")
    assert "sky_cell_order" in error.hint


def test_a_published_part_that_is_not_there_is_refused():
    error = refused({"one": sample(500)}, given={"test": "tset"})
    assert error.place == "split 'test'"
    assert "given_parts {'test': 'tset'}" in error.hint


def test_samples_with_and_without_positions_are_not_joined():
    without = sample(200, seed=2).drop(columns=["ra", "dec"])
    error = refused({"one": sample(200), "two": without})
    assert error.place == "columns 'ra', 'dec'"
    assert error.expected == "positions in all samples or in none"
    assert error.found == "none in two"
    build({"two": without})
