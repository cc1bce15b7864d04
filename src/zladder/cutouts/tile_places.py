"""In which tile each galaxy lies: by the footprints that the tiles' own headers tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.hdus import headers_of, image_header
from zladder.cutouts.headers import world
from zladder.cutouts.layers import LAYER
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
    """The sky that an image covers.

    Attributes
    ----------
    wcs, shape
        Its projection; rows, columns.
    middle, reach
        Unit vector (3,) of its middle, and how far from there its corners lie at most (chord).
    """

    wcs: WCS
    shape: tuple[int, ...]
    middle: np.ndarray
    reach: float

    def near(self, vectors: cKDTree) -> np.ndarray:
        """Return which of some positions (unit vectors) lie within its corners' circle, sorted.

        Those far away are to be left out: their projection may be the mirror image of a near one.
        """
        found = vectors.query_ball_point(self.middle, self.reach, return_sorted=True)
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
    With `layers` it belongs to one of its own layer, and tiles of others are not opened.

    Parameters
    ----------
    galaxies
        `object_id, ra, dec` (deg); `layer` with `layers`.
    root
        The folder of the tiles.
    settings
        `bands`, `path` and `pixel_scale_arcsec`; `band_files` where bands have other names;
        `layers` where a column tells the layer.
    name, number
        Of the HDU with the image.

    Raises
    ------
    BadInput
        If the folder has no tile, one whose header is at fault, or two of one place (their middles
        within a pixel) that a galaxy may belong to.
    """
    layers = settings.get("layers", {}).get("begin", {})
    tiles = [one for one in tiles_in(root, settings) if not layers or one.layer in layers.values()]
    if not tiles:
        of = f" with layer {' or '.join(dict.fromkeys(layers.values()))}" if layers else ""
        raise BadInput(root, "frames.path", f"files as {settings['path']}{of}", "none",
                       "correct the template, or put the files there")  # fmt: skip
    tiles.sort(key=lambda tile: len(tile.bands) < len(settings["bands"]))
    best = _deepest(galaxies, root, tiles, settings, (name, number))
    inside = best != _NONE
    names = np.array([tile.name for tile in tiles], dtype=object)
    placed = galaxies[inside].assign(**{TILE: names[best[inside]]})
    off = galaxies[~inside]
    return placed, [_outside(one, root, settings, tiles) for one in off.to_dict("records")]


def _deepest(
    galaxies: pd.DataFrame, root: Path, tiles: Sequence[Tile], settings: Mapping[str, Any],
    hdu: tuple[str, int],
) -> np.ndarray:  # fmt: skip
    """Return which of the tiles, those with all bands first, each galaxy belongs to: int (N,)."""
    from scipy.spatial import cKDTree  # stamps of other frames need not wait for it

    ra, dec = (galaxies[column].to_numpy(np.float64) for column in ("ra", "dec"))
    layer = galaxies[LAYER].to_numpy() if LAYER in galaxies else None
    best, deepest, whole = np.full(len(ra), _NONE), np.zeros(len(ra)), np.zeros(len(ra), dtype=bool)
    vectors, middles = cKDTree(_vectors(ra, dec)), []
    for place, tile in enumerate(tiles):
        footprint = _footprint(root, tile, settings, hdu)
        middles.append(footprint.middle)
        near = footprint.near(vectors)
        near = near if layer is None else near[layer[near] == tile.layer]
        depth = footprint.depths(ra[near], dec[near])
        has_all = len(tile.bands) == len(settings["bands"])
        better = (depth > deepest[near]) & (has_all | ~whole[near])
        best[near[better]], deepest[near[better]] = place, depth[better]
        whole[near[better]] = has_all
    _require_apart(cKDTree(np.array(middles)), root, tiles, settings)
    return best


def _require_apart(
    middles: cKDTree, root: Path, tiles: Sequence[Tile], settings: Mapping[str, Any]
) -> None:
    """Refuse two tiles of one place that a galaxy may belong to: their names would choose."""
    pixel = np.deg2rad(float(settings["pixel_scale_arcsec"]) / 3600)
    for pair in sorted(middles.query_pairs(pixel)):
        first, second = sorted(tiles[place] for place in pair)
        if "layers" not in settings or first.layer == second.layer:
            raise BadInput(root, "frames.path", "one tile of a place",
                           f"{first.name} and {second.name}",
                           "say which: in frames.path (as D-85 for {layer}), or by frames.layers; "
                           "or put one elsewhere")  # fmt: skip


def _footprint(
    root: Path, tile: Tile, settings: Mapping[str, Any], hdu: tuple[str, int]
) -> Footprint:
    """Return the footprint of a tile in the first band that it has."""
    band = next(band for band in settings["bands"] if band in tile.bands)
    path = tile_path(root, tile.name, band, settings)
    where, header, shape = image_header(path, headers_of(path), *hdu)
    wcs = world(path, where, header, float(settings["pixel_scale_arcsec"]))
    rows, columns = shape
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) - 0.5
    middle = np.array([[(columns - 1) / 2, (rows - 1) / 2]])
    sky = wcs.wcs_pix2world(np.concatenate([middle, corners]), 0)
    ends = _vectors(sky[:, 0], sky[:, 1])
    reach = float(np.linalg.norm(ends[1:] - ends[0], axis=1).max()) + _ROUNDING
    return Footprint(wcs, shape, ends[0], reach)


def _outside(
    galaxy: Mapping[Any, Any], root: Path, settings: Mapping[str, Any], tiles: Sequence[Tile]
) -> Loss:
    object_id, its = int(galaxy["object_id"]), galaxy.get(LAYER)
    n_tiles = sum(its in (None, tile.layer) for tile in tiles)
    of = f" of layer {its}" if its else ""
    where = f"ra = {galaxy['ra']:.5f}, dec = {galaxy['dec']:.5f}"
    found = f"{where} in none of {n_tiles} tiles{of}"
    hint = "take galaxies off the tiles out of the sample, or add their tiles"
    error = BadInput(root, f"object_id {object_id}", "a galaxy in a tile", found, hint)
    return Loss(object_id, ("",), settings["bands"][0], "outside", error)


def _vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return unit vectors, (N, 3)."""
    alpha, delta = np.deg2rad(ra), np.deg2rad(dec)
    cosine = np.cos(delta)
    return np.stack([cosine * np.cos(alpha), cosine * np.sin(alpha), np.sin(delta)], axis=1)
