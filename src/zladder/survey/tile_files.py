"""CFHTLS-like tiles as files: one a layer and band, counts of zero point 30, north up.

Name and scale as in T0007; cards beyond the projection follow MegaPipe's. A full tile of five
bands takes 7.5 GB: it is painted in strips of rows, and written as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from zladder.provenance.digests import file_digest
from zladder.provenance.outputs import whole_or_nothing
from zladder.survey.coadd import Coadd, cfhtls_coadd, coadd_noise
from zladder.survey.painting import STAMP_SIZES, paint
from zladder.survey.streams import generator
from zladder.survey.tiles import LAYERS, Tile, lay_tiles

STRIP_ROWS = 2048
TILE_INDEX_COLUMNS = {
    "layer": "str",
    "band": "str",
    "path": "str",
    "digest": "str",
    "sky_sigma_nmgy": "float64",
    "psf_fwhm_arcsec": "float64",
    "saturation_nmgy": "float64",
    "n_objects": "int64",
}


def write_tiles(
    settings: Mapping[str, Any], seed: int, scene: pd.DataFrame, folder: Path
) -> pd.DataFrame:
    """Write the tiles of both layers, each whole or not at all; return their index.

    Parameters
    ----------
    settings
        What `config.imaging.tile_settings` returns.
    seed
        The sky's.
    scene
        The objects, with the columns of `scene_columns.tile_scene_columns`.
    folder
        Where the files go; the index's paths are relative to it.
    """
    rows: list[dict[str, Any]] = []
    for tile in lay_tiles(settings):
        objects = scene[scene["layer"] == tile.layer].reset_index(drop=True)
        coadd = cfhtls_coadd(settings, tile.layer)
        paths = [folder / tile.file_name(band) for band in coadd.bands]
        with whole_or_nothing(paths) as partial:
            _write_bands(tile, objects, coadd, seed, partial)
            digests = [file_digest(path) for path in partial]
        rows += [
            {
                "layer": tile.layer,
                "band": band,
                "path": paths[index].name,
                "digest": digests[index],
                "sky_sigma_nmgy": coadd.sky_sigma_nmgy[index],
                "psf_fwhm_arcsec": coadd.seeing_fwhm_arcsec[index],
                "saturation_nmgy": coadd.saturation_nmgy[index],
                "n_objects": len(objects),
            }
            for index, band in enumerate(coadd.bands)
        ]
    return pd.DataFrame(rows, columns=list(TILE_INDEX_COLUMNS)).astype(TILE_INDEX_COLUMNS)


def _write_bands(
    tile: Tile, objects: pd.DataFrame, coadd: Coadd, seed: int, paths: list[Path]
) -> None:
    """Paint strip by strip, add noise, append to the file of each band."""
    position = tile.plane.to_sky(*objects[["x_pixel", "y_pixel"]].to_numpy().T)
    angle = tile.plane.angle_at_rad(objects["position_angle_deg"].to_numpy(), *position)
    y = objects["y_pixel"].to_numpy()
    layer = LAYERS.index(tile.layer)
    with ExitStack() as stack:
        files = [
            stack.enter_context(fits.StreamingHDU(path, tile_header(tile, coadd, index)))
            for index, path in enumerate(paths)
        ]
        for first in range(0, tile.size_pixels, STRIP_ROWS):
            height = min(STRIP_ROWS, tile.size_pixels - first)
            reach = STAMP_SIZES[-1] / 2
            there = np.flatnonzero((y > first - reach) & (y < first + height + reach))
            strip = objects.iloc[there].assign(y_pixel=y[there] - first)
            light = paint(strip, angle[there], coadd, (1, height, tile.size_pixels))[0]
            for index, file in enumerate(files):
                rng = generator(seed, "tiles", layer, index, first)
                counts = coadd_noise(rng, light[index], coadd, index)
                counts *= np.float32(coadd.counts_per_nmgy)
                file.write(counts.astype(">f4"))


def tile_header(tile: Tile, coadd: Coadd, index: int) -> fits.Header:
    """Return the header of one band."""
    size, plane, count = tile.size_pixels, tile.plane, coadd.counts_per_nmgy
    scale = float(plane.cd[1, 1])
    middle = (size + 1) / 2
    header = fits.Header(
        [
            ("SIMPLE", True, ""),
            ("BITPIX", -32, ""),
            ("NAXIS", 2, ""),
            ("NAXIS1", size, ""),
            ("NAXIS2", size, ""),
            ("OBJECT", tile.layer, "layer of the survey"),
            ("TELESCOP", "CFHT 3.6m", "layout of the file"),
            ("INSTRUME", "MegaPrime", "layout of the file"),
            ("FILTER", coadd.bands[index], ""),
            ("BUNIT", "count", "AB magnitude PHOTZP - 2.5 log10 of it"),
            ("PHOTZP", coadd.zero_point_mag, "mag"),
            ("EXPTIME", 1.0, "s, to which the counts are scaled"),
            ("GAIN", float(1 / (coadd.electron_nmgy[index] * count)), "electrons per count"),
            ("SATURATE", float(coadd.saturation_nmgy[index] * count), "counts of a full pixel"),
            ("EQUINOX", 2000.0, ""),
            ("RADESYS", "ICRS", ""),
            ("CTYPE1", "RA---TAN", ""),
            ("CTYPE2", "DEC--TAN", ""),
            ("CUNIT1", "deg", ""),
            ("CUNIT2", "deg", ""),
            ("CRPIX1", middle, "pixels from 1"),
            ("CRPIX2", middle, "pixels from 1"),
            ("CRVAL1", tile.ra_deg, "deg"),
            ("CRVAL2", tile.dec_deg, "deg"),
            ("CD1_1", -scale, "deg per pixel"),
            ("CD1_2", 0.0, "deg per pixel"),
            ("CD2_1", 0.0, "deg per pixel"),
            ("CD2_2", scale, "deg per pixel"),
        ]
    )
    header.add_comment("Simulated by zladder")
    return header
