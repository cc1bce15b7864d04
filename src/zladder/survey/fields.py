"""The parts of the sky, each with the galaxies that its survey lists and their labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.collecting import Request, Sky, collect, draw_chunk
from zladder.survey.geometry import Field, draw_outside
from zladder.survey.manyband import passes_usual_cuts
from zladder.survey.manyband_camera import ManyBandCamera
from zladder.survey.manyband_labels import manyband_labels
from zladder.survey.observing import Seen, join_seen, look
from zladder.survey.selection import drawn_rows
from zladder.survey.spectroscopy import spectroscopic_rows, targeted
from zladder.survey.stars import draw_stars, look_at_stars
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.population import make_pool
from zladder.universe.programmes import SPECZ_RANGE, faintest_target_mag, success_share

Part = tuple[Seen, pd.DataFrame]


def _listed(
    rng: np.random.Generator, settings: Mapping[str, Any], instrument: Instrument, seen: Seen
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which galaxies the HSC-like catalogue lists, and which of them in every band."""
    i_band = instrument.bands.index("i")
    detected = seen.flux[:, i_band] > settings["detection_sigmas"] * seen.flux_error[:, i_band]
    listed = detected & (rng.random(len(detected)) >= settings["masked_share"])
    return listed, listed & (seen.flux > 0).all(axis=1)


def deep_field(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, camera: ManyBandCamera, field: Field
) -> tuple[Seen, pd.DataFrame, pd.DataFrame]:
    """Return what the many-band catalogue lists: n_photoz usable labels and the others met.

    Returns
    -------
    seen, labels
        As the HSC-like survey sees them, and their columns (`manyband_labels`); ``drawn_row`` is
        the place in ``drawn``, -1 for stars.
    drawn
        Of every galaxy drawn, listed or not, what `selection.drawn_rows` says.
    """
    block = settings["manyband"]
    drawn: list[pd.DataFrame] = []

    def judge(rng: np.random.Generator, seen: Seen) -> pd.DataFrame:
        many = look(rng, camera.instrument, sky.dust, seen.galaxies, (seen.ra, seen.dec))
        labels = manyband_labels(rng, block, camera, seen, many)
        listed, complete = _listed(rng, settings["hsc"], hsc, seen)
        usable = labels["kept"] & complete & passes_usual_cuts(labels)
        number = sum(map(len, drawn)) + np.arange(len(labels))
        drawn.append(drawn_rows(seen, hsc.bands, usable))
        columns = labels.assign(in_hsc=listed, in_all_bands=complete, usable=usable)
        return columns.assign(drawn_row=number)

    pool = make_pool(hsc.table, settings["population"], "i", block["limit_i_mag"])
    wanted = settings["n_photoz"]
    request = Request("survey/n_photoz", wanted, pool.per_deg2 * field.area_deg2, "deep")
    seen, labels = collect(sky, request, pool, hsc, field.draw, judge)
    stars = round(len(labels) * block["star_share"])
    seen_stars, star_labels = _stars(sky, settings, hsc, camera, field, stars)
    return (
        join_seen([seen, seen_stars]),
        pd.concat([labels, star_labels], ignore_index=True),
        pd.concat(drawn, ignore_index=True),
    )


def _stars(
    sky: Sky,
    settings: Mapping[str, Any],
    hsc: Instrument,
    camera: ManyBandCamera,
    field: Field,
    n: int,
) -> Part:
    """Return the stars among the deep field's objects.

    None counts as a usable label; one that the fit takes for a galaxy is a contaminant.
    """
    rng = generator(sky.seed, "stars")
    position, stars = field.draw(rng, n), draw_stars(rng, n)
    i_angstrom = float(hsc.effective_angstrom[hsc.bands.index("i")])
    seen, many = (
        look_at_stars(rng, instrument, sky.dust, stars, position, i_angstrom)
        for instrument in (hsc, camera.instrument)
    )
    labels = manyband_labels(rng, settings["manyband"], camera, seen, many)
    listed, complete = _listed(rng, settings["hsc"], hsc, seen)
    labels = labels.assign(in_hsc=listed, in_all_bands=complete, usable=False, drawn_row=-1)
    rows = np.flatnonzero(labels["kept"])
    return seen.part(rows), labels.iloc[rows]


def programme_counts(settings: Mapping[str, Any], n: int) -> dict[str, int]:
    """Share a number out among the spectroscopic programmes; the counts add up to it."""
    programmes = settings["spectroscopy"]["programmes"]
    shares = np.array([programme["share"] for programme in programmes.values()])
    edges = np.round(n * np.cumsum(shares) / shares.sum()).astype(int)
    return dict(zip(programmes, np.diff(edges, prepend=0).tolist(), strict=True))


