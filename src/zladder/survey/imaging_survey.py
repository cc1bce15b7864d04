"""The shallow survey with pixels: two catalogues, the scene to be painted, and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from zladder.survey.assembly import Ids, join_truth, listed_rows, truth_rows
from zladder.survey.collecting import Sky
from zladder.survey.imaging import ImagingField, lay_fields
from zladder.survey.imaging_contaminants import Contaminants, contaminate
from zladder.survey.samples import (
    Placed,
    Sample,
    imaging_sample,
    imaging_stars,
    join_placed,
    main_and_deep,
    neighbours,
)
from zladder.survey.scene import (
    artefact_scene,
    galaxy_scene,
    numbers_of,
    star_scene,
    unpainted_scene,
)
from zladder.survey.seeing import with_rows, with_seeing
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.morphology import Shapes, draw_shapes
from zladder.universe.structure import (
    Structure,
    measure_structure,
    point_structure,
    true_structure,
)

Tables = dict[str, pd.DataFrame]


def imaging_survey(sky: Sky, settings: Mapping[str, Any], sdss: Instrument) -> Tables:
    """Return ``sdss``, ``sdss_deep``, ``scene`` and ``truth`` (of the scene's objects, in order).

    The two samples have fields and random numbers of their own: more galaxies of one leave the
    other as it was, but for where its fields lie.
    """
    fields = lay_fields(settings, sky.seed)
    n_main = sum(one.number.run == settings["imaging"]["main_run"] for one in fields)
    main, deep = main_and_deep(settings)
    labelled, labelled_scene = _survey_part(sky, settings, sdss, main, fields[:n_main])
    unlabelled, unlabelled_scene = _survey_part(sky, settings, sdss, deep, fields[n_main:])
    return {
        "sdss": labelled,
        "sdss_deep": unlabelled,
        **_joined([labelled_scene, unlabelled_scene]),
    }


def _survey_part(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, sample: Sample,
    fields: Sequence[ImagingField],
) -> tuple[pd.DataFrame, Tables]:  # fmt: skip
    """Return the catalogue of one sample, and scene and truth of everything in its fields."""
    number = sample.counter
    galaxies = imaging_sample(sky, settings, sdss, sample, fields)
    stars = imaging_stars(sky, settings, sdss, fields, number)
    others = contaminate(sky, settings, sdss, sample, fields, galaxies, stars)
    rng = generator(sky.seed, f"{sample.stream} rows")
    listed = join_placed([galaxies, *others.listed.values()])
    numbers = numbers_of(fields, listed.field)
    structure = _measured(sky, settings, sdss, galaxies, listed, others, number)
    table, ids = listed_rows(rng, settings["sdss"], sdss, listed, numbers, structure, number == 0)
    table = with_rows(with_seeing(table, settings, sky.seed), settings, fields)
    beside = neighbours(sky, settings, sdss, fields, galaxies, number)
    sets = (galaxies, others.hosts, beside, others.companions)
    parts = [
        _galaxies(sky, settings, sdss, fields, part, (number, kind))
        for part, kind in zip(sets, (0, 2, 1, 3), strict=True)
    ]
    parts.append(_tables(star_scene(fields, sdss, stars), sdss, stars))
    parts += _points(fields, sdss, others)
    return table, _joined(_named(parts, others, ids))


def _points(fields: Sequence[ImagingField], sdss: Instrument, others: Contaminants) -> list[Tables]:
    """Return scene and truth of listed stars, artefacts and duplicates."""
    star, artefact, again = (others.listed[kind] for kind in ("star", "artefact", "duplicate"))
    return [
        _tables(star_scene(fields, sdss, star), sdss, star),
        _tables(artefact_scene(fields, sdss, artefact), sdss, artefact),
        _tables(unpainted_scene(fields, sdss, again), sdss, again),
    ]


def _tables(scene: pd.DataFrame, sdss: Instrument, placed: Placed) -> Tables:
    return {"scene": scene, "truth": truth_rows(placed.seen, "sdss", sdss.bands)}


def _named(parts: list[Tables], others: Contaminants, ids: Ids) -> list[Tables]:
    """Give the identifiers to what is listed, and say what the contaminants are.

    The parts are galaxies, hosts of blends, neighbours, companions in blends, unlisted stars,
    listed stars, artefacts, duplicates.
    """
    truth = [part["truth"] for part in parts]
    n_galaxies = len(truth[0])
    listed = {"": truth[0], "star": truth[5], "blend": truth[1], "artefact": truth[6],
              "duplicate": truth[7]}  # fmt: skip
    first = 0
    for kind, rows in listed.items():
        rows["objID"] = ids[first : first + len(rows)]
        rows["contaminant"] = kind
        first += len(rows)
    truth[6]["is_star"] = False
    companions_from = sum(len(rows) for rows in truth[:3])
    # counted from the hosts' own first row, as `join_truth` moves it with them
    truth[1]["blended_with"] = companions_from - n_galaxies + np.arange(len(truth[1]))
    truth[7]["duplicate_of"] = ids[:n_galaxies][others.originals]
    return parts


def _shapes(
    sky: Sky, settings: Mapping[str, Any], placed: Placed, counters: Sequence[int]
) -> Shapes:
    rng = generator(sky.seed, "shapes", *counters)
    return draw_shapes(rng, settings["morphology"], placed.seen.galaxies)


def _measured(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, galaxies: Placed,
    listed: Placed, others: Contaminants, number: int,
) -> Structure:  # fmt: skip
    """Return what the catalogue lists of shapes: galaxies, stars, blends, artefacts, duplicates.

    A blend is measured as its brighter galaxy, what has no extent as a very small round disc.
    """
    seen, r_band = listed.seen, sdss.bands.index("r")
    own = true_structure(_shapes(sky, settings, galaxies, (number, 0)))
    hosts = true_structure(_shapes(sky, settings, others.hosts, (number, 2)))
    points = {kind: point_structure(len(others.listed[kind].field)) for kind in others.listed}
    parts = points | {"blend": hosts, "duplicate": own[:, others.originals]}
    true = np.concatenate([own, *(parts[kind] for kind in others.listed)], axis=1)
    relative = seen.flux_error[:, r_band] / np.maximum(seen.flux[:, r_band], 1e-9)
    return measure_structure(generator(sky.seed, "structure", number), true, relative)


def _galaxies(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, fields: Sequence[ImagingField],
    placed: Placed, counters: tuple[int, int],
) -> Tables:  # fmt: skip
    """Return scene and truth of galaxies, which get their shapes here."""
    shapes = _shapes(sky, settings, placed, counters)
    truth = truth_rows(placed.seen, "sdss", sdss.bands).assign(**asdict(shapes))
    return {"scene": galaxy_scene(fields, sdss, placed, shapes), "truth": truth}


def _joined(parts: Sequence[Tables]) -> Tables:
    """Return the scenes as one, and the truths, with the numbers of the fields."""
    scene = pd.concat([part["scene"] for part in parts], ignore_index=True)
    truth = join_truth([part["truth"] for part in parts])
    numbers = ["run", "camcol", "field"]
    truth[numbers] = scene[numbers]
    return {"scene": scene, "truth": truth}
