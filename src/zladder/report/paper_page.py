"""One page a paper: what it asks, what was built here, what came out, and the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import require_known
from zladder.report.claims_page import badge, claims_table, count_verdicts, how_to_read
from zladder.report.cutflow_page import cutflow_table
from zladder.report.markup import Html, joined, tag
from zladder.report.numerals import count
from zladder.report.page import bullets, folded, page, paragraph, section, table, wide_image
from zladder.report.paper_runs import runs_table
from zladder.report.paper_words import PAPER_WORDS, PaperWords
from zladder.report.records import Record, of_rule
from zladder.report.references import PAPERS
from zladder.report.split_words import recorded_mark
from zladder.report.summary_page import Found, study_section
from zladder.report.summary_words import sky_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    Figures = Mapping[str, Mapping[str, Path]]

# {kind, the part of a figure's name before .png: its description and caption}, in their order.
# The files of a dataset's wall go by the dataset, the others by the study.
CAPTIONS = {
    "wall": ("galaxies in colour", "galaxies of the dataset in colour, by redshift or magnitude."),
    "labels": ("error against number of labels",
               "The error against the number of labelled training galaxies, with 95 % intervals."),
    "embeddings": ("maps of the encoders' features",
                   "Test galaxies in the two main directions of each encoder's features."),
    "stamps": ("galaxies at their places in a map",
               "The same for one encoder, with the galaxies themselves at their places."),
    "collapse": ("distributions of the estimates, total variation against slope",
                 "Mode collapse and class-dependent residuals of every method."),
    "planes": ("z_phot against z_true", "Estimated against true redshift, test galaxies."),
    "residuals": ("mean residuals against z_true and z_phot",
                  "Mean residual against z_true (left) and z_phot (right): two different biases."),
}  # fmt: skip


def figures_by_subject(files: Sequence[Path]) -> dict[str, dict[str, Path]]:
    """Return {study or dataset: {kind: file}} of files named SUBJECT.KIND.png."""
    found: dict[str, dict[str, Path]] = {}
    for path in files:
        subject, kind, _ = path.name.rsplit(".", 2)
        found.setdefault(subject, {})[kind] = path
    return found


def paper_page(
    about: Mapping[str, Any],
    studies: Mapping[str, Found],
    figures: Figures,
    cards: Sequence[Mapping[str, Any]],
    records: Sequence[Record],
    cutflows: Mapping[str, pd.DataFrame],
) -> str:
    """Return the page.

    Parameters
    ----------
    about
        ``paper``, ``sky``, ``scale``.
    studies
        {study of the paper: what it found}.
    figures
        As of `figures_by_subject`; a kind without a caption is not shown.
    cards
        Of all runs of the studies.
    records
        Sidecars of the datasets.
    cutflows
        {sample: its cut-flow} of the samples in these datasets.
    """
    require_known(about["paper"], PAPER_WORDS, "the settings", "paper")
    words = PAPER_WORDS[about["paper"]]
    return page(
        f"{words.name}: {words.title}",
        words.asks,
        _verdict_line(studies),
        section("What the paper says", bullets(words.says)),
        _built(about, studies, cards, records),
        _selected(cutflows),
        *_walls(figures, cards),
        *[study_section(found, *_shown(figures.get(name, {}))) for name, found in studies.items()],
        _claims(studies),
        _departures(words),
        _citation(about["paper"]),
    )


def _verdict_line(studies: Mapping[str, Found]) -> Html:
    """Return the verdicts that were given, each once with its number."""
    counts = count_verdicts({name: found.claims for name, found in studies.items()})
    given = [joined(badge(verdict), f" {n}  ") for verdict, n in counts.items() if n]
    if not given:
        return paragraph("No published claim is held against these studies.")
    return paragraph("Claims held beside ours, the paper's and this project's: ", *given)


def _built(
    about: Mapping[str, Any],
    studies: Mapping[str, Found],
    cards: Sequence[Mapping[str, Any]],
    records: Sequence[Record],
) -> Html:
    """Return the sky, the sizes of the datasets, and the trainings."""
    simulated = [bool(found.about["simulated"]) for found in studies.values()]
    used = {str(card["data"]["dataset"]) for card in cards}
    used |= {name for found in studies.values() for name in found.roles.datasets}
    made = [
        record
        for record in of_rule(records, "build_dataset", "build_image_dataset")
        if record.subject in used
    ]
    splits = list(dict.fromkeys(split for record in made for split in record.by_split))
    rows = [
        [joined(record.subject, recorded_mark(record.content)),
         *[tag("td", count(record.by_split.get(split, 0)), class_="n")
           for split in splits]]
        for record in made
    ]  # fmt: skip
    head = ["galaxies of", *[tag("th", split, class_="n") for split in splits]]
    return section(
        "What was built here",
        paragraph(sky_words(about, all(simulated), any(simulated))),
        table(head, rows) if rows else None,
        folded(f"The {len(cards)} trainings and fits, from their run cards", runs_table(cards)),
    )


def _selected(cutflows: Mapping[str, pd.DataFrame]) -> Html | None:
    """Return the cut-flow of each sample; nothing where the page was given none."""
    if not cutflows:
        return None
    tables = [cutflow_table(name, found) for name, found in cutflows.items()]
    note = paragraph(
        "What the columns mean, and what came before and after: “Counts”.", kind="note"
    )
    return section("How its galaxies were selected", *tables, note)


def _walls(figures: Figures, cards: Sequence[Mapping[str, Any]]) -> list[Html]:
    """Return the walls of the datasets that the paper's runs learned from."""
    datasets = dict.fromkeys(str(card["data"]["dataset"]) for card in cards)
    walls = {name: figures[name]["wall"] for name in datasets if "wall" in figures.get(name, {})}
    return [_figure("wall", path, f"{name}: ") for name, path in walls.items()]


def _shown(figures: Mapping[str, Path]) -> list[Html]:
    """Return a study's figures in the order of their captions."""
    return [_figure(kind, figures[kind]) for kind in CAPTIONS if kind in figures]


def _figure(kind: str, path: Path, before: str = "") -> Html:
    description, caption = CAPTIONS[kind]
    return wide_image(path, description, f"{before}{caption}")


def _claims(studies: Mapping[str, Found]) -> Html:
    """Return the claims of all studies of the paper."""
    held = {name: found for name, found in studies.items() if not found.claims.empty}
    parts: list[Html] = []
    for found in held.values():
        parts += [tag("h3", found.about["title"]), claims_table(found.claims)]
    reading = how_to_read() if held else paragraph("None is held against these studies.")
    return section("Claims and verdicts", *parts, reading)


def _departures(words: PaperWords) -> Html:
    note = ("Everything else follows the paper or its public code as far as these could be read; "
            "docs/choices.md gives reasons.")  # fmt: skip
    return section("Not from the paper", bullets(words.departures), paragraph(note, kind="note"))


def _citation(paper: str) -> Html:
    works = [work.text().replace("\\&", "&") for work in PAPERS[paper]]
    return section("To cite", bullets(works),
                   paragraph("As BibTeX under “Citations (BibTeX)”.", kind="note"))  # fmt: skip
