"""The contaminants of the HSC-like catalogue, and the flags by which they are told.

Blends are labelled galaxies: so many more are collected that the number of usable ones is what
was asked for. Artefacts and duplicates are rows of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.assembly import truth_rows
from zladder.survey.catalogues import NO_ID
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
from zladder.survey.geometry import Field
from zladder.survey.observing import Seen, join_seen, look
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.population import make_pool

# flag: of each band. The names are those of the survey's tables
BAND_FLAGS = ("pixelflags_bright_object", "pixelflags_saturatedcenter")
# chosen: what users cut at 10^-0.375 = 0.42 (Mandelbaum et al. 2018, PASJ 70, S25, section 5.1)
BLENDEDNESS_LIMIT = 0.42
BLENDEDNESS_FLAGGED, BLENDEDNESS_GOOD = (0.45, 0.95), (0.0, 0.3)

BRIGHTER_MAG, STEP_MAG = 9.0, 1.5  # pools of companions, from the deepest to the brightest

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Listed:
    """The HSC-like catalogue's objects, and the truth of all.

    Attributes
    ----------
    truth
        T rows: the objects that came in, the blends' other galaxies, artefacts, duplicates.
    rows
        Those of the truth that are listed, L of them.
    seen
        The L objects as listed, blended where they are.
    flags
        L rows.
    companions
        The blends' other galaxies: nobody lists them, images show them.
    duplicates, originals
        Rows of the truth: each duplicate, and what it is one of.
    """

    truth: pd.DataFrame
    rows: NDArray[np.int64]
    seen: Seen
    flags: pd.DataFrame
    companions: Seen
    duplicates: NDArray[np.int64]
    originals: NDArray[np.int64]

    def original_ids(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each row of the truth the identifier of what it duplicates, or -1."""
        found = np.full(len(ids), NO_ID, dtype=np.int64)
        found[self.duplicates] = ids[self.originals]
        return found


def contaminated(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, field: Field, objects: Seen,
    in_hsc: NDArray[np.bool_], sets: Sequence[tuple[str, NDArray[np.int64]]],
) -> Listed:  # fmt: skip
    """Blend some labelled objects and list artefacts and duplicates beside them.

    Parameters
    ----------
    sky, settings, hsc
        The settings as they were asked for.
    field
        Where artefacts may be.
    objects, in_hsc
        N objects, and which of them the catalogue lists.
    sets
        As for `blend_some`.
    """
    blends = blend_some(sky, settings, hsc, objects, sets)
    galaxies = np.flatnonzero(in_hsc & ~np.isnan(objects.galaxies.z))
    eligible = np.setdiff1d(galaxies, blends.rows)
    false, again, originals = extra_detections(sky, settings, hsc, field, blends.seen, eligible)
    truth = truth_rows(
        join_seen([objects, blends.companions, false, again]), "hsc", hsc.bands
    )  # fmt: skip
    n, n_blends, n_false = len(objects.ra), len(blends.rows), len(false.ra)
    artefacts_from = n + n_blends
    duplicates_from, end = artefacts_from + n_false, len(truth)
    truth.loc[artefacts_from : duplicates_from - 1, "is_star"] = False
    truth.loc[artefacts_from : duplicates_from - 1, "contaminant"] = "artefact"
    truth.loc[duplicates_from : end - 1, "contaminant"] = "duplicate"
    truth.loc[blends.rows, "contaminant"] = "blend"
    truth.loc[blends.rows, "blended_with"] = n + np.arange(n_blends)
    rows = np.concatenate([np.flatnonzero(in_hsc), np.arange(artefacts_from, end)])
    seen = join_seen([blends.seen, blends.companions, false, again]).part(rows)
    known = np.zeros(end, dtype=bool)
    known[blends.rows] = blends.flagged
    kind = truth["contaminant"].to_numpy(dtype=str)[rows]
    flags = hsc_flags(sky, settings, hsc, seen, kind, known[rows])
    duplicates = np.arange(duplicates_from, end)
    return Listed(truth, rows, seen, flags, blends.companions, duplicates, originals)


@dataclass(frozen=True)
class Blends:
    """Objects of the labelled sky after some were blended.

    Attributes
    ----------
    seen
        N objects as the catalogue lists them.
    rows
        Which of them are blends.
    flagged
        Shape of ``rows``: which of these the survey knows.
    companions
        The galaxy whose light each of ``rows`` has as well.
    """

    seen: Seen
    rows: NDArray[np.int64]
    flagged: NDArray[np.bool_]
    companions: Seen


