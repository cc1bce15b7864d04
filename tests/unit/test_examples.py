"""What may be learned from: the checks before any training."""

from __future__ import annotations

import numpy as np
import pytest

from tests import toys
from zladder.learning.examples import read_split
from zladder.learning.inputs import input_matrix, input_names
from zladder.provenance.errors import BadInput


@pytest.fixture
def read(tmp_path):
    """Write a dataset after a change of it, and read a split."""
    path = tmp_path / "toy.parquet"

    def make(change=lambda frame: None, split="train", **card):
        frame = toys.dataset()
        change(frame)
        toys.write_dataset(path, frame)
        return read_split(path, toys.card(**card), split)

    return make


def row_of(frame, split):
    return frame.index[frame["split"] == split][2]


def refused(read, change, **options) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(change, **options)
    assert caught.value.file.endswith("toy.parquet")
    return caught.value


def test_a_split_is_inputs_and_labels(read):
    frame = toys.dataset()
    inputs, labels = read()
    train = frame[frame["split"] == "train"]
    assert inputs.dtype == np.float32
    assert labels.dtype == np.float64
    assert inputs.shape == (120, 5)
    np.testing.assert_array_equal(labels, train["z_true"])
    np.testing.assert_array_equal(inputs[:, 0], train["mag_g"].astype(np.float32))
    expected = (train["mag_g"] - train["mag_r"]).astype(np.float32)
    np.testing.assert_array_equal(inputs[:, 3], expected)
    assert input_names(toys.CARD["inputs"]) == ["mag_g", "mag_r", "mag_i", "g-r", "r-i"]


def test_a_smaller_fraction_of_labels_lies_in_a_larger_one(read):
    def labels(fraction, split="train"):
        card = {"data": {"dataset": "toy", "label_fraction": fraction}}
        return set(read(split=split, **card)[1])

    assert labels(0.2) < labels(0.5) < labels(1.0)
    assert len(labels(1.0)) == 120
    assert labels(0.2, "validation") == labels(1.0, "validation")


@pytest.mark.parametrize("label", [-0.1, 1.5, np.nan, np.inf])
def test_a_label_outside_the_range_is_refused(read, label):
    def change(frame):
        frame.loc[row_of(frame, "train"), "z_true"] = label

    error = refused(read, change)
    assert error.place == "column 'z_true'"
    assert error.expected == "a redshift in [0, 1]"
    frame = toys.dataset()
    identifier = frame["object_id"][row_of(frame, "train")]
    assert error.found == f"{label:g} for object_id {identifier} (1 such)"
    assert "label_range_z" in error.hint


def test_the_ends_of_the_range_are_allowed(read):
    def change(frame):
        frame.loc[row_of(frame, "train"), "z_true"] = 1.0
        frame.loc[row_of(frame, "train") + 10, "z_true"] = 0.0

    assert read(change)[1].max() == 1.0


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_test_object_in_training_or_validation_is_refused(read, split):
    def change(frame):
        tested = frame.loc[row_of(frame, "test"), "object_id"]
        frame.loc[row_of(frame, split), "object_id"] = tested

    error = refused(read, change)
    frame = toys.dataset()
    assert error.place == "column 'object_id'"
    assert error.expected == "no test galaxy in training"
    assert error.found == f"1 shared, the first is {frame['object_id'][row_of(frame, 'test')]}"


@pytest.mark.parametrize("magnitude", [np.nan, np.inf])
def test_a_magnitude_that_was_not_measured_is_refused(read, magnitude):
    def change(frame):
        frame.loc[row_of(frame, "train"), "mag_r"] = magnitude

    error = refused(read, change)
    frame = toys.dataset()
    assert error.place == "magnitudes"
    assert error.expected == "a finite magnitude in every band"
    identifier = frame["object_id"][row_of(frame, "train")]
    assert error.found == f"1 galaxies without, the first is object_id {identifier}"
    assert "finite: [mag_" in error.hint


def test_an_empty_split_is_refused(read):
    def change(frame):
        frame.loc[frame["split"] == "validation", "split"] = "train"

    error = refused(read, change, split="validation")
    assert error.place == "split 'validation'"
    assert (error.expected, error.found) == ("at least one galaxy", "none")


def test_a_missing_band_is_told_with_those_that_are_there():
    frame = toys.galaxies().drop(columns="mag_i")
    with pytest.raises(BadInput) as caught:
        input_matrix(frame, toys.CARD["inputs"], "t.csv")
    error = caught.value
    assert (error.file, error.place) == ("t.csv", "column 'mag_i'")
    assert "mag_g, mag_r" in error.found
    assert error.hint


def test_the_order_of_columns_does_not_matter():
    frame = toys.galaxies()
    turned = frame[frame.columns[::-1]]
    one, two = (input_matrix(table, toys.CARD["inputs"], "t") for table in (frame, turned))
    np.testing.assert_array_equal(one, two)
