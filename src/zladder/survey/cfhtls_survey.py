"""The CFHTLS-like survey: its catalogue and the scene of its tiles.

Columns are those of the merged ugriz catalogues of T0007, whose header public scripts quote: id,
x, y, ra, dec, r2, flag, five magnitudes and errors, e(b-v), five flags of SExtractor, dk. Here
FIELD stands beside them, because one file holds both layers; `dk`, not explained there, is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.background import Shaped
from zladder.survey.catalogues import NO_ID
from zladder.survey.coadd import in_order
from zladder.survey.collecting import Sky
from zladder.survey.geometry import measured
from zladder.survey.observing import Seen
from zladder.survey.scene import mixed_scene
from zladder.survey.scene_columns import tile_scene_columns
from zladder.survey.second_look import look_again
from zladder.survey.streams import generator
from zladder.survey.tiles import LAYER_NAMES, MARGIN_ARCSEC, Tile, lay_tiles
from zladder.universe.hankel import moffat_scale
from zladder.universe.instruments import Instrument

NOT_DETECTED_MAG = 99.0
STAR_FLAG, SATURATED_FLAG = 1, 2
STAR_SIZE = 1.1  # over a star's half-light radius: what is smaller counts as a star; chosen
STAR_I_MAX_MAG = 23.0  # fainter objects are not classified; chosen
SEXTRACTOR_SATURATED = 4

Array = NDArray[np.float64]


class CfhtlsSurvey(NamedTuple):
    """Catalogue, scene, and of each of the N objects looked at: identifier and magnitudes."""

    catalogue: pd.DataFrame
    scene: pd.DataFrame
    ids: NDArray[np.int64]
    magnitude: Array


def cfhtls_survey(
    sky: Sky,
    settings: Mapping[str, Any],
    instruments: Mapping[str, Instrument],
    hsc: Instrument,
    objects: Shaped,
) -> CfhtlsSurvey:
    """Look at objects that the HSC-like survey has seen, where a tile is.

    Parameters
    ----------
    sky, settings
        The sky and the survey stage's settings.
    instruments
        By layer: `second_look.cfhtls_instruments`.
    hsc
        What has seen the objects.
    objects
        N of them.
    """
    n = len(objects.seen.ra)
    bands = next(iter(instruments.values())).bands
    ids, magnitude = np.full(n, NO_ID), np.full((n, len(bands)), np.nan)
    catalogues: list[pd.DataFrame] = []
    scenes: list[pd.DataFrame] = []
    first_id = 1
    for number, tile in enumerate(lay_tiles(settings)):
        near = np.flatnonzero(tile.near(objects.seen.ra, objects.seen.dec, MARGIN_ARCSEC))
        part, instrument = objects.part(near), instruments[tile.layer]
        seen = look_again(generator(sky.seed, "cfhtls", number), instrument, hsc, part.seen)
        magnitude[near] = seen.magnitude
        scenes.append(_tile_scene(tile, instrument, Shaped(seen, part.shapes)))
        rng = generator(sky.seed, "cfhtls rows", number)
        listed = _listed(settings["cfhtls"], instrument, tile, seen)
        numbers = first_id + rng.permutation(len(listed))
        ids[near[listed]] = numbers
        first_id += len(listed)
        found = Shaped(seen, part.shapes).part(listed)
        catalogues.append(_rows(rng, settings["cfhtls"], instrument, tile, found, numbers))
    scene = pd.concat(scenes, ignore_index=True)[tile_scene_columns(bands)]
    return CfhtlsSurvey(pd.concat(catalogues, ignore_index=True), scene, ids, magnitude)


def _tile_scene(tile: Tile, instrument: Instrument, objects: Shaped) -> pd.DataFrame:
    scene = mixed_scene(instrument, objects.seen, objects.shapes)
    x, y = tile.plane.to_pixels(objects.seen.ra, objects.seen.dec)
    return scene.assign(layer=tile.layer, x_pixel=x, y_pixel=y)


def _listed(
    block: Mapping[str, Any], instrument: Instrument, tile: Tile, seen: Seen
) -> NDArray[np.int64]:
    """Return the rows that are detected in i, in the tile itself."""
    i_band = instrument.bands.index("i")
    detected = seen.flux[:, i_band] > block["detection_sigmas"] * seen.flux_error[:, i_band]
    return np.flatnonzero(detected & tile.near(seen.ra, seen.dec, 0.0))


def _rows(
    rng: np.random.Generator,
    block: Mapping[str, Any],
    instrument: Instrument,
    tile: Tile,
    found: Shaped,
    numbers: NDArray[np.int64],
) -> pd.DataFrame:
    """Return a tile's part of the catalogue, in the order of its numbers: a random one."""
    seen, i_band = found.seen, instrument.bands.index("i")
    ra, dec = measured(rng, seen.ra, seen.dec, block["position_error_arcsec"])
    x, y = tile.plane.to_pixels(ra, dec)
    mag, error = (np.nan_to_num(one, nan=NOT_DETECTED_MAG) for one in seen.observed())
    star_px = star_radius_pixels(block, tile, "i")
    noise = 1 + error[:, i_band] * rng.normal(size=len(ra))
    radius = np.hypot(star_px, _radius_pixels(tile, found)) * np.maximum(noise, 0.2)
    full = mag < block["saturated_star_mag"]
    starlike = (radius < STAR_SIZE * star_px) & (mag[:, i_band] < STAR_I_MAX_MAG)
    full &= starlike[:, None]
    columns: dict[str, Any] = {"id": numbers, "x": x + 1, "y": y + 1, "ra": ra, "dec": dec}
    columns["r2"] = radius
    columns["flag"] = STAR_FLAG * starlike + SATURATED_FLAG * full.any(axis=1)
    bands = {band: instrument.bands.index(band) for band in in_order(instrument.bands)}
    columns |= {band: mag[:, k] for band, k in bands.items()}
    columns |= {f"{band}err": error[:, k] for band, k in bands.items()}
    columns["e(b-v)"] = seen.stored_ebv_mag
    columns |= {f"{band}(SExflag)": SEXTRACTOR_SATURATED * full[:, k] for band, k in bands.items()}
    columns |= {"dk": 0, "FIELD": LAYER_NAMES[tile.layer]}
    return pd.DataFrame(columns).sort_values("id", ignore_index=True)


def star_radius_pixels(block: Mapping[str, Any], tile: Tile, band: str) -> float:
    """Return the radius that holds half of a star's light."""
    beta = block["moffat_beta"]
    scale = moffat_scale(block["psf_fwhm_arcsec"][band], beta)
    return float(scale * np.sqrt(2 ** (1 / (beta - 1)) - 1) / tile.plane.pixel_arcsec)


def _radius_pixels(tile: Tile, found: Shaped) -> Array:
    """Return circular half-light radii without seeing; zero for stars."""
    shapes, share = found.shapes, found.shapes.bulge_share
    ratio = share * shapes.bulge_axis_ratio + (1 - share) * shapes.disc_axis_ratio
    radius = shapes.half_light_radius_arcsec * np.sqrt(ratio) / tile.plane.pixel_arcsec
    return np.nan_to_num(radius, nan=0.0)