def with_blends(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with as many more labels as will be lost to flagged blends."""
    more = {
        name: settings[name] + _flagged_blends(settings, settings[name])
        for name in ("n_photoz", "n_specz")
    }
    return {**settings, **more}


def _flagged_blends(settings: Mapping[str, Any], n: int) -> int:
    block = settings["contaminants"]["hsc"]
    n_blends = wanted(block, "blend", n)
    return n_blends - round(block["unflagged_share"] * n_blends)


def blend_some(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, objects: Seen,
    sets: Sequence[tuple[str, NDArray[np.int64]]],
) -> Blends:  # fmt: skip
    """Blend labelled galaxies with unrelated ones within about the seeing.

    Parameters
    ----------
    sky, settings, hsc
        The settings as they were asked for, before `with_blends`.
    objects
        N objects.
    sets
        The name of each number of labels (such as ``n_photoz``), and the rows of the objects that
        can be blended: usable ones, each in one set at most.
    """
    rng, block = generator(sky.seed, "hsc contaminants", 0), settings["contaminants"]["hsc"]
    parts = [rng.permutation(rows)[: wanted(block, "blend", settings[name])] for name, rows in sets]
    known = [
        np.arange(len(part)) < _flagged_blends(settings, settings[name])
        for part, (name, _) in zip(parts, sets, strict=True)
    ]
    rows = np.concatenate(parts)
    hosts = objects.part(rows)
    companions = _companions(rng, sky, settings, hsc, hosts)
    listed = blended(rng, hsc, hosts, companions, "i")
    order = np.arange(len(objects.ra))
    order[rows] = len(order) + np.arange(len(rows))
    return Blends(
        join_seen([objects, listed]).part(order), rows, np.concatenate(known), companions
    )  # fmt: skip


def _companions(
    rng: np.random.Generator, sky: Sky, settings: Mapping[str, Any], hsc: Instrument, hosts: Seen
) -> Seen:
    """Return a galaxy beside each host, fainter than it by a magnitude in the range asked for.

    Of galaxies to the survey's depth, the one whose magnitude is nearest to what is wanted.
    """
    block, i_band, n = settings["contaminants"]["hsc"], hsc.bands.index("i"), len(hosts.ra)
    position = beside(rng, block, hosts.ra, hosts.dec)
    smallest, largest = block["blend_fainter_mag"]
    goal_mag = hosts.dimmed[:, i_band] + rng.uniform(smallest, largest, n)
    deepest = settings["manyband"]["limit_i_mag"]
    offers = []
    for limit_mag in np.arange(deepest, deepest - BRIGHTER_MAG, -STEP_MAG):  # bright hosts' too
        pool = make_pool(hsc.table, settings["population"], "i", limit_mag)
        offers.append(draw_chunk(sky, rng, pool, hsc, _at_the_origin, 4 * n + 50))
    offered = join_seen(offers)
    i_mag = offered.dimmed[:, i_band]
    order = np.argsort(i_mag)
    nearest = np.clip(np.searchsorted(i_mag[order], goal_mag), 0, len(order) - 1)
    return look(rng, hsc, sky.dust, offered.galaxies.part(order[nearest]), position)


def _at_the_origin(_rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    return np.zeros(n), np.zeros(n)


def extra_detections(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, field: Field, listed: Seen,
    eligible: NDArray[np.int64],
) -> tuple[Seen, Seen, NDArray[np.int64]]:  # fmt: skip
    """Return artefacts anywhere in a field, duplicates, and which of the listed these are."""
    rng, block = generator(sky.seed, "hsc contaminants", 1), settings["contaminants"]["hsc"]
    n = settings["n_photoz"] + settings["n_specz"]
    n_artefacts = wanted(block, "artefact", n)
    brightest, faintest = block["artefact_mag"]
    magnitude = rng.uniform(brightest, faintest, n_artefacts)
    position = field.draw(rng, n_artefacts)
    in_one_band = np.arange(n_artefacts) % 2 == 0
    false = artefacts(rng, hsc, sky.dust, position, in_one_band, magnitude, "i")
    originals = rng.permutation(eligible)[: wanted(block, "duplicate", n)]
    return false, observed_again(rng, hsc, listed.part(originals)), originals


def hsc_flags(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, seen: Seen, kind: NDArray[np.str_],
    blends_flagged: NDArray[np.bool_],
) -> pd.DataFrame:  # fmt: skip
    """Return the flags of N listed objects.

    Parameters
    ----------
    sky, settings, hsc, seen
        The objects.
    kind
        Shape (N,): as in the truth's ``contaminant``.
    blends_flagged
        Shape (N,): which blends the survey knows.
    """
    rng, block = generator(sky.seed, "hsc contaminants", 2), settings["contaminants"]["hsc"]
    n, is_star = len(kind), kind == "star"
    known = np.zeros(n, dtype=bool)
    for name in ("artefact", "duplicate"):
        rows = np.flatnonzero(kind == name)
        known[rows] = flagged(rng, block, len(rows))
    extended = np.ones(n)
    i_mag = seen.recorded[:, hsc.bands.index("i")]
    extended[is_star & ~misclassified(rng, block, i_mag)] = 0.0
    blendedness = rng.uniform(*BLENDEDNESS_GOOD, n)
    blendedness[blends_flagged] = rng.uniform(*BLENDEDNESS_FLAGGED, blends_flagged.sum())
    columns: dict[str, Any] = {
        "isprimary": ~(known & (kind == "duplicate")),
        "i_extendedness_value": extended,
        "i_blendedness_abs": blendedness,
    }
    masked = known & (kind == "artefact")
    at_centre = masked & (rng.random(n) < 0.3)  # on the star itself
    for flag, rows in zip(BAND_FLAGS, (masked, at_centre), strict=True):
        columns |= {f"{band}_{flag}": rows for band in hsc.bands}
    return pd.DataFrame(columns)
