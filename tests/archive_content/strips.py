"""Strips of the sky taller than a frame, and SDSS's frames cut out of them: fields that overlap.

A strip is two fields of one run. All that is listed lies in one of them, some of it at the border;
what leaves the frame there has its pixels in the other field, which holds no listed galaxy. SDSS's
primary objects keep 64 rows off that edge; here some are listed up to the last row, so that small
stamps leave the frame too.
"""

from __future__ import annotations

import bz2
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from tests.archive_content.places import Places
from tests.archive_content.small_sky import EDGE_PIXELS, in_threads
from zladder.config.imaging import FRAME_ROWS, RERUN, SHARED_ROWS, FieldNumber
from zladder.survey.conditions import Conditions, draw_conditions
from zladder.survey.frame_files import frame_hdus, rounded, with_noise
from zladder.survey.imaging import WIDTH_PIXELS, ImagingField, lay_fields
from zladder.survey.measuring import measure_field
from zladder.survey.painting import paint
from zladder.survey.streams import generator

NEW_ROWS = FRAME_ROWS - SHARED_ROWS
BANDS = ["u", "g", "r", "i", "z"]
COMMENT = "Simulated by zladder, overdense"


@dataclass(frozen=True)
class Strip:
    """Two fields, one behind the other; rows are counted as in the mock sky's own field.

    Attributes
    ----------
    field
        Of the mock sky, with the number of the field that all is listed in.
    step
        From that field to the other: +1 behind its last row, -1 below its first.
    """

    field: ImagingField
    step: int

    @property
    def numbers(self) -> tuple[FieldNumber, FieldNumber]:
        """The field that all is listed in, and the other."""
        number = self.field.number
        return number, number._replace(field=number.field + self.step)

    def first_row(self, band: str, number: FieldNumber) -> int:
        """Return where a frame begins: those of two bands some rows apart, as in SDSS."""
        own = -self.step * (EDGE_PIXELS - BANDS.index(band))
        return own + NEW_ROWS * (number.field - self.field.number.field)

    @property
    def rows(self) -> range:
        """All rows that some frame has."""
        first = [self.first_row(band, number) for band in BANDS for number in self.numbers]
        return range(min(first), max(first) + FRAME_ROWS)


def lay_strips(settings: Mapping[str, Any]) -> list[Strip]:
    """Return the strips of the main sample and of the deeper one, which have one field each."""
    main, deep = lay_fields(settings, settings["seed"])
    return [Strip(main, 1), Strip(deep, -1)]


def paint_strip(
    strip: Strip, scene: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[NDArray[np.float32], Conditions]:
    """Return the pixels of a strip in nanomaggies, (B, rows, 2048), and the night's conditions.

    Parameters
    ----------
    strip
        Which.
    scene
        The scene of all fields.
    settings
        What `config.imaging.rendering_settings` returns, and ``seed``.
    """
    number, seed = strip.field.number, settings["seed"]
    conditions = draw_conditions(settings, seed, number)
    own = scene[(scene[list(FieldNumber._fields)] == list(number)).all(axis=1)]
    own = own.assign(y_pixel=own["y_pixel"] - strip.rows.start)
    angle = strip.field.angle_rad(own["position_angle_deg"].to_numpy())
    images = paint(own, angle, conditions, (1, len(strip.rows), WIDTH_PIXELS))[0]
    for index, image in enumerate(images):
        rng = generator(seed, "frames", *number, index)
        images[index] = rounded(with_noise(rng, image, conditions, index))
    return images, conditions


def measure_strip(
    strip: Strip, images: NDArray[np.float32], conditions: Conditions, listed: pd.DataFrame,
    settings: Mapping[str, Any],
) -> pd.DataFrame:  # fmt: skip
    """Return ``objID`` of what is listed in a strip, and what is measured there."""
    objects = listed[listed["run"] == strip.field.number.run]
    x, y = strip.field.to_pixels(objects["ra"].to_numpy(), objects["dec"].to_numpy())
    places = np.stack([x, y - strip.rows.start], axis=1)
    measured = measure_field(images, places, conditions, settings)
    return measured.assign(objID=objects["objID"].to_numpy())


def with_frame_rows(table: pd.DataFrame, strip: Strip) -> pd.DataFrame:
    """Return a catalogue of one strip whose `rowc_{band}` count from where its frame begins."""
    number = strip.field.number
    rows = {f"rowc_{band}": table[f"rowc_{band}"] - strip.first_row(band, number) for band in BANDS}
    return table.assign(**rows)


def write_frames(
    strip: Strip, images: NDArray[np.float32], conditions: Conditions, at: Places
) -> None:
    """Write the strip as one tall frame a band, and what is served of it: packed frames."""
    number = strip.field.number
    for band in BANDS:
        path = at.strip(number, band)
        _hdus(strip, images, conditions, band, number, strip.rows).writeto(path)

    def serve(one: tuple[FieldNumber, str]) -> None:
        first = strip.first_row(one[1], one[0])
        hdus = _hdus(strip, images, conditions, one[1], one[0], range(first, first + FRAME_ROWS))
        plain = io.BytesIO()
        hdus.writeto(plain)
        path = at.frame({**one[0]._asdict(), "band": one[1]}, RERUN)
        path.write_bytes(bz2.compress(plain.getvalue(), 1))  # read in two thirds of the time of 9

    in_threads(serve, [(number, band) for number in strip.numbers for band in BANDS])


def _hdus(
    strip: Strip, images: NDArray[np.float32], conditions: Conditions, band: str,
    number: FieldNumber, rows: range,
) -> fits.HDUList:  # fmt: skip
    """Return some rows of one band as a frame."""
    index, start = BANDS.index(band), strip.rows.start
    image = images[index, rows.start - start : rows.stop - start]
    field = replace(strip.field, number=number)
    hdus = frame_hdus(image, field, conditions, index, COMMENT)
    hdus[0].header["CRPIX2"] -= rows.start
    return hdus
