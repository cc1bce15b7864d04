"""The shallow survey with pixels: two catalogues, the scene to be painted, and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from zladder.survey.assembly import listed_rows, truth_rows
from zladder.survey.collecting import Sky
from zladder.survey.imaging import ImagingField, lay_fields
from zladder.survey.observing import Instrument
from zladder.survey.samples import (
    Placed,
    Sample,
    imaging_sample,
    imaging_stars,
    main_and_deep,
    neighbours,
)
from zladder.survey.scene import galaxy_scene, numbers_of, star_scene
from zladder.survey.streams import generator
from zladder.universe.morphology import draw_shapes

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
    listed = imaging_sample(sky, settings, sdss, sample, fields)
    rng = generator(sky.seed, f"{sample.stream} rows")
    numbers = numbers_of(fields, listed.field)
    table, ids = listed_rows(rng, settings["sdss"], sdss, listed, numbers, number == 0)
    beside = neighbours(sky, settings, sdss, fields, listed, number)
    stars = imaging_stars(sky, settings, sdss, fields, number)
    parts = [
        _galaxies(sky, settings, sdss, fields, part, (number, kind))
        for kind, part in enumerate((listed, beside))
    ]
    parts[0]["truth"]["objID"] = ids
    truth = truth_rows(stars.seen, "sdss", sdss.bands)
    parts.append({"scene": star_scene(fields, sdss, stars), "truth": truth})
    return table, _joined(parts)


def _galaxies(
    sky: Sky, settings: Mapping[str, Any], sdss: Instrument, fields: Sequence[ImagingField],
    placed: Placed, counters: tuple[int, int],
) -> Tables:  # fmt: skip
    """Return scene and truth of galaxies, which get their shapes here."""
    rng = generator(sky.seed, "shapes", *counters)
    shapes = draw_shapes(rng, settings["morphology"], placed.seen.galaxies)
    truth = truth_rows(placed.seen, "sdss", sdss.bands).assign(**asdict(shapes))
    return {"scene": galaxy_scene(fields, sdss, placed, shapes), "truth": truth}


def _joined(parts: Sequence[Tables]) -> Tables:
    """Return the scenes as one, and the truths, with the numbers of the fields."""
    scene, truth = (
        pd.concat([part[name] for part in parts], ignore_index=True) for name in ("scene", "truth")
    )
    numbers = ["run", "camcol", "field"]
    truth[numbers] = scene[numbers]
    return {"scene": scene, "truth": truth}
