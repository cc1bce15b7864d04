"""The labelled rows of a split: which they are, and what is refused before anything learns."""

from __future__ import annotations

import numpy as np
import pytest

from tests import toys
from zladder.learning.split_rows import label_reference, split_rows
from zladder.provenance.errors import BadInput

CARD = {"data": {"label_fraction": 1.0}, "label_range_z": [0.0, 1.0]}


def written(folder, frame):
    return toys.write_dataset(folder / "toy.parquet", frame)


def refused(path, split="train", card=CARD) -> BadInput:
    with pytest.raises(BadInput) as caught:
        split_rows(path, card, split)
    assert caught.value.file == str(path)
    return caught.value


def test_rows_are_those_of_the_split_in_the_order_of_the_file(tmp_path):
    frame = toys.dataset()
    rows = split_rows(written(tmp_path, frame), CARD, "validation")
    expected = frame.loc[frame["split"] == "validation", "object_id"]
    np.testing.assert_array_equal(rows["object_id"], expected)
    assert rows.index.tolist() == list(range(40))


def test_a_smaller_fraction_lies_in_a_larger_one_and_validation_stays_whole(tmp_path):
    path = written(tmp_path, toys.dataset())
    cards = [CARD | {"data": {"label_fraction": share}} for share in (0.1, 0.5)]
    few, many = (set(split_rows(path, card, "train")["object_id"]) for card in cards)
    assert few < many
    assert len(many) < 120
    assert len(split_rows(path, cards[0], "validation")) == 40


def test_a_run_takes_its_own_draw_of_the_labels(tmp_path):
    frame = toys.dataset()
    frame["fraction_rank_2"] = 1 - frame["fraction_rank"] - 1e-9
    path = written(tmp_path, frame)
    cards = [CARD | {"data": {"label_fraction": 0.4, "label_draw": draw}} for draw in (0, 2)]
    first, third = (split_rows(path, card, "train") for card in cards)
    assert not set(first["object_id"]) & set(third["object_id"])
    assert max(third["fraction_rank"].max(), first["fraction_rank"].max()) < 0.4
    error = refused(path, card=CARD | {"data": {"label_fraction": 0.4, "label_draw": 1}})
    assert (error.place, error.found) == (
        "column 'fraction_rank_1'", "fraction_rank, fraction_rank_2",
    )  # fmt: skip


def test_a_label_outside_the_range_is_refused_with_its_galaxy(tmp_path):
    frame = toys.dataset()
    frame.loc[1, "z_true"] = 1.25  # galaxy 1 is a training one
    frame["object_id"] += 2**60
    error = refused(written(tmp_path, frame))
    assert (error.place, error.expected) == ("column 'z_true'", "a redshift in [0, 1]")
    assert error.found == f"1.25 for object_id {2**60 + 7007} (1 such)"


def test_a_label_that_is_missing_is_refused(tmp_path):
    frame = toys.dataset()
    frame.loc[1, "z_true"] = np.nan
    assert refused(written(tmp_path, frame)).found.startswith("nan for object_id 7007")


def test_a_split_without_galaxies_is_refused(tmp_path):
    error = refused(written(tmp_path, toys.dataset()), card=CARD | {"data": {"label_fraction": 0}})
    assert (error.place, error.expected, error.found) == (
        "split 'train'", "at least one galaxy", "none",
    )  # fmt: skip


def test_a_training_galaxy_that_is_a_test_galaxy_too_is_refused(tmp_path):
    frame = toys.dataset()
    frame.loc[9, "object_id"] = frame.loc[0, "object_id"]
    assert refused(written(tmp_path, frame)).place == "column 'object_id'"


def test_the_reference_of_labels_is_their_number_and_range():
    assert label_reference(np.array([0.3, 0.1, 0.2])) == {"n_train": 3, "z_min": 0.1, "z_max": 0.3}
