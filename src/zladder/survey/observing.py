"""A survey looks at galaxies: dust in front of them, noise on them, a list of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.dust_map import DustField, draw_field, stored_ebv_mag, true_ebv_mag
from zladder.survey.streams import generator
from zladder.universe.galaxies import Galaxies, join
from zladder.universe.instruments import Instrument
from zladder.universe.noise import miscalibrated, observe, to_magnitudes
from zladder.universe.photometry import extinction_mag, magnitudes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dust:
    """The Milky Way's dust, and the error of the map of it."""

    settings: Mapping[str, Any]
    field: DustField
    error_field: DustField

    def at(self, position: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return E(B-V) in mag at positions (ra, dec in degrees): the true and the listed one."""
        ebv = true_ebv_mag(self.field, self.settings, *position)
        return ebv, stored_ebv_mag(self.error_field, self.settings, *position, ebv)


@dataclass(frozen=True)
class Seen:
    """N galaxies as a survey sees them; arrays of N rows, per band (N, B).

    ``magnitude`` is true and without Milky-Way dust, ``dimmed`` true with it, ``recorded`` has
    the error of the calibration at the place too (pixels and catalogue share it); fluxes in
    nanojansky are observed. ``ebv_mag`` is true, ``stored_ebv_mag`` what the map lists.
    """

    galaxies: Galaxies
    ra: Array
    dec: Array
    ebv_mag: Array
    stored_ebv_mag: Array
    magnitude: Array
    dimmed: Array
    recorded: Array
    flux: Array
    flux_error: Array

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Seen:
        """Return some rows."""
        return Seen(
            self.galaxies.part(rows),
            *(getattr(self, field.name)[rows] for field in fields(self)[1:]),
        )

    def observed(self) -> tuple[Array, Array]:
        """Return observed magnitudes and errors, shape (N, B); NaN where not detected."""
        return to_magnitudes(self.flux, self.flux_error)


def join_seen(parts: list[Seen]) -> Seen:
    """Return several sets as one, in order."""
    return Seen(
        join([part.galaxies for part in parts]),
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Seen)[1:]
        ),
    )


def make_dust(settings: Mapping[str, Any], seed: int) -> Dust:
    """Draw the dust of the sky."""
    rng = generator(seed, "dust")
    return Dust(settings, draw_field(rng, settings), draw_field(rng, settings))


def look(
    rng: np.random.Generator,
    instrument: Instrument,
    dust: Dust,
    galaxies: Galaxies,
    position: tuple[Array, Array],
) -> Seen:
    """Return what the survey sees of galaxies at positions (ra, dec in degrees)."""
    magnitude, reddening = magnitudes(instrument.table, galaxies)
    ebv, stored = dust.at(position)
    dimmed = magnitude + extinction_mag(reddening, ebv)
    recorded = miscalibrated(rng, dimmed, instrument.depth)
    flux, error = observe(rng, recorded, instrument.depth)
    return Seen(galaxies, *position, ebv, stored, magnitude, dimmed, recorded, flux, error)
