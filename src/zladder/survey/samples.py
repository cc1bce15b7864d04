"""What stands in the imaging fields: the listed samples, faint neighbours, stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.collecting import Request, Sky, collect, draw_chunk
from zladder.survey.geometry import displaced
from zladder.survey.imaging import (
    HEIGHT_PIXELS,
    WIDTH_PIXELS,
    ImagingField,
    main_area,
)
from zladder.survey.observing import Seen, join_seen
from zladder.survey.places import Places
from zladder.survey.sdss_flags import flag_columns
from zladder.survey.stars import seen_stars
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.population import make_pool

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One listed sample: how many, how deep, and which random numbers."""

    wanted: str
    limit_r_mag: float
    z_limit: float
    stream: str
    counter: int


@dataclass(frozen=True)
class Placed:
    """Objects in the fields.

    Attributes
    ----------
    seen
        N objects.
    field
        Shape (N,): which of the fields.
    pixel
        Shape (N, 2): x, y counted from 0.
    labels
        N rows: what else is known of listed galaxies; no columns for others.
    """

    seen: Seen
    field: NDArray[np.int64]
    pixel: Array
    labels: pd.DataFrame

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Placed:
        """Return some of the objects."""
        labels = self.labels.iloc[rows].reset_index(drop=True)
        return Placed(self.seen.part(rows), self.field[rows], self.pixel[rows], labels)

    def labelled(self, labels: pd.DataFrame) -> Placed:
        """Return the same objects with other labels."""
        return replace(self, labels=labels)


def join_placed(parts: Sequence[Placed]) -> Placed:
    """Return several sets as one, in order."""
    return Placed(
        join_seen([part.seen for part in parts]),
        np.concatenate([part.field for part in parts]),
        np.concatenate([part.pixel for part in parts]),
        pd.concat([part.labels for part in parts], ignore_index=True),
    )


def main_and_deep(settings: Mapping[str, Any]) -> tuple[Sample, Sample]:
    """Return the labelled main sample and the deeper one without labels."""
    main, deep_limit = settings["sdss"], settings["imaging"]["limit_deep_r_mag"]
    return (
        Sample("n_main", main["limit_r_mag"], main["z_limit"], "main", 0),
        Sample("n_deep", deep_limit, np.inf, "deeper", 1),
    )


def imaging_sample(
    sky: Sky,
    settings: Mapping[str, Any],
    sdss: Instrument,
    sample: Sample,
    fields: Sequence[ImagingField],
) -> Placed:
    """Return a sample's galaxies, chosen by their observed, corrected r magnitude.

    Their number is bounded by what the whole area of the main sample holds; the fields show
    them packed close, each at a place of its own that keeps off the others.
    """
    block = settings["sdss"]
    wanted = settings[sample.wanted]
    edge = settings["imaging"]["edge_pixels"]
    places = Places(generator(sky.seed, "places", sample.counter), fields, wanted, edge)

    def judge(rng: np.random.Generator, seen: Seen) -> pd.DataFrame:
        z = seen.galaxies.z + block["redshift_scatter"] * rng.normal(size=len(seen.ra))
        kept = (corrected_r_mag(sdss, seen) <= sample.limit_r_mag) & (z < sample.z_limit)
        kept = places.take(kept)
        lost = rng.random(len(z)) < block["missing_share"]
        lost_band = np.where(lost, rng.integers(0, len(sdss.bands), len(z)), -1)
        usable = kept & (seen.flux > 0).all(axis=1) & ~lost
        columns = flag_columns(z).assign(lost_band=lost_band, place=places.offered)
        return columns.assign(kept=kept, usable=usable)

    pool = make_pool(sdss.table, settings["population"], "r", sample.limit_r_mag)
    available = pool.per_deg2 * main_area(settings).area_deg2
    request = Request(f"survey/{sample.wanted}", wanted, available, sample.stream)
    seen, labels = collect(sky, request, pool, sdss, places.draw, judge)
    rows = labels["place"].to_numpy()
    return Placed(seen, places.field[rows], places.pixel[rows], labels)


