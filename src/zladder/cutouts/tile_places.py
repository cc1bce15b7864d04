"""In which tile each galaxy lies: by the footprints that the tiles' own headers tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.hdus import headers_of, image_header
from zladder.cutouts.headers import world
from zladder.cutouts.losses import Loss
from zladder.cutouts.tile_names import Tile, tile_path, tiles_in
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from astropy.wcs import WCS
    from scipy.spatial import cKDTree

TILE = "tile"
_NONE = -1
_ROUNDING = 1e-9  # of a unit vector: 0.2 mas


@dataclass(frozen=True)
class Footprint:
    """The sky that an image covers: its projection, its shape (rows, columns)."""

    wcs: WCS
    shape: tuple[int, ...]

    def near(self, vectors: cKDTree) -> np.ndarray:
        """Return which of some positions (unit vectors) lie within its corners' circle, sorted.

        Those far away are to be left out: their projection may be the mirror image of a near one.
        """
        rows, columns = self.shape
        corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) - 0.5
        middle = np.array([[(columns - 1) / 2, (rows - 1) / 2]])
        sky = self.wcs.wcs_pix2world(np.concatenate([middle, corners]), 0)
        ends = _vectors(sky[:, 0], sky[:, 1])
        reach = np.linalg.norm(ends[1:] - ends[0], axis=1).max() + _ROUNDING
        found = vectors.query_ball_point(ends[0], reach, return_sorted=True)
        return np.array(found, dtype=np.int64)

    def depths(self, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        """Return how many pixels from the nearest edge near ones lie; below 0 outside, (N,)."""
        rows, columns = self.shape
        x, y = self.wcs.wcs_world2pix(np.stack([ra, dec], axis=1), 0).T
        depth: np.ndarray = np.min([x + 0.5, columns - 0.5 - x, y + 0.5, rows - 0.5 - y], axis=0)
        return depth


def place_in_tiles(
    galaxies: pd.DataFrame, root: Path, settings: Mapping[str, Any], name: str, number: int
) -> tuple[pd.DataFrame, list[Loss]]:
    """Return the galaxies with the column `tile`, and the losses: those in no tile.

    Where tiles overlap, a galaxy belongs to the one in which it lies deepest, by the headers of the
    first band that a tile has; to one that lacks a band only where no tile with all bands holds it.

    Parameters
    ----------
    galaxies
        `object_id, ra, dec` (deg).
    root
        The folder of the tiles.
    settings
        `bands`, `path` and `pixel_scale_arcsec`; `band_files` where bands have other names.
    name, number
        Of the HDU with the image.

    Raises
    ------
    BadInput
        If the folder has no tile, or one whose header is at fault.
    """
    tiles = tiles_in(root, settings)
    if not tiles:
        raise BadInput(root, "frames.path", f"files as {settings['path']}", "none",
                       "correct the template, or put the files there")  # fmt: skip
    tiles.sort(key=lambda tile: len(tile.bands) < len(settings["bands"]))
    ra, dec = (galaxies[column].to_numpy(np.float64) for column in ("ra", "dec"))
    best = _deepest(ra, dec, root, tiles, settings, (name, number))
    inside = best != _NONE
    names = np.array([tile.name for tile in tiles], dtype=object)
    placed = galaxies[inside].assign(**{TILE: names[best[inside]]})
    off = zip(galaxies["object_id"][~inside].tolist(), ra[~inside], dec[~inside], strict=True)
    lost = [_outside(*one, root, settings, len(tiles)) for one in off]
    return placed, lost


def _deepest(
    ra: np.ndarray, dec: np.ndarray, root: Path, tiles: Sequence[Tile],
    settings: Mapping[str, Any], hdu: tuple[str, int],
) -> np.ndarray:  # fmt: skip
    """Return which of the tiles, those with all bands first, each galaxy belongs to: int (N,)."""
    from scipy.spatial import cKDTree  # stamps of other frames need not wait for it

    best, deepest, whole = np.full(len(ra), _NONE), np.zeros(len(ra)), np.zeros(len(ra), dtype=bool)
    vectors = cKDTree(_vectors(ra, dec))
    for place, tile in enumerate(tiles):
        footprint = _footprint(root, tile, settings, hdu)
        near = footprint.near(vectors)
        depth = footprint.depths(ra[near], dec[near])
        has_all = len(tile.bands) == len(settings["bands"])
        better = (depth > deepest[near]) & (has_all | ~whole[near])
        best[near[better]], deepest[near[better]] = place, depth[better]
        whole[near[better]] = has_all
    return best


def _footprint(
    root: Path, tile: Tile, settings: Mapping[str, Any], hdu: tuple[str, int]
) -> Footprint:
    """Return the footprint of a tile in the first band that it has."""
    band = next(band for band in settings["bands"] if band in tile.bands)
    path = tile_path(root, tile.name, band, settings)
    where, header, shape = image_header(path, headers_of(path), *hdu)
    return Footprint(world(path, where, header, float(settings["pixel_scale_arcsec"])), shape)


def _outside(
    object_id: int, ra: float, dec: float, root: Path, settings: Mapping[str, Any], n_tiles: int
) -> Loss:
    found = f"ra = {ra:.5f}, dec = {dec:.5f} in none of {n_tiles} tiles"
    hint = "take galaxies off the tiles out of the sample, or add their tiles"
    error = BadInput(root, f"object_id {object_id}", "a galaxy in a tile", found, hint)
    return Loss(object_id, ("",), settings["bands"][0], "outside", error)


def _vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return unit vectors, (N, 3)."""
    alpha, delta = np.deg2rad(ra), np.deg2rad(dec)
    cosine = np.cos(delta)
    return np.stack([cosine * np.cos(alpha), cosine * np.sin(alpha), np.sin(delta)], axis=1)
