"""What ``zladder predict`` refuses of cutouts, runs and options: file, place, expected, found."""

from __future__ import annotations

import json
import shutil

import h5py
import numpy as np
import pytest

from tests import own_cutouts, toys
from tests.own_cutouts import N_GALAXIES, write_galaxiesml, write_sdss, write_zladder
from tests.predicting import refused
from tests.toy_images import pretrain_card
from zladder.evaluate.trained import load_run
from zladder.learning.reference import write_card
from zladder.provenance.errors import BadInput


@pytest.mark.parametrize(("changed", "options", "parts"), [
    ({"bands": ["g", "r", "z"]}, (), ["bands", "the run's g, r, i", "g, r, z (no i)", "--bands"]),
    ({"bands": ["g", "r"]}, (), ["dataset 'flux'", "one plane a band: g, r", "3 planes"]),
    ({}, ("--bands", "g", "r", "i", "z"), ["one plane a band: g, r, i, z", "3 planes"]),
    ({"bands": None}, (), ["attribute 'bands'", "an attribute", "no such attribute"]),
    ({"unit": "Jy"}, (), ["attribute 'unit'", "'nmgy'", "'Jy'"]),
    ({"schema": None}, (), ["attribute 'schema'", "'zladder stamps 2'", "no such attribute"]),
    ({"pixel_scale_arcsec": 0.2}, (), ["width of a pixel", "0.396 arcsec", "0.2 arcsec",
                                       "resample"]),
    ({}, ("--pixel-scale", 0.3), ["width of a pixel", "0.396 arcsec", "0.3 arcsec"]),
    ({}, ("--pixel-scale", 0), ["--pixel-scale", "arcsec, above 0", "found:    0"]),
    ({}, ("--zero-point", "nan"), ["--zero-point", "an AB magnitude", "nan"]),
    ({}, ("--ebv", "-0.1"), ["--ebv", "mag, 0 or more", "-0.1", "0 where"]),
    ({}, ("--ebv", "inf"), ["--ebv", "mag, 0 or more", "inf"]),
    ({}, ("--ebv", "dust"), ["column 'dust'", "the columns"]),
    ({"dust": np.full(N_GALAXIES, -9999.0)}, ("--ebv", "dust"),
     ["dataset 'dust', row 0 (from 0)", "mag, 0 or more", "-9999 (60 such rows)"]),
    ({"extinction_mag": None}, (), ["extinction", "dereddened pixels", "none", "--ebv NAME"]),
    ({"extinction_mag": np.zeros((N_GALAXIES, 2))}, (),
     ["dataset 'extinction_mag'", "shape (60, 3)", "(60, 2)"]),
    ({"extinction_mag": np.zeros((59, 3))}, (), ["'extinction_mag'", "(60, 3)", "(59, 3)"]),
    ({"object_id": None}, (), ["datasets", "flux and object_id, or images and ObjID", "flux"]),
    ({"object_id": np.arange(60.0)}, (), ["dataset 'object_id'", "integers", "float64"]),
    ({"object_id": np.arange(59)}, (), ["dataset 'object_id'", "60 cutouts", "shape (59,)"]),
    ({"ra": np.full(N_GALAXIES, np.nan)}, (), ["ra, dec, row 0 (from 0)", "a position", "nan"]),
    ({"dec": np.full(N_GALAXIES, b"x")}, (), ["dataset 'dec'", "numbers", "|S1"]),
    ({"flux": np.zeros((60, 16, 16))}, (), ["dataset 'flux'", "(N, B, S, S)", "(60, 16, 16)"]),
    ({"flux": np.ones((60, 3, 11, 11), np.float32)}, (),
     ["size of the cutouts", "at least 12 x 12 pixels", "11 x 11 pixels"]),
])  # fmt: skip
def test_stamps_that_do_not_fit_are_refused(look, tmp_path, changed, options, parts):
    path = write_zladder(tmp_path / "own.h5", **changed)
    refused(look(path, *options), *parts)


def test_public_files_that_do_not_fit_are_refused(look, tmp_path):
    path = write_sdss(tmp_path / "sdss.h5", 20, e_bv=np.full(N_GALAXIES, 0.1))
    refused(look(path), "dataset 'e_bv'", "shape (60, 5)", "shape (60,)", "--ebv")
    path = write_sdss(tmp_path / "sdss.h5", 20, e_bv=np.full((N_GALAXIES, 5), -9999.0))
    refused(look(path), "dataset 'e_bv', row 0", "mag, 0 or more", "-9999 (60 such")
    assert look(path, "--ebv", 0)[0] == 0  # what is told goes before the file
    (tmp_path / "out.parquet").unlink()
    refused(look(path, "--bands", *"grizy"), "dataset 'e_bv'", "each of u, g, r, i, z",
            "the bands g, r, i, z, y", "--ebv")  # fmt: skip
    path = write_sdss(tmp_path / "sdss.h5", 20, e_bv=None)
    refused(look(path), "extinction", "dereddened pixels", "--ebv")
    path = write_galaxiesml(tmp_path / "hsc.h5", 20)
    refused(look(path, "--ebv", 0), "width of a pixel", "0.396 arcsec", "0.168 arcsec")


