"""Both loaders on a toy sky, and shards of its stamps in other encodings."""

from __future__ import annotations

import h5py
import torch

from tests import toy_images
from tests.toy_images import pretrain_card
from zladder.cutouts.shard import write_stamps
from zladder.learning.image_index import shard_files
from zladder.learning.image_set import EVERYTHING, Room, open_images
from zladder.learning.loaders import ResidentLoader, StreamingLoader
from zladder.learning.windows import Windows
from zladder.tables.read import read_table

NOTHING = Room(resident_bytes=0)
N, BATCH, BLOCK, WINDOW = 101, 24, 4, 32


def opened(sky, room: Room, **options):
    card = pretrain_card()
    frame = read_table(sky[0])
    options = {"side_pixels": 15, "with_sky": True} | options
    side = options.pop("side_pixels")
    return open_images(frame, shard_files(sky[1]), card["inputs"], side, sky[0], room, **options)


def resident(sky, share=(0, 1), batch=BATCH, block=BLOCK, window=WINDOW) -> ResidentLoader:
    images = opened(sky, EVERYTHING)
    order = Windows(7, torch.from_numpy(images.rows.in_files()), block, window)
    return ResidentLoader(toy_images.views(images.resident), order, batch, share)


def streaming(
    sky, share=(0, 1), batch=BATCH, block=BLOCK, window=WINDOW, **options
) -> StreamingLoader:
    images = opened(sky, NOTHING)
    order = Windows(7, torch.from_numpy(images.rows.in_files()), block, window)
    inputs = pretrain_card()["inputs"]
    return StreamingLoader(images, inputs, torch.ones(3), order, batch, share, **options)


def seen(batch, seed: int = 3) -> torch.Tensor:
    """Return what a network sees of a batch."""
    generator = torch.Generator().manual_seed(seed)
    return batch.augmented(pretrain_card()["augmentation"], generator)


def encoded_shards(shards, folder, encoding, softenings=(0.05, 0.05)):
    """Write shards in an encoding, each by its softening, the second twice as bright.

    Return their paths.
    """
    paths = []
    for number, path in enumerate(shards):
        with h5py.File(path) as file:
            stamps = {name: file[name][()] for name in file}
        stamps["flux"] *= 1 + number
        settings = {"bands": toy_images.BANDS, "pixel_scale_arcsec": 0.396, "encoding": encoding,
                    "stamp_pixels": stamps["flux"].shape[-1],
                    "softening_nmgy": dict.fromkeys(toy_images.BANDS, softenings[number]),
                    "lowest_softenings": -10_000, "highest_softenings": 1e6}  # fmt: skip
        paths.append(folder / path.parent.name / path.name)
        paths[-1].parent.mkdir(exist_ok=True)
        write_stamps(paths[-1], [stamps], len(stamps["flux"]), settings)
    return paths
