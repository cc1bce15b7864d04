"""The linear probe: ridge regression in closed form, its penalty from validation alone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests import toys
from tests.toy_features import features_of, probe_card, write_features, write_world
from zladder.learning.controls import save_control
from zladder.learning.linear import fit_standard, linear_answer, load_linear
from zladder.provenance.errors import BadInput
from zladder.train.probe import ridge_path, train_probe


@pytest.fixture
def world(tmp_path):
    return write_world(tmp_path)


def test_ridge_is_that_of_scikit_learn():
    from sklearn.linear_model import Ridge

    draw = np.random.default_rng(1)
    x = draw.normal(size=(80, 6)) @ draw.normal(size=(6, 6)) * [1, 10, 0.1, 1, 1, 5] + 3
    y = x @ draw.normal(size=6) + draw.normal(size=80)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    for penalty, arrays in ridge_path(x, y, [1e-3, 0.3, 20.0]):
        peer = Ridge(alpha=penalty * 80).fit(standard, y)
        np.testing.assert_allclose(linear_answer(arrays, x)[:, 0], peer.predict(standard))


def test_more_features_than_galaxies_and_dead_features_are_no_problem():
    draw = np.random.default_rng(2)
    x = draw.normal(size=(20, 50)).astype(np.float32)
    x[:, 7] = 0.1
    [(_, arrays)] = ridge_path(x, draw.normal(size=20), [1e-3])
    assert np.isfinite(linear_answer(arrays, x)).all()
    assert abs(arrays["weight"][0, 7]) < 1e-9


def test_a_constant_feature_has_scale_one_and_a_faint_one_its_own():
    x = np.array([[5e3, 1e-9], [5e3, 3e-9]], dtype=np.float32)
    mean, scale = fit_standard(x)
    assert mean == pytest.approx([5e3, 2e-9])
    assert scale == pytest.approx([1.0, 1e-9])


def test_an_infinite_penalty_answers_with_the_mean():
    x, y = np.random.default_rng(3).normal(size=(9, 2)), np.arange(9.0)
    [(_, arrays)] = ridge_path(x, y, [1e12])
    assert linear_answer(arrays, x) == pytest.approx(np.full((9, 1), 4.0))


def test_the_probe_reads_the_redshift_off_the_features(world):
    frame, dataset, features = world
    arrays, reference, chosen = train_probe(probe_card(), dataset, features)
    tested = frame[frame["split"] == "test"]
    answers = linear_answer(arrays, features_of(frame)[frame["split"] == "test"])[:, 0]
    # Slopes 1, 2, 0.5, 3 with noise 0.05 each: sigma 0.05 / sqrt(14.25) = 0.013.
    assert (answers - tested["z_true"]).std() < 0.02
    assert reference["n_train"] == (frame["split"] == "train").sum()
    assert chosen["validation_rms_dz"] < 0.02


def test_the_penalty_is_the_best_on_validation(tmp_path):
    frame = toys.dataset(400)
    noise = np.random.default_rng(5).normal(size=(400, 200)).astype(np.float32)
    features = np.concatenate([features_of(frame, noise=0.3), noise], axis=1)
    dataset = toys.write_dataset(tmp_path / "toy.parquet", frame)
    path = write_features(tmp_path / "f.h5", frame, features)
    penalties = [1e-6, 0.3, 1e6]  # too little, about right, nothing but the mean
    _, _, chosen = train_probe(probe_card(penalties=penalties), dataset, path)
    assert chosen["penalty"] == 0.3
    alone = [
        train_probe(probe_card(penalties=[each]), dataset, path)[2]["validation_rms_dz"]
        for each in penalties
    ]
    assert chosen["validation_rms_dz"] == min(alone)


def test_the_test_split_changes_nothing(world, tmp_path):
    frame, dataset, features = world
    before = train_probe(probe_card(), dataset, features)[0]
    spoiled = features_of(frame)
    spoiled[frame["split"] == "test"] = 99.0
    other = write_features(tmp_path / "spoiled.h5", frame, spoiled)
    after = train_probe(probe_card(), dataset, other)[0]
    np.testing.assert_array_equal(before["weight"], after["weight"])


def test_a_fraction_of_the_labels_is_what_it_learns_from(world):
    frame, dataset, features = world
    card = probe_card(data={"label_fraction": 0.2})
    reference = train_probe(card, dataset, features)[1]
    few = (frame["split"] == "train") & (frame["fraction_rank"] < 0.2)
    assert reference["n_train"] == few.sum() < 100


def test_features_that_are_not_finite_are_refused(world, tmp_path):
    frame, dataset, _ = world
    broken = features_of(frame)
    broken[int(np.flatnonzero(frame["split"] == "train")[2]), 1] = np.inf
    path = write_features(tmp_path / "broken.h5", frame, broken)
    with pytest.raises(BadInput) as caught:
        train_probe(probe_card(), dataset, path)
    assert (caught.value.file, caught.value.place) == (str(path), "features")


def test_a_probe_on_disk_answers_as_it_did(world, tmp_path):
    _, dataset, features = world
    arrays, _, _ = train_probe(probe_card(), dataset, features)
    path, again = tmp_path / "weights.safetensors", tmp_path / "again.safetensors"
    save_control(path, arrays, probe_card())
    save_control(again, arrays, probe_card())
    stored, card = load_linear(path)
    x = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    np.testing.assert_array_equal(linear_answer(stored, x), linear_answer(arrays, x))
    assert card == probe_card()
    assert path.read_bytes() == again.read_bytes()


def test_a_damaged_probe_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"half a model")
    with pytest.raises(BadInput) as caught:
        load_linear(path)
    assert (caught.value.file, caught.value.place) == (str(path), "the file")
    assert caught.value.expected == "a linear model and its card"


def test_probes_and_heads_answer_without_torch():
    code = (
        "import sys, zladder.train.probe, zladder.learning.controls, "
        "zladder.evaluate.predict_classes; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