def spectra_in_deep_field(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, deep: Part
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Give some galaxies of the deep field a spectrum as well; return their rows and labels.

    The programmes are the wide field's; where the small deep field has too few galaxies for one
    of them, all of those are taken.
    """
    rng = generator(sky.seed, "spectroscopy", 0)
    seen, labels = deep
    free = np.ones(len(labels), dtype=bool)
    chosen: list[NDArray[np.int64]] = []
    names: list[str] = []
    wanted = round(settings["sky"]["overlap_share"] * settings["n_photoz"])
    for name, count in programme_counts(settings, wanted).items():
        found = np.flatnonzero(free & _with_redshift(rng, settings, name, hsc, seen))[:count]
        free[found] = False
        chosen.append(found)
        names += [name] * len(found)
    rows = np.concatenate(chosen)
    complete = labels["in_all_bands"].to_numpy()[rows]
    columns = _specz_labels(rng, settings, seen.part(rows), complete)
    return rows, columns.assign(programme=np.array(names, dtype=object))


def spectroscopic_field(
    sky: Sky, settings: Mapping[str, Any], hsc: Instrument, fields: tuple[Field, Field], n: int
) -> Part:
    """Return ``n`` usable spectroscopic redshifts of the wide field, and the unusable met.

    Beside their labels stands the area that the programme had searched when it met them.
    """
    deep, wide = fields
    area = wide.area_deg2 - deep.area_deg2
    parts: list[Part] = []
    for counter, (name, count) in enumerate(programme_counts(settings, n).items(), start=1):
        if count == 0:
            continue
        block = settings["spectroscopy"]
        faintest = faintest_target_mag(block, block["programmes"][name])
        pool = make_pool(hsc.table, settings["population"], "i", faintest)

        met = 0  # galaxies drawn before this chunk

        def judge(
            rng: np.random.Generator, seen: Seen, name: str = name, per_deg2: float = pool.per_deg2
        ) -> pd.DataFrame:
            nonlocal met
            kept = _with_redshift(rng, settings, name, hsc, seen)
            listed, complete = _listed(rng, settings["hsc"], hsc, seen)
            columns = _specz_labels(rng, settings, seen, complete & kept)
            number = met + 1 + np.arange(len(kept))
            met += len(kept)
            columns = columns.assign(programme=name, searched_deg2=number / per_deg2)
            return columns.assign(in_hsc=listed, kept=kept)

        request = Request(
            f"survey/n_specz (programme {name})",
            count,
            pool.per_deg2 * area,
            "spectroscopy",
            counter,
        )
        parts.append(collect(sky, request, pool, hsc, partial(draw_outside, wide, deep), judge))
    return join_seen([p[0] for p in parts]), pd.concat([p[1] for p in parts], ignore_index=True)


def _with_redshift(
    rng: np.random.Generator, settings: Mapping[str, Any], name: str, hsc: Instrument, seen: Seen
) -> NDArray[np.bool_]:
    """Tell which galaxies a programme targets and gets a redshift of."""
    block = settings["spectroscopy"]
    bands = hsc.bands.index("i"), hsc.bands.index("g")
    target = targeted(rng, block, name, seen, bands)
    share = success_share(block, seen.galaxies.z, seen.observed()[0][:, bands[0]])
    return target & (rng.random(len(target)) < share)


def _specz_labels(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    seen: Seen,
    in_all_bands: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return redshift columns and which rows are usable labels with complete photometry."""
    columns = spectroscopic_rows(rng, settings["spectroscopy"], seen.galaxies.z)
    inside = columns["specz_redshift"].between(*SPECZ_RANGE, inclusive="neither")
    usable = columns["specz_flag_homogeneous"] & inside & in_all_bands
    return columns.assign(usable=usable)


def unlabelled_field(sky: Sky, settings: Mapping[str, Any], hsc: Instrument, field: Field) -> Seen:
    """Return galaxies of the wide field that nobody has labelled, down to the detection limit."""
    n_wanted = round(
        settings["hsc"]["unlabelled_share"] * (settings["n_photoz"] + settings["n_specz"])
    )
    rng = generator(sky.seed, "unlabelled")
    depth_mag = settings["hsc"]["depth_5sigma_mag"]["i"]
    pool = make_pool(hsc.table, settings["population"], "i", depth_mag)
    seen = draw_chunk(sky, rng, pool, hsc, field.draw, max(2 * n_wanted, 1))
    listed, _ = _listed(rng, settings["hsc"], hsc, seen)
    return seen.part(np.flatnonzero(listed)[:n_wanted])
