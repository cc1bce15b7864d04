"""The scene: every object in the imaging fields, with all that the renderer must know of it.

One row an object: galaxies listed in a catalogue, their unlisted neighbours, stars. Fluxes are
those that reach the detector (Milky-Way dust in front, with the error of the calibration at the
place), in nanomaggies; a star is a disc without extent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.config.imaging import FieldNumber
from zladder.survey.imaging import ImagingField
from zladder.survey.observing import Seen
from zladder.survey.samples import Placed
from zladder.survey.scene_columns import SHAPE_COLUMNS
from zladder.tables.fluxes import NANOMAGGY_ZERO_POINT_MAG
from zladder.universe.instruments import Instrument
from zladder.universe.morphology import Shapes, bulge_light_share

TRAIL_RADIUS_ARCSEC, TRAIL_AXIS_RATIO = 6.0, 0.1  # chosen: half of the light along 12 arcsec
# the shape of a star
POINT = dict.fromkeys(SHAPE_COLUMNS, 0.0) | {"disc_axis_ratio": 1.0, "bulge_axis_ratio": 1.0}

Array = NDArray[np.float64]


def numbers_of(fields: Sequence[ImagingField], field: NDArray[np.int64]) -> pd.DataFrame:
    """Return the columns run, camcol, field of objects in the fields; N rows."""
    numbers = np.array([one.number for one in fields], dtype=np.int64)
    return pd.DataFrame(numbers[field], columns=list(FieldNumber._fields))


def galaxy_scene(
    fields: Sequence[ImagingField], sdss: Instrument, placed: Placed, shapes: Shapes
) -> pd.DataFrame:
    """Return the rows of galaxies."""
    bulge = bulge_light_share(
        sdss.table, placed.seen.galaxies, shapes.bulge_share, placed.seen.magnitude
    )
    columns: dict[str, Any] = {name: getattr(shapes, name) for name in SHAPE_COLUMNS}
    return _scene(fields, sdss, placed, columns, bulge)


def star_scene(fields: Sequence[ImagingField], sdss: Instrument, placed: Placed) -> pd.DataFrame:
    """Return the rows of stars."""
    return _scene(fields, sdss, placed, dict(POINT), np.zeros_like(placed.seen.recorded))


def unpainted_scene(
    fields: Sequence[ImagingField], sdss: Instrument, placed: Placed
) -> pd.DataFrame:
    """Return rows of objects that leave no light of their own: what is listed twice, halos."""
    scene = star_scene(fields, sdss, placed)
    fluxes = [f"disc_flux_{band}_nmgy" for band in sdss.bands]
    return scene.assign(**dict.fromkeys(fluxes, 0.0))


def artefact_scene(
    fields: Sequence[ImagingField], sdss: Instrument, placed: Placed
) -> pd.DataFrame:
    """Return the rows of artefacts: trails are long and thin, halos are their stars' light."""
    halo = placed.labels["is_halo"].to_numpy(dtype=bool)
    scene = unpainted_scene(fields, sdss, placed)
    trails = star_scene(fields, sdss, placed).assign(
        disc_radius_arcsec=TRAIL_RADIUS_ARCSEC,
        disc_axis_ratio=TRAIL_AXIS_RATIO,
        position_angle_deg=placed.pixel[:, 0] % 180.0,  # any angle
    )
    scene.loc[~halo] = trails.loc[~halo]
    return scene


def _scene(
    fields: Sequence[ImagingField],
    sdss: Instrument,
    placed: Placed,
    columns: dict[str, Any],
    bulge: Array,
) -> pd.DataFrame:
    """Return the scene's rows; ``bulge`` is the bulge's share of the light, shape (N, B)."""
    x, y = placed.pixel.T
    table = numbers_of(fields, placed.field).assign(x_pixel=x, y_pixel=y, **columns)
    return table.assign(**_fluxes(sdss, placed.seen, bulge))


def _fluxes(instrument: Instrument, seen: Seen, bulge: Array) -> dict[str, Array]:
    """Return the fluxes of disc and bulge in each band as columns."""
    flux_nmgy = 10 ** (-0.4 * (seen.recorded - NANOMAGGY_ZERO_POINT_MAG))
    columns: dict[str, Array] = {}
    for band, flux, share in zip(instrument.bands, flux_nmgy.T, bulge.T, strict=True):
        columns[f"disc_flux_{band}_nmgy"] = flux * (1 - share)
        columns[f"bulge_flux_{band}_nmgy"] = flux * share
    return columns


def mixed_scene(instrument: Instrument, seen: Seen, shapes: Shapes) -> pd.DataFrame:
    """Return shapes and fluxes of N objects, galaxies and stars, as columns of a scene."""
    star = np.isnan(seen.galaxies.z)
    bulge = np.zeros_like(seen.recorded)
    bulge[~star] = bulge_light_share(
        instrument.table,
        seen.galaxies.part(~star),
        shapes.bulge_share[~star],
        seen.magnitude[~star],
    )
    columns = {name: np.where(star, POINT[name], getattr(shapes, name)) for name in SHAPE_COLUMNS}
    return pd.DataFrame(columns | _fluxes(instrument, seen, bulge))
