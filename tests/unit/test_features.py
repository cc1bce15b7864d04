"""Reading cached features: in the order asked for, whole, and nothing made up."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from tests import toys
from tests.toy_features import features_of, write_features
from zladder.learning.features import read_copies, read_features, require_finite
from zladder.provenance.errors import BadInput


@pytest.fixture
def world(tmp_path):
    frame = toys.dataset(40)
    features = features_of(frame)
    copies = np.stack([features + 100 * (1 + k) for k in range(3)], axis=1)
    return frame, features, write_features(tmp_path / "f.h5", frame, features, copies)


def test_rows_come_in_the_order_asked_for(world):
    frame, features, path = world
    chosen = np.random.default_rng(1).permutation(40)[:17]
    found = read_features(path, frame["object_id"].to_numpy()[chosen])
    np.testing.assert_array_equal(found, features[chosen])
    assert found.dtype == np.float32


def test_copies_come_galaxy_by_galaxy(world):
    frame, features, path = world
    found = read_copies(path, frame["object_id"].to_numpy()[[5, 2]], 2)
    assert found.shape == (2, 2, 5)
    np.testing.assert_array_equal(found[1, 1], features[2] + 200)


def test_more_copies_than_there_are_are_refused(world):
    frame, _, path = world
    with pytest.raises(BadInput) as caught:
        read_copies(path, frame["object_id"].to_numpy(), 4)
    assert (caught.value.file, caught.value.place) == (str(path), "dataset 'copies'")
    assert caught.value.expected == "at least 4 copies of each galaxy"
    assert caught.value.found == "3"


@pytest.mark.parametrize("stranger", [3, 10**15])
def test_galaxies_without_features_are_refused(world, stranger):
    frame, _, path = world
    ids = np.append(frame["object_id"].to_numpy()[:4], stranger)
    with pytest.raises(BadInput) as caught:
        read_features(path, ids)
    assert (caught.value.file, caught.value.place) == (str(path), "dataset 'object_id'")
    assert caught.value.expected == "every galaxy of the dataset"
    assert caught.value.found == f"1 of 5 are not there, the first is {stranger}"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput) as caught:
        read_features(tmp_path / "none.h5", np.array([1]))
    assert caught.value.file == str(tmp_path / "none.h5")
    assert (caught.value.place, caught.value.found) == ("file", "no such file")


def test_a_damaged_file_is_refused(world):
    frame, _, path = world
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput) as caught:
        read_features(path, frame["object_id"].to_numpy())
    assert (caught.value.file, caught.value.place) == (str(path), "file")


def test_a_file_without_copies_is_refused(tmp_path):
    frame = toys.dataset(20)
    path = write_features(tmp_path / "f.h5", frame, features_of(frame))
    with pytest.raises(BadInput) as caught:
        read_copies(path, frame["object_id"].to_numpy(), 1)
    assert caught.value.expected == "datasets 'object_id' and 'copies'"


def test_features_of_another_shape_are_refused(tmp_path):
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file["object_id"] = np.arange(4)
        file["features"] = np.zeros(4)
    with pytest.raises(BadInput) as caught:
        read_features(path, np.arange(4))
    assert (caught.value.place, caught.value.found) == ("dataset 'features'", "shape (4,)")


def test_features_that_are_not_finite_are_refused_with_the_galaxy():
    values = np.zeros((3, 2, 2))
    values[1, 1, 0] = np.nan
    with pytest.raises(BadInput) as caught:
        require_finite(values, np.array([7, 8, 9]), "f.h5")
    assert (caught.value.file, caught.value.place) == ("f.h5", "features")
    assert caught.value.found == "1 galaxies without, the first is object_id 8"
    require_finite(values[:1], np.array([7]), "f.h5")
