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
from zladder.survey.background import (
    Missing,
    Shaped,
    join_shaped,
    missing_in,
    shaped,
    stamp_background,
    tile_background,
)
from zladder.survey.cfhtls_survey import cfhtls_survey
from zladder.survey.coadd import HSC_PIXEL_ARCSEC
from zladder.survey.collecting import Sky
from zladder.survey.hsc_contaminants import with_blends
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
    deep_share: float,
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
    deep_share
        How densely the deep field was searched for labels, relative to the real sky.
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
    missing = _missing(settings, hsc, parts[0], deep_share)
    around = [tile_background(sky, settings, hsc, tile, missing) for tile in lay_tiles(settings)]
    on_tiles = join_shaped([*listed, *around])
    layers = {layer: instruments[layer] for layer in LAYERS}
    cfhtls = cfhtls_survey(sky, settings, layers, hsc, on_tiles)

    targets, beside = _targets(sky, settings, hsc, tables, missing)
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


def _missing(
    settings: Mapping[str, Any], hsc: Instrument, deep: Seen, deep_share: float
) -> Missing:
    """Return the rule by which the deep field is filled up."""
    field, _ = deep_and_wide(with_blends(settings))
    n_stars = np.isnan(deep.galaxies.z).sum()
    star_share = n_stars / field.area_deg2 / max(settings["background"]["stars_per_deg2"], 1.0)
    limit_mag = settings["manyband"]["limit_i_mag"]
    return missing_in(field, deep_share, star_share, limit_mag, hsc.bands.index("i"))


def _targets(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, tables: Mapping[str, pd.DataFrame],
    missing: Missing,
) -> tuple[pd.DataFrame, list[Shaped]]:  # fmt: skip
    """Return the galaxies with cutouts, and what stands unlisted around those off the tiles."""
    deep, _ = deep_and_wide(settings)
    targets = choose_targets(sky.seed, settings, deep, tables)
    pixels = settings["hsc_images"]["stamp_pixels"]
    targets = pd.concat([targets, stamp_places(targets, pixels)], axis=1)
    side_arcsec = pixels * HSC_PIXEL_ARCSEC + 2 * MARGIN_ARCSEC
    ra, dec = targets["ra"].to_numpy(), targets["dec"].to_numpy()
    filled = _on_tiles(settings, ra, dec, MARGIN_ARCSEC - side_arcsec / 2)  # the whole box
    hosts = ra[~filled], dec[~filled]
    beside = stamp_background(sky, settings, hsc, hosts, side_arcsec, missing)
    if beside is None:
        return targets, []
    off = ~_on_tiles(settings, beside.seen.ra, beside.seen.dec, MARGIN_ARCSEC)
    return targets, [beside.part(off)]


def _on_tiles(
    settings: Mapping[str, Any], ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float
) -> NDArray[np.bool_]:
    """Tell which positions lie on a tile or near it (margin in arcsec; below 0: well inside)."""
    return np.any([tile.near(ra, dec, margin) for tile in lay_tiles(settings)], axis=0)


def _truth(hsc: Instrument, everything: Shaped, listed: pd.DataFrame) -> pd.DataFrame:
    """Return the truth of all objects: the listed ones' rows come first, as they were."""
    n = len(listed)
    unlisted = truth_rows(everything.seen.part(slice(n, None)), "hsc", hsc.bands)
    truth = pd.concat([listed, unlisted], ignore_index=True)
    return truth.assign(**asdict(everything.shapes))
