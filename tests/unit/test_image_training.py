"""Image networks: what they learn from, what is frozen, where they start, what they say."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from tests import toy_images
from tests.toy_images import CLASSES, bits, image_card, pretrain_card
from tests.toy_training import after
from zladder.learning import engine
from zladder.learning.classes import class_edges, class_index
from zladder.learning.image_answers import redshifts
from zladder.learning.image_bundle import load_encoder, load_image_network
from zladder.learning.image_index import load_images, shard_files
from zladder.learning.image_run import write_image_run
from zladder.learning.losses import class_cross_entropy
from zladder.learning.optimizer import AdamW
from zladder.pretrain.encoder import pretrain_encoder
from zladder.provenance.errors import BadInput, Unfinished
from zladder.tables.read import read_table
from zladder.tables.split_notes import dataset_metadata
from zladder.tables.standard import write_standard
from zladder.train.embed import distinct_symmetries, embed_images
from zladder.train.image import train_image

LONG = {"schedule": {"steps": 150, "batch_size": 32, "checks": 3}}


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """A labelled dataset of 200 galaxies and its shards."""
    return toy_images.write_sky(tmp_path_factory.mktemp("sky"), "labelled", 200, seed=0)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """The weights of an encoder pretrained on other galaxies."""
    folder = tmp_path_factory.mktemp("pretrained")
    unlabelled = toy_images.write_sky(folder, "unlabelled", 60, seed=1, split="train")
    run = pretrain_encoder(pretrain_card(), *unlabelled, folder / "resume", None)
    return written(run, folder)


def written(run, folder):
    paths = [folder / name for name in ("weights.safetensors", "card.json", "history.csv")]
    write_image_run(run, *paths)
    return paths[0]


def train(sky, folder, parent=None, **changes):
    return train_image(image_card(**changes), *sky, parent, folder, None)


def test_classes_are_closed_below_and_open_above():
    edges = class_edges({"bins": 180, "range_z": [0.0, 0.4]})
    assert len(edges) == 181
    assert (edges[0], edges[-1]) == (0.0, 0.4)
    assert edges[90] == pytest.approx(0.2)
    index, inside = class_index(edges[:-1], edges)
    assert index.tolist() == list(range(180))
    assert inside.all()
    below, _ = class_index(np.nextafter(edges[1:], 0), edges)
    assert below.tolist() == list(range(180))


@pytest.mark.parametrize("z", [-1e-9, 0.4, 0.41, np.nan, np.inf])
def test_a_redshift_off_the_classes_is_told_not_clipped(z):
    edges = class_edges({"bins": 180, "range_z": [0.0, 0.4]})
    index, inside = class_index(np.array([0.1, z]), edges)
    assert inside.tolist() == [True, False]
    assert index.tolist() == [45, -1]


def test_cross_entropy_takes_a_class_or_odds():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    hard = class_cross_entropy(logits, torch.tensor([0, 2]))
    expected = [np.log(np.exp([0, -2, -3]).sum()), np.log(3)]
    np.testing.assert_allclose(hard, expected, rtol=1e-6)
    soft = class_cross_entropy(logits, torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]))
    np.testing.assert_allclose(soft, [expected[0] + 1.0, np.log(3)], rtol=1e-6)


def test_a_regression_learns_the_redshift(tmp_path, sky):
    run = train(sky, tmp_path / "resume", **LONG)
    network, card = load_image_network(written(run, tmp_path))
    frame = read_table(sky[0])
    tested = frame[frame["split"] == "test"]
    images = load_images(tested, shard_files(sky[1]), card["inputs"], 12, sky[0])
    z_phot, odds = redshifts(network, card, images)
    dz = (z_phot - tested["z_true"]) / (1 + tested["z_true"])
    assert odds is None
    assert z_phot.shape == (40,)
    # The labels scatter by 0.08; this took 40 test galaxies that the training never saw.
    assert float(dz.std()) < 0.03
    losses = [entry["validation_loss"] for entry in run.progress.history]
    assert losses[-1] < 0.5 * losses[0]
    assert run.reference["n_train"] == 120
    labels = frame.loc[frame["split"] == "train", "z_true"]
    assert run.reference["z_min"] == labels.min()
    assert run.reference["z_max"] == labels.max()


def test_a_classifier_learns_the_redshift(tmp_path, sky):
    run = train(sky, tmp_path / "resume", **LONG, **CLASSES)
    network, card = load_image_network(written(run, tmp_path))
    frame = read_table(sky[0])
    tested = frame[frame["split"] == "test"]
    images = load_images(tested, shard_files(sky[1]), card["inputs"], 12, sky[0])
    z_phot, odds = redshifts(network, card, images)
    assert odds.shape == (40, 20)
    np.testing.assert_allclose(odds.sum(axis=1), 1.0, rtol=1e-5)
    centres = 0.01 + 0.02 * np.arange(20)
    np.testing.assert_allclose(z_phot, odds.astype(float) @ centres, atol=1e-6)
    assert float((z_phot - tested["z_true"]).std()) < 0.04


def test_the_head_starts_at_the_mean_and_the_spread_of_its_labels(tmp_path, sky):
    run = train(sky, tmp_path, schedule={"steps": 1, "checks": 1})
    frame = read_table(sky[0])
    labels = frame.loc[frame["split"] == "train", "z_true"]
    assert float(run.tensors["head.output_mean"]) == pytest.approx(labels.mean(), rel=1e-6)
    assert float(run.tensors["head.output_scale"]) == pytest.approx(labels.std(ddof=0), rel=1e-6)


def test_a_label_fraction_is_cut_by_rank(tmp_path, sky):
    card = {"data": {"dataset": "labelled", "label_fraction": 0.25}}
    run = train(sky, tmp_path, **card, schedule={"steps": 1, "checks": 1})
    frame = read_table(sky[0])
    few = frame[(frame["split"] == "train") & (frame["fraction_rank"] < 0.25)]
    assert run.reference["n_train"] == len(few) < 60
    assert run.reference["z_max"] == few["z_true"].max()


def test_labels_without_a_class_are_refused(tmp_path, sky):
    classes = {**CLASSES, "output": {"kind": "classes", "bins": 20, "range_z": [0.0, 0.3]}}
    with pytest.raises(BadInput) as caught:
        train(sky, tmp_path, **classes)
    error = caught.value
    frame = read_table(sky[0])
    outside = frame[(frame["split"] == "train") & (frame["z_true"] >= 0.3)]
    first = outside.iloc[0]
    assert (error.file, error.place) == (str(sky[0]), "column 'z_true'")
    assert error.expected == "a redshift in [0, 0.3), where the classes are"
    assert f"{first['z_true']:g} for object_id {first['object_id']}" in error.found
    assert f"{len(outside)} such" in error.found
    assert "output.range_z" in error.hint


def test_a_child_takes_the_encoder_and_nothing_else(tmp_path, sky, pretrained):
    run = train(sky, tmp_path, pretrained, optimizer={"learning_rate": 0.0, "weight_decay": 0.0})
    encoder, _ = load_encoder(pretrained)
    parameters = [f"encoder.{name}" for name, _ in encoder.named_parameters()]
    parents = {f"encoder.{name}": part for name, part in encoder.state_dict().items()}
    kept = [*parameters, "encoder.softening_nmgy"]
    assert bits({name: run.tensors[name] for name in kept}) == bits(
        {name: parents[name] for name in kept}
    )
    heads = {name for name in run.tensors if not name.startswith("encoder.")}
    assert heads == {"head.output_mean", "head.output_scale", "head.last.weight", "head.last.bias"}


def test_a_frozen_trunk_does_not_move_nor_do_its_batch_statistics(tmp_path, sky, pretrained):
    run = train(sky, tmp_path, pretrained, optimizer={"trunk_factor": 0.0}, **LONG)
    parents, _ = load_encoder(pretrained)
    stored = {f"encoder.{name}": part for name, part in parents.state_dict().items()}
    assert bits({name: run.tensors[name] for name in stored}) == bits(stored)
    fresh = train(sky, tmp_path / "b", pretrained, optimizer={"trunk_factor": 0.0}, seed=12)
    assert bits(fresh.tensors)["head.last.weight"] != bits(run.tensors)["head.last.weight"]
    assert run.progress.history[-1]["train_loss"] < run.progress.history[0]["train_loss"]


def test_a_trunk_that_learns_moves_with_its_statistics(tmp_path, sky, pretrained):
    run = train(sky, tmp_path, pretrained, optimizer={"trunk_factor": 0.1})
    parents, _ = load_encoder(pretrained)
    moved = {
        name
        for name, part in parents.state_dict().items()
        if bits({"x": part}) != bits({"x": run.tensors[f"encoder.{name}"]})
    }
    counters = {name for name in parents.state_dict() if name.endswith("num_batches_tracked")}
    assert moved - counters == set(parents.state_dict()) - counters - {"softening_nmgy"}


@pytest.mark.parametrize(("factor", "rates"), [(0.1, {1e-2, 1e-3}), (1.0, {1e-2}), (0.0, {1e-2})])
def test_the_trunk_learns_at_its_factor_of_the_rate(tmp_path, sky, monkeypatch, factor, rates):
    seen = []
    step = AdamW.step

    def spy(self, *arguments):
        groups = [group for group in self.groups if group.parameters]
        seen.append({round(group.rate, 12): len(group.parameters) for group in groups})
        return step(self, *arguments)

    monkeypatch.setattr(AdamW, "step", spy)
    train(sky, tmp_path, optimizer={"trunk_factor": factor})
    assert set(seen[0]) == rates
    assert seen[0][1e-2] == (2 if factor < 1 else 2 + 3 + 6 + 9)
    assert max(seen[-1]) < 1e-3 < max(seen[0])  # and decays


def test_an_encoder_of_other_bands_is_refused(tmp_path, sky):
    unlabelled = toy_images.write_sky(tmp_path, "unlabelled", 20, seed=2, split="train")
    inputs = {"bands": ["g", "r"]}
    card = pretrain_card(inputs=inputs, schedule={"steps": 0, "checks": 1})
    parent = written(pretrain_encoder(card, *unlabelled, tmp_path / "resume", None), tmp_path)
    with pytest.raises(BadInput) as caught:
        train(sky, tmp_path / "child", parent)
    error = caught.value
    assert (error.file, error.place) == (str(parent), "the run card inside: inputs.bands")
    assert (error.expected, error.found) == ("['g', 'r', 'i']", "['g', 'r']")
    assert "same survey" in error.hint


def test_stamps_without_the_bands_of_the_network_are_refused(tmp_path, sky):
    bands = ["g", "r", "i", "z"]
    inputs = {"bands": bands, "extinction_per_ebv": {**toy_images.EXTINCTION_PER_EBV, "z": 1.263}}
    with pytest.raises(BadInput) as caught:
        train(sky, tmp_path, inputs=inputs)
    assert caught.value.file.endswith(".h5")
    assert caught.value.place == "attribute 'bands'"
    assert "g, r, i" in caught.value.found


def test_stamps_of_another_pixel_scale_are_refused(tmp_path, sky):
    with pytest.raises(BadInput) as caught:
        train(sky, tmp_path, inputs={"pixel_scale_arcsec": 0.3})
    error = caught.value
    assert error.file.endswith(".h5")
    assert (error.place, error.found) == ("pixel_scale_arcsec", "0.396")
    assert error.expected == "0.3, as the run card says"


def test_a_dataset_without_images_is_refused(tmp_path, sky):
    bare = tmp_path / "bare.parquet"
    pd.read_parquet(sky[0]).drop(columns="shard").to_parquet(bare)
    with pytest.raises(BadInput) as caught:
        train((bare, sky[1]), tmp_path / "resume")
    error = caught.value
    assert (error.file, error.place) == (str(bare), "column 'shard'")
    assert error.found == "no such column"


def test_a_file_that_is_no_network_is_refused(tmp_path, sky, pretrained):
    broken = tmp_path / "weights.safetensors"
    broken.write_bytes(pretrained.read_bytes()[:-100])
    with pytest.raises(BadInput) as caught:
        train(sky, tmp_path / "resume", broken)
    error = caught.value
    assert (error.file, error.place) == (str(broken), "the file")
    assert error.expected == "weights of a network on images"
    assert "train the run again" in error.hint
    with pytest.raises(BadInput, match="weights of a network on images"):
        load_image_network(pretrained)  # an encoder has no head


@pytest.mark.parametrize("factor", [0.0, 0.1, 1.0])
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, sky, monkeypatch, factor):
    changes = {**CLASSES, "optimizer": {"trunk_factor": factor}}
    undisturbed = train(sky, tmp_path / "whole", **changes)
    plain, interruptions = engine.drive, 0
    for stop in (1, 4, 2, 3, 100):
        monkeypatch.setattr(
            engine,
            "drive",
            lambda run, card, folder, _, stop=stop: plain(run, card, folder, after(stop)),
        )
        try:
            resumed = train(sky, tmp_path / "parts", **changes)
        except Unfinished:
            interruptions += 1
    assert interruptions == 4
    assert bits(resumed.tensors) == bits(undisturbed.tensors)
    assert resumed.progress.history == undisturbed.progress.history


def test_equal_runs_give_equal_bytes_and_another_seed_does_not(tmp_path, sky):
    files = []
    for name, seed in (("a", 11), ("b", 11), ("c", 12)):
        (tmp_path / name).mkdir()
        files.append(written(train(sky, tmp_path / name / "resume", seed=seed), tmp_path / name))
    one, two, three = (path.read_bytes() for path in files)
    assert one == two
    assert one != three


def test_embedding_gives_the_features_of_every_galaxy_in_order(tmp_path, sky, pretrained):
    path = tmp_path / "features.h5"
    summary = embed_images(pretrained, *sky, 3, path)
    frame = read_table(sky[0])
    encoder, card = load_encoder(pretrained)
    images = load_images(frame, shard_files(sky[1]), card["inputs"], 12, sky[0])
    shown = toy_images.views(images)
    shown = type(shown)(images, card["inputs"], encoder.softening_nmgy)
    with torch.no_grad(), h5py.File(path) as file:
        assert file.attrs["run"] == "toy.moco-s0"
        assert file.attrs["dataset"] == "labelled"
        assert list(file.attrs["bands"]) == toy_images.BANDS
        np.testing.assert_array_equal(file["object_id"], frame["object_id"])
        rows = torch.arange(200)
        tested = (frame["split"] == "test").to_numpy()
        for name, ebv_mag, given in (("features", 0.0, tested | True), ("reddened", 0.1, tested)):
            expected = encoder(shown.centred(rows, ebv_mag)).numpy()[given]
            np.testing.assert_allclose(file[name][given], expected, rtol=1e-4, atol=1e-5)
            assert np.isnan(file[name][~given]).all()
        copies = file["copies"][()]
        trained = (frame["split"] == "train").to_numpy()
        symmetry = distinct_symmetries(card["seed"], 200, 3)
        expected = encoder(shown.turned(rows, symmetry[:, 1])).numpy()[trained]
        np.testing.assert_allclose(copies[trained][:, 1], expected, rtol=1e-4, atol=1e-5)
        assert np.isnan(copies[~trained]).all()
    assert copies.shape == (200, 3, encoder.features)
    assert (summary["n_in"], summary["n_out"]) == (200, 200)
    assert float(copies[trained].std(axis=1).mean()) > 1e-4


def test_a_trained_network_embeds_too_and_copies_are_optional(tmp_path, sky):
    weights = written(train(sky, tmp_path / "resume"), tmp_path)
    embed_images(weights, *sky, 0, tmp_path / "features.h5")
    with h5py.File(tmp_path / "features.h5") as file:
        assert file["features"].shape == (200, 8)
        assert "copies" not in file


def test_where_validation_is_the_test_set_its_galaxies_are_reddened(tmp_path, sky, pretrained):
    frame = read_table(sky[0])
    frame["split"] = frame["split"].replace("test", "calibration")
    path = tmp_path / "as_published.parquet"
    write_standard(frame, path, dataset_metadata(frame, ["validation_as_test"]))
    embed_images(pretrained, path, sky[1], 0, tmp_path / "features.h5")
    with h5py.File(tmp_path / "features.h5") as file:
        reddened = np.isfinite(file["reddened"][()]).all(axis=1)
    np.testing.assert_array_equal(reddened, frame["split"] == "validation")


def test_no_galaxy_is_copied_twice_alike():
    symmetry = distinct_symmetries(3, 500, 7)
    assert torch.equal(symmetry.sort(dim=1).values, torch.arange(1, 8).expand(500, -1))
    # Each of seven comes first 71 times; 5 sigma of the multinomial is 39.
    first = torch.bincount(symmetry[:, 0], minlength=8)[1:]
    assert int(first.min()) > 32


def test_more_copies_than_symmetries_are_refused(tmp_path, sky, pretrained):
    with pytest.raises(BadInput) as caught:
        embed_images(pretrained, *sky, 8, tmp_path / "features.h5")
    error = caught.value
    assert (error.file, error.place) == ("--copies", "copies")
    assert (error.expected, error.found) == ("0 to 7", "8")
