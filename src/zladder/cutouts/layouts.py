"""How a survey's images lie in files: the one place that tells layouts apart.

A layout says which frames a galaxy lies in (a key: the frame of each band has the same), where the
file of a key and a band lies, and how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.cutouts import read_sdss
from zladder.cutouts.read_hsc import HDUS, read_hsc
from zladder.cutouts.read_tiles import read_tile
from zladder.cutouts.tile_names import tile_path
from zladder.cutouts.tile_places import TILE, place_in_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from zladder.cutouts.frames import Frame
    from zladder.cutouts.losses import Loss

    Key = tuple[Any, ...]  # the values of the key's columns
    Placed = tuple[pd.DataFrame, list[Loss]]


@dataclass(frozen=True)
class Layout:
    """One layout of files.

    Attributes
    ----------
    needs
        Columns of whole numbers that a sample must have.
    key
        Columns whose values name a frame; `place` adds those that a sample has not.
    dealt_by
        Column that galaxies are dealt to shards by (`deal.deal_galaxies`): the frames of one value
        are opened for one shard alone.
    place
        (galaxies, folder of the frames, settings) -> (those that lie in a frame, with the columns
        of the key; the losses: all others).
    path
        (folder, key, band, settings) -> the file.
    off_frame
        What to do about a galaxy whose stamp leaves its frame (a hint).
    read
        (file, band, expected) -> the frame, checked; `expected` holds the settings with `key` and
        `shape`, that of the key's other bands, or None.
    neighbour
        (key, -1 or +1) -> the key of the frame below the first row or behind the last, which shares
        rows; None where a stamp that leaves its frame is lost.
    has_stars
        Whether a frame is large and cheap enough to open that the width of its point-spread
        function is measured on its stars where nothing tells it (`star_width`).
    """

    needs: tuple[str, ...]
    key: tuple[str, ...]
    dealt_by: str
    place: Callable[[pd.DataFrame, Path, Mapping[str, Any]], Placed]
    path: Callable[[Path, Key, str, Mapping[str, Any]], Path]
    off_frame: str
    read: Callable[[Path, str, Mapping[str, Any]], Frame]
    neighbour: Callable[[Key, int], Key] | None = None
    has_stars: bool = False


def _placed(galaxies: pd.DataFrame, root: Path, settings: Mapping[str, Any]) -> Placed:
    """Return all galaxies: their catalogue says where they lie."""
    return galaxies, []


def _in_patches(galaxies: pd.DataFrame, root: Path, settings: Mapping[str, Any]) -> Placed:
    return place_in_tiles(galaxies, root, settings, "IMAGE", HDUS["IMAGE"])


def _in_tiles(galaxies: pd.DataFrame, root: Path, settings: Mapping[str, Any]) -> Placed:
    return place_in_tiles(galaxies, root, settings, "PRIMARY", 0)


def _sdss_path(root: Path, key: Key, band: str, settings: Mapping[str, Any]) -> Path:
    return read_sdss.frame_path(root, key, band)


def _next_field(key: Key, step: int) -> Key:
    run, camcol, field = key
    return run, camcol, field + step


def _cutout_path(root: Path, key: Key, band: str, settings: Mapping[str, Any]) -> Path:
    return root / settings["path"].format(object_id=key[0], band=band, BAND=band.upper())


def _tile_path(root: Path, key: Key, band: str, settings: Mapping[str, Any]) -> Path:
    return tile_path(root, key[0], band, settings)


_FIELD = ("run", "camcol", "field")
_OFF_FIELD = "check run, camcol and field of the sample, or drop galaxies near the edges"
_OFF_CUTOUT = (
    "fetch larger cutouts about the galaxies of their names, or lower cutouts.stamp_pixels"
)
_OFF_TILE = "drop galaxies near the edges of the images, or lower cutouts.stamp_pixels"
LAYOUTS = {
    "sdss_frames": Layout(
        _FIELD, _FIELD, "field", _placed, _sdss_path, _OFF_FIELD, read_sdss.read_frame, _next_field
    ),
    "hsc_cutouts": Layout(
        (), ("object_id",), "object_id", _placed, _cutout_path, _OFF_CUTOUT, read_hsc
    ),
    "hsc_coadds": Layout(
        (), (TILE,), TILE, _in_patches, _tile_path, _OFF_TILE, read_hsc, has_stars=True
    ),
    "cfhtls_tiles": Layout(
        (), (TILE,), TILE, _in_tiles, _tile_path, _OFF_TILE, read_tile, has_stars=True
    ),
}
