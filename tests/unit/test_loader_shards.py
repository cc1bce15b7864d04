"""What loaders make of shards in other encodings, and of damaged ones."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
from loading import (
    NOTHING,
    N,
    encoded_shards,
    opened,
    resident,
    seen,
    streaming,
)

from tests import toy_images
from tests.toy_images import pretrain_card
from zladder.config.encodings import ASINH
from zladder.learning.augment import Views
from zladder.learning.decoding import Decoding
from zladder.learning.image_index import find_images, shard_files
from zladder.learning.image_set import EVERYTHING, open_images
from zladder.learning.images import gathered
from zladder.learning.images import resident as resident_images
from zladder.learning.pieces import Pieces
from zladder.learning.stamps import stamp_blocks
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.stamp_pixels import ENCODINGS, decode_pixels


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """A dataset of galaxies that lie in two shards by turns."""
    return toy_images.write_sky(tmp_path_factory.mktemp("sky"), "all", N, seed=4, split="train")


@pytest.fixture
def own_sky(tmp_path):
    """A dataset whose shards may be damaged."""
    return toy_images.write_sky(tmp_path, "own", 60, seed=6, split="train")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_bytes_of_a_galaxy_are_those_of_its_file(sky, tmp_path, encoding):
    images = opened((sky[0], encoded_shards(sky[1], tmp_path, encoding)), NOTHING)
    with Pieces(images.rows) as pieces:
        assert images.rows.row_bytes == pieces.row_bytes


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("softenings", [(0.05, 0.05), (0.05, 0.02)])
def test_encoded_pixels_come_the_same_way(sky, tmp_path, encoding, softenings):
    """Shards of one scale, and of two, as older files have: each is decoded by its own."""
    paths = encoded_shards(sky[1], tmp_path, encoding, softenings)
    encoded = (sky[0], paths)
    one, other = resident(encoded), streaming(encoded)
    for number in range(6):
        assert torch.equal(seen(other.batch(number)), seen(one.batch(number)))
    other.close()
    images = opened(encoded, EVERYTHING)
    if encoding in ASINH:  # one table a scale, whatever the shards and bands
        n_codes = 1 + np.iinfo(ENCODINGS[encoding]).max
        assert len(images.rows.decoding.tables) == len(set(softenings)) * n_codes
    frame = read_table(sky[0])
    for place in (0, 1, 50, 77):
        path = paths[int(frame["shard"].iloc[place][-1])]
        with h5py.File(path) as file:
            row = frame["row"].iloc[place]
            flux = decode_pixels(file["flux"][row : row + 1], file.attrs)[0]
        expected = torch.from_numpy(flux).permute(1, 2, 0) * images.rows.dereddening[place]
        assert torch.equal(images.resident.flux_nmgy[place], expected)


@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encoded_pixels_stay_so_in_memory(sky, tmp_path, encoding, geometry):
    """Decoded after the look-up they are what decoding all of them would have given, bit by bit."""
    files = shard_files(encoded_shards(sky[1], tmp_path, encoding, (0.05, 0.02)))
    bands = toy_images.BANDS[:0:-1]  # two of them, in another order than the files'
    inputs = {**pretrain_card()["inputs"], "bands": bands, "crop_pixels": 10}
    settings = {**pretrain_card()["augmentation"], "geometry": geometry, "jitter_pixels": 0}
    frame = read_table(sky[0])
    opened_images = open_images(frame, files, inputs, 15, sky[0], EVERYTHING, with_sky=True)
    kept = opened_images.resident
    blocks = stamp_blocks(find_images(frame, files, inputs, sky[0]))
    cut = (
        (places, resident_images(stamps, 15, sky[0], with_sky=True)) for places, stamps in blocks
    )
    plain = gathered(cut, N)
    assert kept.pixels.element_size() == np.dtype(ENCODINGS[encoding]).itemsize
    assert kept.pixels.nbytes == opened_images.bytes_held == N * 2 * 16**2 * kept.pixels.itemsize
    assert torch.equal(kept.sky_sigma_nmgy, plain.sky_sigma_nmgy)
    rows = torch.randperm(N, generator=torch.Generator().manual_seed(1))[:40]
    found = []
    for images in (kept.to(torch.device("cpu")), plain):
        views, generator = Views(images, inputs, torch.ones(2)), torch.Generator().manual_seed(2)
        found.append([views.augmented(rows, settings, generator), views.centred(rows, 0.1)])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()  # a network may reckon otherwise else


def test_decoding_tables_go_to_a_device_once():
    decoding = Decoding(torch.rand(2 * 256), torch.tensor([[0, 256], [256, 0]]))
    meta = torch.device("meta")
    assert [moved.device for moved in decoding.on(meta)] == [meta, meta]
    assert decoding.on(meta) is decoding.on(meta)
    assert decoding.tables.to(meta) is not decoding.tables.to(meta)  # what the test would see
    assert Decoding(None, None).on(meta) is None


def test_shards_of_different_encodings_are_refused(own_sky):
    with h5py.File(own_sky[1][1], "r+") as file:
        flux = file["flux"][()].astype(np.float16)
        del file["flux"]
        file.create_dataset("flux", data=flux)
        file.attrs["encoding"] = "float16"
    with pytest.raises(BadInput) as caught:
        opened(own_sky, NOTHING)
    assert (caught.value.place, caught.value.found) == ("encoding", "float16")


def test_a_shard_cut_off_behind_the_loaders_back_is_named(own_sky):
    loader = streaming(own_sky, window=8)
    shard = own_sky[1][1]
    with h5py.File(shard) as file:
        offset = file["flux"].id.get_offset()
    loader.batch(0)
    with shard.open("r+b") as stream:
        stream.truncate(offset + 100)
    with pytest.raises(BadInput) as caught:
        list(map(loader.batch, range(20)))
    loader.close()
    assert caught.value.file == str(shard)
    assert caught.value.place == "dataset 'flux'"
    assert caught.value.found == f"the end of the file at {offset + 100} bytes"


@pytest.mark.parametrize("room", [EVERYTHING, NOTHING])
def test_bad_pixels_are_refused_before_a_training_begins(own_sky, room):
    with h5py.File(own_sky[1][0], "r+") as file:
        file["flux"][7, 1, 2, 3] = np.nan
    with pytest.raises(BadInput) as caught:
        opened(own_sky, room)
    assert caught.value.file == str(own_sky[1][0])
    assert caught.value.place == "row 7 (from 0), band r"


@pytest.mark.parametrize("room", [EVERYTHING, NOTHING])
def test_the_stamp_of_another_galaxy_is_refused_by_both(own_sky, room):
    with h5py.File(own_sky[1][1], "r+") as file:
        file["object_id"][3] = 5
    with pytest.raises(BadInput) as caught:
        opened(own_sky, room)
    assert (caught.value.place, caught.value.found) == ("object_id, row 3 (from 0)",
                                                        "5 (1 such rows)")  # fmt: skip


@pytest.mark.parametrize("room", [EVERYTHING, NOTHING])
def test_pixels_that_were_never_written_are_refused(own_sky, room):
    with h5py.File(own_sky[1][0], "r+") as file:
        shape, dtype = file["flux"].shape, file["flux"].dtype
        del file["flux"]
        file.create_dataset("flux", shape, dtype)
    with pytest.raises(BadInput) as caught:
        opened(own_sky, room)
    assert caught.value.found == "none that were ever written"
