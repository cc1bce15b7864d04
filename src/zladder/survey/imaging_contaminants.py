"""The contaminants of the SDSS-like catalogues: how they are listed, what of them is in the frames.

They come on top of the galaxies asked for and use random numbers of their own. Each is listed by
its observed, corrected r magnitude, as the galaxies are, and keeps off them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zladder.provenance.errors import BadInput
from zladder.survey.collecting import Sky, draw_chunk
from zladder.survey.contaminants import (
    artefacts,
    beside,
    blended,
    flagged,
    misclassified,
    observed_again,
    wanted,
)
from zladder.survey.imaging import HEIGHT_PIXELS, WIDTH_PIXELS, ImagingField
from zladder.survey.observing import Seen
from zladder.survey.samples import (
    Placed,
    Sample,
    corrected_r_mag,
    join_placed,
    pixels_of,
    positions_of,
)
from zladder.survey.sdss_flags import (
    IN_MASK_BRIGHT_STAR,
    IN_MASK_TRAIL,
    SMALL_DELTA_CHI2,
    flag_columns,
)
from zladder.survey.spacing import distance_for
from zladder.survey.stars import seen_stars
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.population import make_pool

KINDS = ("star", "blend", "artefact", "duplicate")  # the order in which they are listed
HALO_PIXELS = (25.0, 75.0)  # distance of a halo's or spike's false detection from its star
TWO_ALIKE_MAG = 0.76  # by so much a pair is brighter than its brighter half, at most
STAR_REDSHIFT = 2e-4  # 60 km/s: scatter of the stars' velocities, chosen
FREE_SHARE = 0.4  # of the distance that galaxies keep: 9 arcsec in a frame of a thousand
MAX_ROUNDS = 200

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contaminants:
    """What is listed beside a sample's galaxies.

    Attributes
    ----------
    listed
        Kind -> objects as the catalogue has them, with their labels.
    hosts, companions
        The two galaxies of each blend.
    originals
        Of each duplicate, the row among the galaxies.
    """

    listed: dict[str, Placed]
    hosts: Placed
    companions: Placed
    originals: NDArray[np.int64]


@dataclass(frozen=True)
class _Scope:
    """What all kinds need to know."""

    sky: Sky
    settings: Mapping[str, Any]
    sdss: Instrument
    sample: Sample
    fields: Sequence[ImagingField]
    galaxies: Placed

    @property
    def block(self) -> Mapping[str, Any]:
        return self.settings["contaminants"]["sdss"]

    def rng(self, kind: str, counter: int = 0) -> np.random.Generator:
        return generator(
            self.sky.seed, "contaminants", self.sample.counter, KINDS.index(kind), counter
        )

    def listed(self, seen: Seen) -> NDArray[np.bool_]:
        """Tell what is bright enough; an object without a magnitude in r is not."""
        return corrected_r_mag(self.sdss, seen) <= self.sample.limit_r_mag

    def count(self, kind: str) -> int:
        return wanted(self.block, kind, self.settings[self.sample.wanted])


def contaminate(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, sample: Sample,
    fields: Sequence[ImagingField], galaxies: Placed, stars: Placed,
) -> Contaminants:  # fmt: skip
    """Return the contaminants of a sample.

    Parameters
    ----------
    sky, settings, sdss, sample, fields
        As for the sample itself; ``settings["contaminants"]["sdss"]`` says how many.
    galaxies
        The sample.
    stars
        The unlisted stars of its fields: the brightest have halos.

    Raises
    ------
    BadInput
        If the settings ask for contaminants that the sample's limit does not list.
    """
    scope = _Scope(sky, settings, sdss, sample, fields, galaxies)
    blends, hosts, companions = _blends(scope)
    duplicates, originals = _duplicates(scope)
    listed = (_stars(scope), blends, _artefacts(scope, stars), duplicates)
    return Contaminants(dict(zip(KINDS, listed, strict=True)), hosts, companions, originals)


def _stars(scope: _Scope) -> Placed:
    block, sample = scope.block, scope.sample
    range_mag = (sample.limit_r_mag - 4.0, sample.limit_r_mag + 1.0)  # of i: r is a little fainter

    def draw(rng: np.random.Generator, n: int) -> tuple[Placed, ...]:
        field, pixel = _free_pixels(rng, scope, n)
        position = positions_of(scope.fields, field, pixel)
        seen = seen_stars(rng, scope.sdss, scope.sky.dust, position, range_mag)
        rows = scope.listed(seen)
        return (Placed(seen, field, pixel, pd.DataFrame(index=range(n))).part(rows),)

    (placed,) = _gather(scope, "star", draw)
    n, rng = len(placed.field), scope.rng("star", MAX_ROUNDS)
    r_mag = corrected_r_mag(scope.sdss, placed.seen)
    is_extended = misclassified(rng, block, r_mag)
    z = STAR_REDSHIFT * rng.normal(size=n)
    labels = flag_columns(z, type=np.where(is_extended, 3, 6), **{"class": "STAR"})
    return placed.labelled(labels)


def _blends(scope: _Scope) -> tuple[Placed, Placed, Placed]:
    """Return the blends as listed, the brighter galaxy of each and the other one."""
    block, sample, sdss = scope.block, scope.sample, scope.sdss
    smallest, largest = block["blend_fainter_mag"]
    faint = sample.limit_r_mag + TWO_ALIKE_MAG + 0.3  # with what dust takes away
    population, r_band = scope.settings["population"], sdss.bands.index("r")
    pools = [make_pool(sdss.table, population, "r", faint + deeper) for deeper in (0.0, largest)]

    def draw(rng: np.random.Generator, n: int) -> tuple[Placed, ...]:
        field, pixel = _free_pixels(rng, scope, n)
        at = positions_of(scope.fields, field, pixel)
        host = draw_chunk(scope.sky, rng, pools[0], sdss, lambda _rng, _n: at, n)
        near = beside(rng, block, *at)
        other = draw_chunk(scope.sky, rng, pools[1], sdss, lambda _rng, _n: near, n)
        seen = blended(rng, sdss, host, other, "r")
        fainter_mag = other.dimmed[:, r_band] - host.dimmed[:, r_band]
        rows = scope.listed(seen) & (fainter_mag >= smallest) & (fainter_mag <= largest)
        rows &= host.galaxies.z < sample.z_limit
        none = pd.DataFrame(index=range(n))
        return tuple(
            Placed(one, field, pixels_of(scope.fields, field, one), none).part(rows)
            for one in (seen, host, other)
        )

    listed, hosts, companions = _gather(scope, "blend", draw)
    n, rng = len(listed.field), scope.rng("blend", MAX_ROUNDS)
    z = hosts.seen.galaxies.z + scope.settings["sdss"]["redshift_scatter"] * rng.normal(size=n)
    clean = (~flagged(rng, block, n)).astype(np.int64)
    return listed.labelled(flag_columns(z, clean=clean)), hosts, companions


def _artefacts(scope: _Scope, stars: Placed) -> Placed:
    """Return trails anywhere, and halos beside the stars that saturate, as many of each."""
    block = scope.block
    n_bright = scope.settings["imaging"]["bright_stars_per_field"] * len(scope.fields)
    bright = stars.part(np.arange(len(stars.field) - n_bright, len(stars.field)))
    edge = scope.settings["imaging"]["edge_pixels"]
    brightest, faintest = block["artefact_mag"]

    def draw(rng: np.random.Generator, n: int) -> tuple[Placed, ...]:
        field, pixel = _free_pixels(rng, scope, n)
        is_halo = (np.arange(n) % 2 == 1) & (n_bright > 0)
        if n_bright:
            star = rng.integers(0, n_bright, n)
            angle, distance = rng.uniform(0, 2 * np.pi, n), rng.uniform(*HALO_PIXELS, n)
            away = distance * np.stack([np.cos(angle), np.sin(angle)])
            field = np.where(is_halo, bright.field[star], field)
            pixel = np.where(is_halo[:, None], bright.pixel[star] + away.T, pixel)
        inside = (pixel >= edge) & (pixel <= [WIDTH_PIXELS - 1 - edge, HEIGHT_PIXELS - 1 - edge])
        at = positions_of(scope.fields, field, pixel)
        magnitude = rng.uniform(brightest, faintest, n)
        seen = artefacts(rng, scope.sdss, scope.sky.dust, at, ~is_halo, magnitude, "r")
        rows = scope.listed(seen) & inside.all(axis=1)
        labels = pd.DataFrame({"is_halo": is_halo})
        return (Placed(seen, field, pixel, labels).part(rows),)

    (placed,) = _gather(scope, "artefact", draw)
    n, rng = len(placed.field), scope.rng("artefact", MAX_ROUNDS)
    known = flagged(rng, block, n)
    reason = np.where(placed.labels["is_halo"], IN_MASK_BRIGHT_STAR, IN_MASK_TRAIL)
    labels = flag_columns(
        rng.uniform(0.0, 0.4, n),  # a fit to nothing
        clean=(~known).astype(np.int64),
        insideMask=np.where(known, reason, 0),
        zWarning=np.where(known, SMALL_DELTA_CHI2, 0),
    )
    return placed.labelled(labels.assign(is_halo=placed.labels["is_halo"].to_numpy()))


def _duplicates(scope: _Scope) -> tuple[Placed, NDArray[np.int64]]:
    """Return galaxies as seen a second time, and which they are."""
    rng, galaxies, n = scope.rng("duplicate"), scope.galaxies, scope.count("duplicate")
    order = rng.permutation(np.flatnonzero(galaxies.labels["usable"].to_numpy()))
    again = galaxies.part(order)
    seen = observed_again(rng, scope.sdss, again.seen)
    rows = np.flatnonzero(scope.listed(seen))[:n]
    if len(rows) < n:
        raise _too_many(scope, "duplicate", len(rows), n)
    scatter = scope.settings["sdss"]["redshift_scatter"]
    z = seen.galaxies.z[rows] + scatter * rng.normal(size=n)
    labels = flag_columns(z, mode=np.where(flagged(rng, scope.block, n), 2, 1))
    listed = Placed(seen, again.field, again.pixel, again.labels).part(rows).labelled(labels)
    return listed, order[rows]


def _gather(
    scope: _Scope, kind: str, draw: Callable[[np.random.Generator, int], tuple[Placed, ...]]
) -> tuple[Placed, ...]:
    """Draw until there are as many contaminants of a kind as the settings ask for."""
    n = scope.count(kind)
    rounds: list[tuple[Placed, ...]] = []
    found = 0
    while not rounds or found < n:
        if len(rounds) == MAX_ROUNDS:
            raise _too_many(scope, kind, found, n)
        rounds.append(draw(scope.rng(kind, len(rounds)), 4 * n + 20))
        found += len(rounds[-1][0].field)
    return tuple(join_placed(list(parts)).part(np.arange(n)) for parts in zip(*rounds, strict=True))


def _too_many(scope: _Scope, kind: str, found: int, n: int) -> BadInput:
    return BadInput(
        "config", f"survey/contaminants/sdss/{kind}_share",
        f"contaminants that the sample's limit, r = {scope.sample.limit_r_mag:g}, can list",
        f"{found} of {n} found", "lower the share, or make them brighter",
    )  # fmt: skip


def _free_pixels(
    rng: np.random.Generator, scope: _Scope, n: int
) -> tuple[NDArray[np.int64], Array]:
    """Return places in the frames that keep off the galaxies: fields (n,) and pixels (n, 2)."""
    edge = scope.settings["imaging"]["edge_pixels"]
    size = np.array([WIDTH_PIXELS - 1, HEIGHT_PIXELS - 1]) - 2 * edge
    crowd = np.bincount(scope.galaxies.field, minlength=len(scope.fields)).max()
    distance = FREE_SHARE * distance_for(crowd, float(size.prod()))
    field = rng.integers(0, len(scope.fields), n)
    pixel = np.empty((n, 2))
    for index in np.unique(field):
        rows = np.flatnonzero(field == index)
        own = scope.galaxies.pixel[scope.galaxies.field == index]
        while len(rows):
            pixel[rows] = edge + size * rng.random((len(rows), 2))
            nearest = cKDTree(own).query(pixel[rows])[0] if len(own) else np.full(len(rows), np.inf)
            rows = rows[nearest < distance]
    return field, pixel
