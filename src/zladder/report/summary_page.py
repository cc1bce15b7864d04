"""The page that a newcomer reads first, and its short form for the report's front page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.report.claims_page import badge, count_verdicts
from zladder.report.differences_table import verdict_of
from zladder.report.markup import Html, joined, listed, tag
from zladder.report.methods import Roles, roles_of, scores_on_test
from zladder.report.metric_words import SIGNED, outlier_id
from zladder.report.numerals import count, interval_text
from zladder.report.page import bullets, image, page, paragraph, section
from zladder.report.records import Record, of_rule
from zladder.report.split_words import convention_of, recorded_mark, split_mark
from zladder.report.summary_words import HOW_TO_READ, MEANINGS, sky_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Found:
    """What a study found: its words (``title``, ``question``, …), tables, roles and figure."""

    about: Mapping[str, Any]
    scores: pd.DataFrame
    differences: pd.DataFrame
    claims: pd.DataFrame
    roles: Roles
    figure: Path


def read_found(
    about: Mapping[str, Any], scores: Path, differences: Path, claims: Path, figure: Path
) -> Found:
    """Return what a study found, from its files."""
    tables = [pd.read_parquet(path) for path in (scores, differences, claims)]
    return Found(about, tables[0], tables[1], tables[2], roles_of(tables[0], tables[1]), figure)


def summary_page(
    studies: Mapping[str, Found], records: Sequence[Record], about: Mapping[str, Any]
) -> str:
    """Return the page.

    Parameters
    ----------
    studies
        {study: what it found}, in the order of the report.
    records
        Sidecars of the sky, catalogues, samples and datasets.
    about
        ``sky``, ``scale``.
    """
    simulated = [bool(found.about["simulated"]) for found in studies.values()]
    return page(
        "What was done, and what came out",
        "From survey images and catalogues to the redshifts of galaxies, estimated from their "
        "looks and their brightness in a few bands (“photo-z”), and how far they can be trusted.",
        section("In a few words", paragraph(sky_words(about, all(simulated), any(simulated))),
                _galaxies(records)),
        section("The redshifts",
                tag("div", *[_figure(found) for found in studies.values()], class_="figures"),
                paragraph("Each cell is coloured by how many test galaxies it holds, on a "
                          "logarithmic scale: on the solid line the estimate is right, outside the "
                          "dashed ones it is counted as an outlier.", kind="note")),
        *[study_section(found) for found in studies.values()],
        _verdicts(studies),
        section("How to read the rest", bullets([joined(tag("strong", name), f": {words}")
                                                 for name, words in HOW_TO_READ])),
    )  # fmt: skip


def front_fragment(studies: Mapping[str, Found]) -> str:
    """Return the short form as HTML: a figure and a sentence for each study."""
    small = "font-size: 12px; line-height: 1.4"
    parts = [
        tag("div", tag("strong", found.about["title"]), _picture(found),
            tag("p", headline_of(found), style=small))
        for found in studies.values()
    ]  # fmt: skip
    grid = "display: grid; grid-template-columns: repeat(2, 1fr); gap: 12px"
    return tag("div", listed(parts, "\n"), style=grid) + "\n"


def headline_of(found: Found) -> str:
    """Return the study's result in one sentence, for the chosen network on its first test set."""
    dataset = found.roles.datasets[0]
    rows = scores_on_test(found.scores, dataset, found.roles.chosen[dataset])
    numbers = ", ".join(f"{name} {_number(rows, name)}" for name in _three(found))
    n_used = count(rows["n_used"].iloc[0])
    return f"{found.roles.chosen[dataset]} on {n_used} test galaxies of {dataset}: {numbers}."


def _galaxies(records: Sequence[Record]) -> Html:
    """Return the numbers of galaxies on their way, as a list."""
    steps = []
    for record in of_rule(records, "select_sample"):
        n_in, n_out = record.counts.get("n_in"), record.counts.get("n_out")
        if n_in is not None and n_out is not None:
            steps.append(f"Sample {record.subject}: {count(n_in)} galaxies, "
                         f"{count(n_out)} after the cuts.")  # fmt: skip
    for record in of_rule(records, "build_dataset", "build_image_dataset"):
        shares = ", ".join(f"{count(n)} {split}" for split, n in record.by_split.items())
        words = f"Dataset {record.subject}: {shares}."
        steps.append(joined(words, recorded_mark(record.content)))
    return bullets(steps)


def _figure(found: Found) -> Html:
    dataset = found.roles.datasets[0]
    who = f"{found.roles.chosen[dataset]}, the network chosen on validation"
    mark = split_mark({"split_convention": convention_of(found.scores, dataset)})
    title = tag("strong", found.about["title"])
    caption = joined(title, f": {who}, on the test galaxies of {dataset}.", mark)
    return image(found.figure, "z_phot against z_true", caption)


def _picture(found: Found) -> Html:
    return image(found.figure, "z_phot against z_true", "")


def _three(found: Found) -> tuple[str, str, str]:
    return ("sigma_nmad", "bias_mean", outlier_id(found.about["convention"]))


def _number(rows: pd.DataFrame, metric: str) -> str:
    row = rows.loc[metric]
    return interval_text(row["value"], row["lo95"], row["hi95"], signed=metric in SIGNED)


def study_section(found: Found, *figures: Html) -> Html:
    """Return one study: its question, its three numbers beside the best tool, and its figures."""
    dataset = found.roles.datasets[0]
    chosen = found.roles.chosen[dataset]
    rows = scores_on_test(found.scores, dataset, chosen)
    cards = []
    for metric in _three(found):
        value, _, interval = _number(rows, metric).partition(" ")
        sub = f"95 % {interval} · {MEANINGS[metric]}" if interval else MEANINGS[metric]
        big, small = tag("span", value, class_="big"), tag("span", sub, class_="sub")
        cards.append(tag("div", tag("code", metric), big, small, class_="card"))
    used, total = int(rows["n_used"].iloc[0]), int(rows["n_total"].iloc[0])
    compared = found.differences[found.differences["dataset"] == dataset]
    counted = f"{count(used)} of {count(total)} test galaxies of {dataset} have an answer"
    return section(
        found.about["title"],
        paragraph(found.about["question"]),
        tag("div", *cards, class_="cards"),
        paragraph(f"The numbers are those of {chosen}; {counted}. "
                  f"{verdict_of(compared, dataset, found.roles)}",
                  split_mark({"split_convention": convention_of(found.scores, dataset)})),
        *figures,
    )  # fmt: skip


def _verdicts(studies: Mapping[str, Found]) -> Html:
    counts = count_verdicts({name: found.claims for name, found in studies.items()})
    given = [joined(badge(verdict), f" {number}") for verdict, number in counts.items() if number]
    parts: list[object] = []
    for entry in given:
        parts += [entry, "   "]
    words = parts or ["No published claim is held against these studies."]
    return section("Published claims", paragraph(*words),
                   paragraph("Each with its source, our number and the reason under “Claims”.",
                             kind="note"))  # fmt: skip