@pytest.mark.parametrize("damage", ["cut", "other", "chunk"])
def test_damaged_files_are_refused(look, tmp_path, damage):
    path = write_sdss(tmp_path / "own.h5", 40)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "other":
        content = bytearray(b"not HDF5" * 100)
    else:  # the pixels of a compressed chunk, found while they are read
        with h5py.File(path) as file:
            place = file["images"].id.get_chunk_info(40)
        content[place.byte_offset + 30 : place.byte_offset + 60] = b"\xff" * 30
    path.write_bytes(content)
    refused(look(path), f"{path}: file", "a whole HDF5 file", "damaged")


def test_inputs_of_another_kind_are_refused(look, predict, tmp_path):
    (tmp_path / "t.csv").write_text("mag_g\n1\n", encoding="utf-8")
    refused(look(tmp_path / "t.csv"), "suffix", "HDF5 file (.h5, .hdf5) or a folder", "'.csv'")
    refused(look((tmp_path / "t.csv").rename(tmp_path / "t")), "suffix", "HDF5 file", "''")
    refused(look(tmp_path / "nowhere.h5"), "nowhere.h5", "no such file")
    refused(predict(tmp_path), "a table: the run sees magnitudes", "a folder", "zladder runs")


def test_options_of_another_kind_are_refused(look, predict, tmp_path):
    path = write_zladder(tmp_path / "own.h5")
    refused(look(path, "--survey", "s.yaml"), "--survey", "a run that sees magnitudes",
            "toy.scratch-s0, which sees images")  # fmt: skip
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    for option in (("--zero-point", "22.5"), ("--bands", "g"), ("--ebv", "0")):
        refused(predict(tmp_path / "t.csv", *option), option[0], "a run that sees images",
                "toy.net-s0, which sees magnitudes")  # fmt: skip


def test_an_output_that_nobody_writes_is_refused_before_the_work(look, tmp_path):
    outcome = look(tmp_path / "not_even_there.h5", output="out.csv")
    refused(outcome, "out.csv: suffix", ".parquet, .fits, .vot", "'.csv'")


@pytest.fixture
def copied(pixel_sky, tmp_path):
    """Copy runs into results of their own; return the folder of runs."""

    def make(*names):
        runs = tmp_path / "copy/mock-test/runs"
        for name in names:
            shutil.copytree(pixel_sky / "runs" / name, runs / name)
        return runs

    return make


def test_a_run_without_its_stamps_knows_how_wide_their_pixels_were(predict, copied, tmp_path):
    path = write_zladder(tmp_path / "own.h5", pixel_scale_arcsec=3.0)
    outcome = predict(path, run_name=str(copied("toy.scratch-s0") / "toy.scratch-s0"))
    refused(outcome, "width of a pixel", "0.396 arcsec", "3 arcsec", "resample")


@pytest.mark.parametrize("run", ["toy.probe-s0", "toy.head-s0"])
def test_a_probe_needs_the_very_parent_it_was_trained_on(predict, copied, tmp_path, run):
    path = write_zladder(tmp_path / "own.h5")
    runs = copied(run)
    outcome = predict(path, run_name=str(runs / run))
    refused(outcome, "parent toy.scratch-s0", "go through its encoder first", "no weights in",
            "keep the parent's folder")  # fmt: skip
    copied("toy.scratch-s0")
    assert predict(path, run_name=str(runs / run))[0] == 0
    (tmp_path / "out.parquet").unlink()
    parent = runs / "toy.scratch-s0/card.json"
    changed = json.loads(parent.read_text(encoding="utf-8"))["card"] | {"seed": 12}
    own_cutouts.write_network(runs.parent, changed)
    (tmp_path / "out.pdf.h5").unlink(missing_ok=True)
    refused(predict(path, run_name=str(runs / run)), "parent", "the encoder it was trained on",
            "another training of toy.scratch-s0")  # fmt: skip


def test_a_pretraining_knows_no_redshifts(predict, copied, tmp_path):
    runs = copied("toy.scratch-s0")
    folder = runs / "toy.scratch-s0"
    write_card(folder / "card.json", pretrain_card(), {"n_train": 10})
    outcome = predict(write_zladder(tmp_path / "own.h5"), run_name=str(folder))
    refused(outcome, "card.json: task", "trained on redshifts and sees images", "'pretrain'")


def test_the_workflow_does_not_send_magnitudes_through_a_run_on_images(pixel_sky):
    folder = pixel_sky / "runs/toy.scratch-s0"
    with pytest.raises(BadInput) as caught:
        load_run(folder / "weights.safetensors", folder / "card.json")
    error = caught.value
    assert (error.file, error.place) == (str(folder / "card.json"), "task")
    assert (error.expected, error.found) == ("catalogue or control", "'image'")
