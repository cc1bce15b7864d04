"""The page of the mock sky: what was simulated, and how it stands beside the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from zladder.report.markup import Html, joined
from zladder.report.mock_tables import (
    blend_words,
    contaminant_table,
    frame_table,
    label_table,
    leak_table,
    pit_table,
    quantile_table,
    realism_table,
    side_table,
)
from zladder.report.page import bullets, folded, page, paragraph, section, wide_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


PIT = "pit"
OF_SEVERAL = ("leaks", "side_information")
TITLE = "The mock sky"
LEAD = (
    "A universe whose answers are known, seen through surveys like the real ones. This page shows "
    "what it is like, what it was held against, and where it falls short of the real sky."
)


class Shown(NamedTuple):
    """How a figure is shown: heading of its section, description for those who do not see it."""

    heading: str
    description: str
    caption: str


# {the part of a figure's name before .png: how it is shown}, in their order.
FIGURES = {
    "samples": Shown(
        "Redshifts and magnitudes beside the real samples",
        "histograms and distributions of redshift and magnitude, with real quantiles",
        caption="Ours in blue, the real sample in orange: its histogram where one is known, its "
        "quantiles with bars of ±15 %.",
    ),
    "tracks": Shown(
        "Colours against redshift",
        "colours of galaxies against redshift, with a track for each type",
        caption="Each break in a galaxy's spectrum moves from band to band with redshift: a track "
        "rises while the 4000 Å break crosses the bluer band, and falls while it crosses the "
        "redder one.",
    ),
    "wall": Shown(
        "Galaxies in colour, by type and redshift",
        "galaxies in colour, types below each other, redshift from left to right",
        "From the frames, as the networks see them: three bands, corrected for dust.",
    ),
    "dust": Shown(
        "The dust of the Milky Way",
        "maps of E(B−V), true and as listed, and their distribution",
        caption="Every galaxy is dimmed through its own spectrum and the filter by the true E(B−V) "
        "at its place; catalogues list the other one.",
    ),
    "frames": Shown(
        "Frames, measured back",
        "measured noise, seeing and depth against what was put in",
        "What a reader of the frames finds, against what the index of the frames says.",
    ),
}
ORACLE = Shown(
    "The oracle",
    "the oracle's estimates against redshift, and histograms of the PIT",
    caption="The density of each galaxy under the population that was simulated. Where labels are "
    "photometric they differ from the truth: calibrated against the truth, it need not be against "
    "them.",
)


def mock_sky_page(
    figures: Sequence[Path],
    found: Mapping[str, pd.DataFrame],
    about: Mapping[str, Any],
) -> str:
    """Return the page; a part whose figure or table is not there is left out.

    Parameters
    ----------
    figures
        ``mock_sky.KIND.png`` and ``STUDY.oracle.png``.
    found
        {name as of `named_tables`: table}; ``truth`` is needed.
    about
        ``depth_mag``: {band: the setting}; ``numbers``: {words: how many of it}, what was asked;
        ``estimated``: {study: its test sets whose oracle is not exact}.
    """
    kinds = {path.name.split(".")[1]: path for path in figures if ".oracle." not in path.name}
    oracles = {path.name.split(".")[0]: path for path in figures if ".oracle." in path.name}
    parts = [_opening(about, found)]
    for kind, words in FIGURES.items():
        if kind in kinds:
            shown = wide_image(kinds[kind], words.description, words.caption)
            parts.append(section(words.heading, shown, _beside(kind, found, about)))
    return page(TITLE, LEAD, *parts, _oracle(oracles, found, about), *_tables(found))


def named_tables(files: Sequence[Path]) -> dict[str, Path]:
    """Return {what the page calls a table: its file}.

    ``mock_sky.NAME.parquet`` and ``NAME.parquet`` are NAME; of `OF_SEVERAL` there is one a study or
    sample: ``STUDY/leaks``, and ``STUDY/pit`` of ``STUDY.pit.parquet``.
    """
    found = {}
    for path in files:
        first, name = path.name.split(".")[0], path.name.split(".")[-2]
        if name == PIT:
            found[f"{first}/{name}"] = path
            continue
        found[f"{path.parent.name}/{name}" if name in OF_SEVERAL else name] = path
    return found


def _opening(about: Mapping[str, Any], found: Mapping[str, pd.DataFrame]) -> Html:
    """Return what was asked for, and what there is."""
    asked = [f"{words}: {number:,}" for words, number in about["numbers"].items()]
    n = len(found["truth"])
    return section(
        "What was simulated",
        bullets(asked),
        paragraph(f"The truth knows {n:,} objects: listed galaxies, their neighbours, stars, "
                  "artefacts, second listings (duplicates), the companions of blends, and the "
                  "unlisted background of the images.", kind="note"),
    )  # fmt: skip


def _beside(kind: str, found: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Html | None:
    """Return the table that belongs below a figure."""
    if kind == "samples" and "quantiles" in found:
        return folded("The quantiles, in numbers", quantile_table(found["quantiles"]))
    if kind == "frames" and "frames" in found:
        return frame_table(found["frames"], about["depth_mag"])
    return None


def _oracle(
    oracles: Mapping[str, Path], found: Mapping[str, pd.DataFrame], about: Mapping[str, Any]
) -> Html | None:
    """Return the oracles' figures, with the numbers of their PIT below."""
    if not oracles:
        return None
    flat = {name.split("/")[0]: table for name, table in found.items() if name.endswith(f"/{PIT}")}
    shown = [wide_image(path, f"{study}: {ORACLE.description}", f"{study}: {ORACLE.caption}")
             for study, path in oracles.items()]  # fmt: skip
    return section(ORACLE.heading, *shown, pit_table(flat, about["estimated"]) if flat else None)


def _tables(found: Mapping[str, pd.DataFrame]) -> list[Html]:
    """Return the sections that are tables alone."""
    alarms = {name.split("/")[0]: table for name, table in found.items() if name.endswith("/leaks")}
    parts: list[Html] = []
    if "realism" in found:
        words = paragraph("Published values stand with the source in which they were read.",
                          kind="note")  # fmt: skip
        parts.append(
            section(
                "Colours and types beside measured ones", realism_table(found["realism"]), words
            )
        )
    if "labels" in found:
        words = paragraph("Many-band redshifts against the true ones. error_correlation: of the "
                          "label's error with that of the photometry that networks are given.",
                          kind="note")  # fmt: skip
        blends = [paragraph(text, kind="note") for text in blend_words(found["labels"])]
        shown = joined(label_table(found["labels"]), words, *blends)
        parts.append(section("Labels made by template fits", shown))
    if "contaminant" in found["truth"]:
        parts.append(section("What is no plain galaxy", contaminant_table(found["truth"])))
    if alarms:
        words = paragraph("A model whose mean score against the true redshift is better than the "
                          "oracle's, beyond the stated rate of false alarms, has a leak. Lower "
                          "scores are better.", kind="note")  # fmt: skip
        parts.append(section("Leak alarm", leak_table(alarms), words))
    sides = [table for name, table in found.items() if name.endswith("/side_information")]
    if sides:
        words = paragraph(
            "Galaxies put on the right side of the median redshift of their like "
            "from identifier, order or place alone: a half by chance.",
            kind="note",
        )
        shown = joined(side_table(pd.concat(sides)), words)
        parts.append(section("Side information", shown))
    return parts