def corrected_r_mag(sdss: Instrument, seen: Seen) -> Array:
    """Return the observed r magnitude less the stored extinction, shape (N,); NaN if not seen."""
    r_band = sdss.bands.index("r")
    magnitude, _ = seen.observed()
    return magnitude[:, r_band] - sdss.extinction_per_ebv[r_band] * seen.stored_ebv_mag


def neighbours(
    sky: Sky,
    settings: Mapping[str, Any],
    sdss: Instrument,
    fields: Sequence[ImagingField],
    hosts: Placed,
    counter: int,
) -> Placed:
    """Return unlisted, fainter galaxies beside listed ones; some lie at or beyond an edge.

    They are of any redshift up to the table's end, as the hosts are: unrelated.
    """
    block = settings["imaging"]
    rng = generator(sky.seed, "neighbours", counter)
    bright, faint = block["neighbour_r_mag"]
    n = round(block["neighbour_share"] * len(hosts.field))
    drawn = 3 * n + 10  # about half of the pool is within the two magnitudes
    beside = rng.integers(0, len(hosts.field), drawn)
    nearest, farthest = block["neighbour_distance_arcsec"]
    distance = rng.uniform(nearest, farthest, drawn)
    angle = rng.uniform(0, 2 * np.pi, drawn)
    east, north = distance * np.cos(angle), distance * np.sin(angle)
    position = displaced(hosts.seen.ra[beside], hosts.seen.dec[beside], east, north)
    pool = make_pool(sdss.table, settings["population"], "r", faint)
    seen = draw_chunk(sky, rng, pool, sdss, lambda _rng, _n: position, drawn)
    r_mag = seen.dimmed[:, sdss.bands.index("r")]
    rows = np.flatnonzero((r_mag > bright) & (r_mag < faint))[:n]
    seen, field = seen.part(rows), hosts.field[beside[rows]]
    return Placed(seen, field, pixels_of(fields, field, seen), pd.DataFrame(index=range(len(rows))))


def imaging_stars(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, fields: Sequence[ImagingField],
    counter: int,
) -> Placed:  # fmt: skip
    """Return stars anywhere in the frames, a few of them so bright that they saturate."""
    block = settings["imaging"]
    rng = generator(sky.seed, "imaging stars", counter)
    parts, numbers, pixels = [], [], []
    for per_field, i_range_mag in (
        (block["stars_per_field"], block["star_i_mag"]),
        (block["bright_stars_per_field"], block["bright_star_i_mag"]),
    ):
        number = np.repeat(np.arange(len(fields)), per_field)
        pixel = rng.random((len(number), 2)) * [WIDTH_PIXELS - 1, HEIGHT_PIXELS - 1]
        position = positions_of(fields, number, pixel)
        parts.append(seen_stars(rng, sdss, sky.dust, position, i_range_mag))
        numbers.append(number)
        pixels.append(pixel)
    field = np.concatenate(numbers)
    labels = pd.DataFrame(index=range(len(field)))
    return Placed(join_seen(parts), field, np.concatenate(pixels), labels)


def positions_of(
    fields: Sequence[ImagingField], field: NDArray[np.int64], pixel: Array
) -> tuple[Array, Array]:
    """Return ra and dec of pixels in several fields."""
    sky = np.empty((2, len(field)))
    for index, one in enumerate(fields):
        rows = field == index
        sky[:, rows] = one.to_sky(*pixel[rows].T)
    return sky[0], sky[1]


def pixels_of(fields: Sequence[ImagingField], field: NDArray[np.int64], seen: Seen) -> Array:
    """Return the pixels of positions in several fields, shape (N, 2)."""
    pixel = np.empty((len(field), 2))
    for index, one in enumerate(fields):
        rows = field == index
        pixel[rows] = np.stack(one.to_pixels(seen.ra[rows], seen.dec[rows]), axis=1)
    return pixel
