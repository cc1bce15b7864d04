"""Stamps come into memory in the order of the index, and nothing wrong comes with them."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from tests.loaded_stamps import load_stamps
from zladder.cutouts.shard import write_stamps
from zladder.learning import stamps as reader
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import describe_stamps, stamp_datasets

BANDS = ["u", "g", "r", "i", "z"]
SETTINGS = {"bands": BANDS, "stamp_pixels": 8, "pixel_scale_arcsec": 0.396}


def write(path, n: int, seed: int, **settings) -> dict[str, np.ndarray]:
    """Write a shard of random stamps; return its datasets."""
    wanted = SETTINGS | settings
    draw = np.random.default_rng(seed)
    described = stamp_datasets(len(wanted["bands"]), wanted["stamp_pixels"])
    stamps = {
        name: draw.normal(size=(n, *entry)).astype(dtype)
        for name, (dtype, entry) in described.items()
        if dtype.startswith("<f")
    }
    stamps["object_id"] = np.arange(n) + 1000 * seed
    stamps["flags"] = np.zeros((n, len(wanted["bands"])), dtype=np.uint32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_stamps(path, [stamps], n, wanted)
    return stamps


@pytest.fixture
def world(tmp_path):
    """Two shards, what is in them, and an index of some of their rows in disorder."""
    files = {f"main/{k}": tmp_path / "main" / f"{k}.h5" for k in (0, 1)}
    content = {name: write(path, 40 + 7 * k, k + 1)
               for k, (name, path) in enumerate(files.items())}  # fmt: skip
    whole = pd.DataFrame(
        [(name, row, content[name]["object_id"][row])
         for name in files for row in range(len(content[name]["object_id"]))],
        columns=["shard", "row", "object_id"],
    )  # fmt: skip
    return files, content, whole.sample(frac=0.6, random_state=1).reset_index(drop=True)


@pytest.mark.parametrize("block", [1, 5, 512])
@pytest.mark.parametrize("bands", [BANDS, ["z", "g"]])
def test_every_row_is_where_the_index_has_it(world, monkeypatch, block, bands):
    monkeypatch.setattr(reader, "_BLOCK_ROWS", block)
    files, content, index = world
    stamps = load_stamps(files, index, bands)
    assert stamps.flux.dtype == stamps.dereddening.dtype == torch.float32
    assert tuple(stamps.flux.shape) == (len(index), len(bands), 8, 8)
    places = [BANDS.index(band) for band in bands]
    for at, row in index.iterrows():
        stored = content[row["shard"]]
        np.testing.assert_array_equal(stamps.flux[at], stored["flux"][row["row"]][places])
        extinction_mag = stored["extinction_mag"][row["row"]][places]
        np.testing.assert_allclose(stamps.dereddening[at], 10 ** (0.4 * extinction_mag), rtol=1e-6)


def test_pixels_are_read_in_few_contiguous_pieces(world, monkeypatch):
    files, content, _ = world
    asked, real = [], os.posix_fadvise

    def spying(file, offset, length, advice):
        asked.append((file, offset, length))
        return real(file, offset, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", spying)
    every_third = pd.DataFrame(
        [(name, row) for name in files for row in range(0, 40, 3)], columns=["shard", "row"]
    )
    stamps = load_stamps(files, every_third.sample(frac=1.0, random_state=2), BANDS)
    assert len(stamps.flux) == 28
    assert len(asked) == len(files)
    assert {size for _, _, size in asked} == {content["main/0"]["flux"][0].nbytes * 40}


def test_an_index_may_name_a_row_twice_and_needs_no_identifiers(world):
    files, content, _ = world
    index = pd.DataFrame({"shard": ["main/1", "main/0", "main/1"], "row": [3, 2, 3]})
    stamps = load_stamps(files, index, ["r"])
    assert torch.equal(stamps.flux[0], stamps.flux[2])
    np.testing.assert_array_equal(stamps.flux[1, 0], content["main/0"]["flux"][2, 2])


def refused(files, index, bands=BANDS) -> BadInput:
    with pytest.raises(BadInput) as caught:
        load_stamps(files, index, bands)
    return caught.value


def test_bands_that_the_stamps_lack_are_refused(world):
    files, _, index = world
    error = refused(files, index, ["g", "r", "i", "z", "y"])
    assert error.file in {str(path) for path in files.values()}
    assert error.place == "attribute 'bands'"
    assert error.expected == "bands g, r, i, z, y"
    assert error.found == "u, g, r, i, z (no y)"


def test_a_row_beyond_the_end_is_refused(world):
    files, _, _ = world
    error = refused(files, pd.DataFrame({"shard": ["main/0"] * 2, "row": [39, 40]}))
    assert (error.file, error.place) == (str(files["main/0"]), "row 40 (from 0)")
    assert error.expected == "one of 40 rows"
    error = refused(files, pd.DataFrame({"shard": ["main/0"], "row": [-1]}))
    assert error.place == "row -1 (from 0)"


def test_the_stamp_of_another_galaxy_is_refused(world):
    files, content, index = world
    index.loc[4, "object_id"] = 77
    shard, row = index.loc[4, ["shard", "row"]]
    error = refused(files, index)
    assert (error.file, error.place) == (str(files[shard]), f"object_id, row {row} (from 0)")
    assert error.expected == "77"
    assert error.found == f"{content[shard]['object_id'][row]} (1 such rows)"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(world, value):
    files, _, _ = world
    with h5py.File(files["main/1"], "r+") as file:
        file["flux"][9, 3, 2, 5] = value
    index = pd.DataFrame({"shard": ["main/1"] * 3, "row": [11, 9, 2]})
    error = refused(files, index)
    assert (error.file, error.place) == (str(files["main/1"]), "row 9 (from 0), band i")
    assert error.expected == "finite pixels"
    load_stamps(files, index, ["u", "g"])  # the other bands are whole
    load_stamps(files, index.drop(index=1), BANDS)


def test_an_extinction_that_is_not_finite_is_refused(world):
    files, _, index = world
    with h5py.File(files["main/0"], "r+") as file:
        file["extinction_mag"][:, 1] = np.nan
    error = refused(files, index)
    assert error.place.endswith("band g")
    assert error.expected == "an extinction"


def test_a_shard_without_file_is_refused(world):
    files, _, index = world
    error = refused({"main/0": files["main/0"]}, index)
    assert error.place == "shard 'main/1'"
    assert error.found == "files of main/0"


def test_an_empty_index_is_refused(world):
    files, _, index = world
    error = refused(files, index[:0])
    assert (error.place, error.found) == ("rows", "none")


def test_shards_of_different_sizes_are_refused(world):
    files, _, index = world
    write(files["main/1"], 47, 2, stamp_pixels=9)
    error = refused(files, index.sort_values("shard"))
    assert (error.file, error.place) == (str(files["main/1"]), "stamp_pixels")
    assert error.found == "9"


@pytest.mark.parametrize(
    ("damage", "place", "found"),
    [
        (lambda f: f.attrs.modify("schema", "zladder stamps 0"), "attribute 'schema'",
         "'zladder stamps 0'"),
        (lambda f: f.attrs.pop("unit"), "attribute 'unit'", "no such attribute"),
        (lambda f: f.attrs.pop("bands"), "attribute 'bands'", "none"),
        (lambda f: f.pop("flux"), "dataset 'flux'", "no such dataset"),
        (lambda f: f.pop("flags"), "dataset 'flags'", "no such dataset"),
        (lambda f: f.attrs.create("bands", ["u", "g"]), "dataset 'flux'",
         "float32 of (40, 5, 8, 8)"),
        (lambda f: f.attrs.create("noise_correlation", [1.0, 0.2]),
         "attribute 'noise_correlation'", "[1.0, 0.2]"),
        (lambda f: f.attrs.create("noise_correlation", np.zeros((4, 4))),
         "attribute 'noise_correlation'", f"{np.zeros((4, 4)).tolist()}"),
    ],
)  # fmt: skip
def test_a_file_of_another_schema_is_refused(world, damage, place, found):
    files, _, index = world
    with h5py.File(files["main/0"], "r+") as file:
        damage(file)
    error = refused(files, index)
    assert (error.file, error.place) == (str(files["main/0"]), place)
    assert error.found == found


def test_chunked_pixels_are_refused(world):
    files, content, index = world
    with h5py.File(files["main/0"], "r+") as file:
        del file["flux"]
        file.create_dataset("flux", data=content["main/0"]["flux"], chunks=(1, 5, 8, 8))
    assert refused(files, index).found == "float32 of (40, 5, 8, 8), chunked"


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_damaged_file_is_refused(world, kept):
    files, _, index = world
    whole = files["main/0"].read_bytes()
    files["main/0"].write_bytes(whole[:kept])
    error = refused(files, index)
    assert (error.file, error.place) == (str(files["main/0"]), "file")
    assert error.expected == "a whole HDF5 file"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput) as caught:
        describe_stamps(tmp_path / "0.h5")
    assert (caught.value.place, caught.value.found) == ("file", "no such file")
