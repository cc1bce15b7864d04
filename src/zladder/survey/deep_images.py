"""The deep sky in pixels: shapes, what the images show, the CFHTLS-like catalogue, the cutouts.

Each galaxy has one shape, whatever looks at it; the HSC-like and the CFHTLS-like images of one
galaxy differ in bands, seeing and noise alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.areas import deep_and_wide
from zladder.survey.assembly import truth_rows
from zladder.survey.background import Shaped, join_shaped, shaped, stamp_background, tile_background
from zladder.survey.cfhtls_survey import cfhtls_survey
from zladder.survey.coadd import HSC_PIXEL_ARCSEC
from zladder.survey.collecting import Sky
from zladder.survey.observing import Seen
from zladder.survey.stamp_targets import choose_targets, stamp_places, stamp_scene
from zladder.survey.tiles import LAYERS, MARGIN_ARCSEC, lay_tiles
from zladder.universe.instruments import Instrument

SHAPE_STREAMS = (2, 3, 4, 7)  # of deep field, spectra, unlabelled, blends' companions

Tables = dict[str, pd.DataFrame]


def deep_images(
    sky: Sky,
    settings: Mapping[str, Any],
    instruments: Mapping[str, Instrument],
    parts: Sequence[Seen],
    tables: Mapping[str, pd.DataFrame],
) -> Tables:
    """Return what the images of the deep sky need, and its truth.

    Parameters
    ----------
    sky, settings
        The sky and the survey stage's settings.
    instruments
        ``hsc``, and the CFHTLS-like one of each layer.
    parts
        The objects of the HSC-like survey: deep field, spectra, unlabelled, and the blends' other
        galaxies, which no catalogue lists.
    tables
        ``hsc``, ``galaxiesml``, ``cosmos``, and their ``truth``: a row an object, in order.

    Returns
    -------
    tables
        ``cfhtls``, ``scene_cfhtls``, ``scene_hsc``, ``stamps_hsc``; and ``truth``, the old rows
        with shapes and CFHTLS-like magnitudes, then the unlisted objects of the images.
    """
    hsc = instruments["hsc"]
    listed = [
        shaped(sky, settings, part, stream)
        for part, stream in zip(parts, SHAPE_STREAMS, strict=True)
    ]
    wide_tile = next(tile for tile in lay_tiles(settings) if tile.layer == "wide")
    on_tiles = join_shaped([*listed, tile_background(sky, settings, hsc, wide_tile)])
    layers = {layer: instruments[layer] for layer in LAYERS}
    cfhtls = cfhtls_survey(sky, settings, layers, hsc, on_tiles)

    targets, beside = _targets(sky, settings, hsc, tables)
    everything = join_shaped([on_tiles, *beside])
    scene = stamp_scene(hsc, everything, targets, settings["hsc_images"]["stamp_pixels"])
    truth = _truth(hsc, everything, tables["truth"])
    truth.loc[: len(cfhtls.ids) - 1, "cfhtls_id"] = cfhtls.ids
    for k, band in enumerate(next(iter(layers.values())).bands):
        truth.loc[: len(cfhtls.ids) - 1, f"mag_cfhtls_{band}"] = cfhtls.magnitude[:, k]
    return {
        "cfhtls": cfhtls.catalogue,
        "scene_cfhtls": cfhtls.scene,
        "scene_hsc": scene,
        "stamps_hsc": targets.drop(columns=["row", "cosmos_id", "ID"]),
        "truth": truth,
    }


def _targets(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, tables: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, list[Shaped]]:
    """Return the galaxies with cutouts, and what stands unlisted around those in the open."""
    deep, _ = deep_and_wide(settings)
    targets = choose_targets(sky.seed, settings, deep, tables)
    pixels = settings["hsc_images"]["stamp_pixels"]
    targets = pd.concat([targets, stamp_places(targets, pixels)], axis=1)
    side_arcsec = pixels * HSC_PIXEL_ARCSEC + 2 * MARGIN_ARCSEC
    ra, dec = targets["ra"].to_numpy(), targets["dec"].to_numpy()
    crowded = deep.contains(ra, dec) | _on_tiles(settings, ra, dec, side_arcsec)
    hosts = ra[~crowded], dec[~crowded]
    beside = stamp_background(sky, settings, hsc, hosts, side_arcsec)
    return targets, [] if beside is None else [beside]


def _on_tiles(
    settings: Mapping[str, Any], ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float
) -> NDArray[np.bool_]:
    """Tell which positions lie on a tile or near it (margin in arcsec)."""
    return np.any([tile.near(ra, dec, margin) for tile in lay_tiles(settings)], axis=0)


def _truth(hsc: Instrument, everything: Shaped, listed: pd.DataFrame) -> pd.DataFrame:
    """Return the truth of all objects: the listed ones' rows come first, as they were."""
    n = len(listed)
    unlisted = truth_rows(everything.seen.part(slice(n, None)), "hsc", hsc.bands)
    truth = pd.concat([listed, unlisted], ignore_index=True)
    return truth.assign(**asdict(everything.shapes))
