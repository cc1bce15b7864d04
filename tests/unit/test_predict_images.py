"""Predictions of networks on images: block by block what they are at once, row by row as asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import predict_classes as classes_program
import predict_images as images_program
import pytest
import torch

from tests import toy_images
from tests.toy_images import CLASSES, image_card
from zladder.learning import image_index
from zladder.learning.image_answers import redshifts
from zladder.learning.image_bundle import (
    drawn_encoder,
    load_image_network,
    new_head,
    save_images_run,
)
from zladder.learning.image_index import load_images, shard_files
from zladder.learning.pixels import softening_nmgy
from zladder.learning.reference import write_card
from zladder.networks.heads import ImageNetwork
from zladder.pdf.pdf_file import read_pdfs
from zladder.tables.read import read_table

REFERENCE = {"n_train": 60, "z_min": 0.05, "z_max": 0.35}


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """A dataset of 100 galaxies whose rows are not in the order of the shards, and its shards."""
    dataset, shards = toy_images.write_sky(tmp_path_factory.mktemp("sky"), "labelled", 100, seed=0)
    pd.read_parquet(dataset).sample(frac=1.0, random_state=2).to_parquet(dataset)
    return dataset, shards


def write_network(folder, card):
    """Write a network with drawn weights as a run; return its model and card files."""
    encoder = drawn_encoder(card)
    images = toy_images.random_images(20, 16)
    encoder.softening_nmgy.copy_(softening_nmgy(images.sky_sigma_nmgy))
    head = new_head(card, encoder.features, torch.Generator().manual_seed(3))
    paths = folder / "weights.safetensors", folder / "card.json"
    save_images_run(paths[0], ImageNetwork(encoder, head).state_dict(), card)
    write_card(paths[1], card, REFERENCE)
    return paths


def predicted(folder, sky, run, program=images_program, expected=0, **options):
    dataset, shards = sky
    table = folder / "predictions.parquet"
    words = ["--model", run[0], "--card", run[1], "--stamps", *shards, "--datasets", dataset,
             "--trained-on", dataset, "--predictions", table, "--log", folder / "log"]  # fmt: skip
    for name, value in options.items():
        words += [f"--{name}", value]
    assert program.main([str(word) for word in words]) == expected
    return read_table(table) if expected == 0 else None


def at_once(sky, run):
    """Return the network's answers for what is asked, all images in memory."""
    network, card = load_image_network(run[0])
    frame = pd.read_parquet(sky[0])
    frame = frame[frame["split"] != "train"]
    files, crop = shard_files(sky[1]), card["inputs"]["crop_pixels"]
    images = load_images(frame, files, card["inputs"], crop, sky[0])
    return frame, *redshifts(network, card, images)


@pytest.mark.parametrize("block_rows", [7, 2048])
def test_blocks_give_what_all_images_at_once_give(tmp_path, sky, monkeypatch, block_rows):
    monkeypatch.setattr(image_index, "BLOCK_ROWS", block_rows)
    run = write_network(tmp_path, image_card())
    table = predicted(tmp_path, sky, run)
    frame, z_phot, _ = at_once(sky, run)
    np.testing.assert_array_equal(table["object_id"], frame["object_id"])
    np.testing.assert_array_equal(table["split"], frame["split"])
    np.testing.assert_allclose(table["z_phot"], z_phot, rtol=1e-5, atol=1e-6)
    assert len(set(table["z_phot"])) > 30


def test_the_columns_are_those_of_the_schema(tmp_path, sky):
    table = predicted(tmp_path, sky, write_network(tmp_path, image_card()))
    assert list(table.columns) == [
        "dataset", "split", "object_id", "z_true", "z_phot", "flags", "mag_g", "mag_r", "mag_i",
    ]  # fmt: skip
    assert (len(table), table["flags"].dtype) == (40, np.uint32)


def test_the_odds_of_a_classifier_stand_beside_its_estimates(tmp_path, sky):
    run = write_network(tmp_path, image_card(**CLASSES))
    pdfs_file = tmp_path / "run.pdf.h5"
    table = predicted(tmp_path, sky, run, classes_program, pdfs=pdfs_file)
    frame, z_mean, odds = at_once(sky, run)
    pdfs = read_pdfs(pdfs_file)
    np.testing.assert_array_equal(pdfs.object_id, frame["object_id"])
    np.testing.assert_allclose(pdfs.pmf, odds, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(table["z_mean"], z_mean, rtol=1e-5, atol=1e-6)
    modes = (odds.argmax(axis=1) + 0.5) * 0.02
    np.testing.assert_allclose(table["z_phot"], modes, rtol=1e-6)


def test_a_missing_shard_is_refused(tmp_path, sky):
    dataset, shards = sky
    run = write_network(tmp_path, image_card())
    predicted(tmp_path, (dataset, shards[:1]), run, expected=2)
    assert "toy0/1" in (tmp_path / "log").read_text(encoding="utf-8")
    assert not (tmp_path / "predictions.parquet").exists()
