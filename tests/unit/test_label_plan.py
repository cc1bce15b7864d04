"""What a head learns from: the subset, and labels fitted to held-out estimates."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from tests import toys
from tests.toy_features import CLASSES, head_card
from zladder.learning.classes import class_edges, class_index
from zladder.pdf.grid import class_centres
from zladder.provenance.errors import BadInput
from zladder.train.label_plan import plan_labels

EDGES = class_edges(CLASSES)
SOFT = {"cell_limit": 15, "softened": True, "shifted": True}


def rows(n: int, seed: int) -> pd.DataFrame:
    """Return galaxies whose number grows with redshift."""
    draw = np.random.default_rng(seed)
    frame = toys.galaxies(n, seed)
    return frame.assign(z_true=0.48 * np.sqrt(draw.uniform(size=n)), mag_r=17.2,
                        fraction_rank=draw.uniform(size=n))  # fmt: skip


def write_estimates(folder, frame, collapsed_to: int, scatter: float):
    """Write predictions of a Step 2 run whose modes gather on every so-many-th class."""
    draw = np.random.default_rng(8)
    index = class_index(np.clip(frame["z_true"] + draw.normal(0, scatter, len(frame)), 0, 0.499),
                        EDGES)[0]  # fmt: skip
    ridge = np.clip(index // collapsed_to * collapsed_to + collapsed_to // 2, 0, 49)
    table = pd.DataFrame({"dataset": "toy", "split": "validation",
                          "object_id": frame["object_id"].to_numpy(),
                          "z_mode": class_centres(EDGES)[ridge].astype(np.float32)})  # fmt: skip
    path = folder / "step2.parquet"
    table[::-1].to_parquet(path)
    return path


@pytest.fixture
def world(tmp_path):
    train, validation = rows(4000, 1), rows(1500, 2)
    return train, validation, write_estimates(tmp_path, validation, 5, 0.03)


def planned(world, **labels):
    train, validation, estimates = world
    return plan_labels(head_card(labels=SOFT | labels), train, validation, "toy.parquet", estimates)


def test_hard_labels_need_no_estimates(world):
    train, validation, _ = world
    card = head_card(labels={"cell_limit": None})
    plan = plan_labels(card, train, validation, "t", None)
    assert plan.kept.all()
    assert (plan.width_bins, plan.found) == (0.0, {"n_kept": 4000, "n_left_out": 0})
    np.testing.assert_array_equal(plan.means_bins, class_index(train["z_true"], EDGES)[0])


def test_only_the_balanced_subset_has_labels(world):
    plan = planned(world)
    assert len(plan.means_bins) == plan.kept.sum() == plan.found["n_kept"]
    assert plan.found["n_kept"] + plan.found["n_left_out"] == 4000
    classes = class_index(world[0]["z_true"][plan.kept], EDGES)[0]
    assert np.bincount(classes).max() == 15


def test_the_variants_are_width_and_shift_apart(world):
    both, hard, still = (
        planned(world),
        planned(world, softened=False),
        planned(world, shifted=False),
    )
    classes = class_index(world[0]["z_true"][both.kept], EDGES)[0]
    np.testing.assert_array_equal(both.means_bins, hard.means_bins)
    assert hard.width_bins == 0.0
    np.testing.assert_array_equal(still.means_bins, classes)
    assert still.width_bins == both.width_bins == both.found["blur_bins"] > 1.0
    assert np.abs(both.means_bins - classes).max() > 0.5


def test_labels_move_away_from_the_populated_side(tmp_path):
    # Twice as many galaxies on the upper half: across the step labels move down, far from it not.
    train, validation = rows(12_000, 1), rows(1500, 2)
    fits = (train["z_true"] > 0.25) | (train["fraction_rank"] < 0.2)
    train, estimates = train[fits], write_estimates(tmp_path, validation, 1, 0.02)
    card = head_card(labels=SOFT | {"cell_limit": None})
    plan = plan_labels(card, train, validation, "t", estimates)
    shift = plan.means_bins - class_index(train["z_true"], EDGES)[0]
    at_step = (train["z_true"] > 0.24) & (train["z_true"] < 0.26)
    assert shift[at_step].mean() < -0.5


def test_the_fit_recovers_the_scatter_of_the_estimates(tmp_path):
    # Bins of 0.01; modes that collapse onto every fifth class blur back with about their scatter.
    train, validation = rows(4000, 1), rows(6000, 2)
    plan = planned((train, validation, write_estimates(tmp_path, validation, 5, 0.02)))
    assert 1.0 < plan.width_bins < 4.0
    assert plan.found["blur_fitted_bins"] == plan.width_bins < plan.found["blur_limit_bins"]


def test_a_blur_far_above_the_scatter_is_held_back_and_said(tmp_path, caplog):
    # Exact estimates for all but a quarter, which sits on one class: only a huge blur undoes that.
    train, validation = rows(4000, 1), rows(800, 2)
    path = write_estimates(tmp_path, validation, 1, 0.0)
    table = pd.read_parquet(path)
    table.loc[table.index % 4 == 0, "z_mode"] = 0.255
    draw = np.random.default_rng(3).choice([-0.01, 0.01], len(table))
    table["z_mode"] = np.clip(table["z_mode"] + draw, 0.005, 0.495).astype(np.float32)
    table.to_parquet(path)
    with caplog.at_level(logging.INFO, logger="zladder"):
        plan = planned((train, validation, path), cell_limit=None)
    assert plan.found["blur_fitted_bins"] > plan.found["blur_limit_bins"] > 0
    assert plan.width_bins == plan.found["blur_limit_bins"]
    assert "too few galaxies" in caplog.text
    assert np.isfinite(plan.means_bins).all()


def test_galaxies_without_an_estimate_are_counted(world):
    table = pd.read_parquet(world[2])
    table.loc[table.index[:30], "z_mode"] = np.nan
    table.to_parquet(world[2])
    assert planned(world).found["n_without_estimate"] == 30


def test_the_order_of_the_predictions_does_not_matter(world):
    one = planned(world)
    pd.read_parquet(world[2]).sample(frac=1.0, random_state=1).to_parquet(world[2])
    np.testing.assert_array_equal(one.means_bins, planned(world).means_bins)


def change(path, **columns):
    pd.read_parquet(path).assign(**columns).to_parquet(path)


def refused(world):
    with pytest.raises(BadInput) as caught:
        planned(world)
    assert caught.value.file == str(world[2])
    return caught.value


def test_predictions_of_other_galaxies_are_refused(world):
    change(world[2], object_id=np.arange(1500))
    error = refused(world)
    assert error.place == "column 'object_id'"
    assert error.expected == "the 1500 validation galaxies of the dataset 'toy'"


@pytest.mark.parametrize("columns", [{"split": "test"}, {"dataset": "other"}])
def test_predictions_of_another_split_or_dataset_are_refused(world, columns):
    change(world[2], **columns)
    error = refused(world)
    assert (error.place, error.found) == ("column 'object_id'", "0 rows, others or not all of them")


def test_modes_beyond_the_classes_are_refused(world):
    change(world[2], z_mode=np.float32(-0.125))
    error = refused(world)
    assert (error.place, error.expected) == ("column 'z_mode'", "modes in [0, 0.5)")
    assert error.found == "1500 outside, the first is -0.125"
    assert "no extension" in error.hint


def test_predictions_without_any_estimate_are_refused(world):
    change(world[2], z_mode=np.float32(np.nan))
    error = refused(world)
    assert (error.place, error.found) == ("column 'z_mode'", "none")
