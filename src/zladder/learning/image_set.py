"""The images of a training: in memory where they fit, else in their files."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zladder.learning.decoding import Coded
from zladder.learning.image_index import find_images
from zladder.learning.images import Images, gathered, resident
from zladder.learning.known_sky import keep_sky, key_of, known_sky
from zladder.learning.staging import stage_folder, staged
from zladder.learning.stamps import stamp_blocks, stamps_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from zladder.learning.stamps import StampRows

log = logging.getLogger("zladder")


@dataclass(frozen=True)
class Room:
    """Where the pixels of a training may go.

    Attributes
    ----------
    resident_bytes
        Images that take no more are kept in the memory of the device.
    stage
        A folder of the node's own disk to which the shards of larger sets are copied, or None.
    """

    resident_bytes: int
    stage: Path | None = None


EVERYTHING = Room(resident_bytes=sys.maxsize)


def room_of(resident_mb: int | None) -> Room:
    """Return the room that an option and ``ZLADDER_STAGE`` give; everything without the option."""
    held = sys.maxsize if resident_mb is None else resident_mb * 10**6
    return Room(held, stage_folder(os.environ))


@dataclass(frozen=True)
class ImageSet:
    """The images of N galaxies.

    Attributes
    ----------
    rows
        Where their stamps lie.
    side_pixels
        How much of a stamp a training needs.
    path
        The dataset, named in messages.
    sky_sigma_nmgy
        As of `Images`, float32 (N, B).
    resident
        Their pixels, None if they are to be streamed.
    paths
        Copies of the shards to stream from, None for the shards themselves.
    """

    rows: StampRows
    side_pixels: int
    path: Path
    sky_sigma_nmgy: torch.Tensor
    resident: Images | None
    paths: tuple[Path, ...] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def bytes_held(self) -> int:
        """What they take of the memory of the device as long as they last."""
        return 0 if self.resident is None else resident_bytes(self.rows, self.side_pixels)

    def prepared(self, stored: np.ndarray, rows: np.ndarray, device: torch.device) -> Images:
        """Return galaxies (n,) from their stored pixels (n, B, S, S), on a device.

        The same bits as of those in memory; `stored` is left alone.
        """
        stamps = stamps_at(self.rows, stored, rows, device)
        images = resident(stamps, self.side_pixels, self.path, with_sky=False)
        return Images(images.pixels, self.sky_sigma_nmgy[rows].to(device))


def resident_bytes(rows: StampRows, side_pixels: int) -> int:
    """Return what the images of galaxies take in memory."""
    side = side_pixels + (rows.stamp_pixels - side_pixels) % 2  # as `resident` cuts them
    return len(rows) * len(rows.bands) * side**2 * rows.pixel_bytes


def open_images(
    index: pd.DataFrame,
    files: Mapping[str, Path],
    inputs: Mapping[str, Any],
    side_pixels: int,
    path: Path,
    room: Room,
    *,
    with_sky: bool,
    kept: Path | None = None,
) -> ImageSet:
    """Return the images of a training, checked, in memory if they fit into `room`.

    All pixels are looked through once either way: a training meets none that is not finite, and
    knows the noise of the sky before it begins. Its next attempt knows it from `kept`.

    Parameters
    ----------
    index, files, inputs, side_pixels, path
        As of `load_images`.
    with_sky
        Whether the noise of the sky is measured: a training's softening and augmentation need it.
    room
        How much may be in memory, and where copies go.
    kept
        A file in the training's resume folder for what was found in pixels that are streamed, or
        None.

    Raises
    ------
    BadInput
        As `load_images`, `resident` and `staged` do.
    """
    rows = find_images(index, files, inputs, path)
    needed = resident_bytes(rows, side_pixels)
    fits = needed <= room.resident_bytes
    log.info("%s: %d images of %d pixels, %.2f GB: %s", path.name, len(rows), side_pixels,
             needed / 1e9, "in memory" if fits else "streamed")  # fmt: skip
    paths = None
    if room.stage is not None and not fits:
        paths = staged([stamps.path for stamps in rows.shards], room.stage)
    if fits or kept is None:
        return _looked_through(rows, side_pixels, path, paths, with_sky=with_sky, fits=fits)
    key = key_of(rows, side_pixels, with_sky=with_sky)
    sky = known_sky(kept, key)
    if sky is not None:
        log.info("%s: an earlier attempt looked through these pixels", path.name)
        return ImageSet(rows, side_pixels, path, sky, None, paths)
    images = _looked_through(rows, side_pixels, path, paths, with_sky=with_sky, fits=False)
    keep_sky(kept, key, images.sky_sigma_nmgy)
    return images


def _looked_through(
    rows: StampRows,
    side_pixels: int,
    path: Path,
    paths: tuple[Path, ...] | None,
    *,
    with_sky: bool,
    fits: bool,
) -> ImageSet:
    """Return images after a pass over all pixels, which stay in memory if they fit."""
    coded = fits and rows.shards[0].encoding != "float32"
    blocks = (
        (places, resident(stamps, side_pixels, path, with_sky=with_sky, as_stored=coded))
        for places, stamps in stamp_blocks(rows, paths)
    )
    images = gathered(blocks if fits else map(_without_pixels, blocks), len(rows))
    if coded:
        images = replace(
            images, coded=Coded(rows.decoding, torch.from_numpy(rows.shard), rows.dereddening)
        )
    sky = images.sky_sigma_nmgy
    return ImageSet(rows, side_pixels, path, sky, images if fits else None, paths)


def _without_pixels(block: tuple[np.ndarray, Images]) -> tuple[np.ndarray, Images]:
    places, images = block
    return places, Images(images.pixels[:, :0, :0], images.sky_sigma_nmgy)
