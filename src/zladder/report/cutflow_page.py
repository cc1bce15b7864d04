"""The page of counts: every galaxy from the native tables to the splits, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, joined, tag
from zladder.report.match_counts import matches_section
from zladder.report.numerals import count, count_cell
from zladder.report.page import folded, page, paragraph, section, table
from zladder.report.pixel_counts import (
    drawn_by_galaxy,
    image_datasets_section,
    stamps_section,
)
from zladder.report.records import of_rule
from zladder.report.split_words import split_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from zladder.report.records import Record

# kind of count of a catalogue: what it is of, where the count itself does not say
_COUNTED = {
    "sentinels": "", "flux_not_positive": "flux ≤ 0",
    "moments_not_positive": "moments of no ellipse: no width",
    "width_not_positive": "width of the point-spread function ≤ 0: not known",
}  # fmt: skip


def cutflow_page(cutflows: Mapping[str, pd.DataFrame], records: Sequence[Record]) -> str:
    """Return the page.

    Parameters
    ----------
    cutflows
        {sample: ``cut description n_in n_out fraction n_lost n_lost_alone n_lost_nan``}.
    records
        Sidecars of catalogues, matches, samples and datasets.
    """
    lead = "From the native tables to the splits: what came in, what went out, and why."
    return page(
        "Galaxies in and out",
        lead,
        _catalogs(of_rule(records, "read_catalog")),
        matches_section(of_rule(records, "crossmatch")),
        section("Selection", *[cutflow_table(name, found) for name, found in cutflows.items()],
                paragraph("“stay” is the share of those that came to the cut; “alone” is what it "
                          "would take from the first sample without the others; “NaN” is how many "
                          "of the lost have no number there.", kind="note")),
        stamps_section(records),
        datasets_section(of_rule(records, "build_dataset")),
        image_datasets_section(records),
    )  # fmt: skip


def _catalogs(records: Sequence[Record]) -> Html:
    head = ["survey", *_right("rows in", "duplicates dropped", "rows out", "RA wrapped"),
            "sentinels", "warnings"]  # fmt: skip
    rows = [
        [record.subject, *[count_cell(record.counts.get(name))
         for name in ("rows_in", "duplicates", "rows_out")], _wrapped(record.counts),
         _sentinels(record.counts), _warnings(record.counts)]
        for record in records
    ]  # fmt: skip
    note = ("A sentinel is a number that stands for “not observed” or “not detected”. RA wrapped: "
            "rows whose right ascension was below 0 or 360 degrees.")  # fmt: skip
    return section("Catalogues as read", table(head, rows), paragraph(note, kind="note"))


def _wrapped(counts: Mapping[str, Any]) -> Html:
    parts = [part["ra_wrapped"] for part in _parts(counts).values() if "ra_wrapped" in part]
    return count_cell(sum(parts) if parts else None, "a survey without positions")


def _warnings(counts: Mapping[str, Any]) -> Html | str:
    """Return what was suspicious in the files, with the part; details inside."""
    rows = [[part, words] for part, found in _parts(counts).items()
            for words in found.get("warnings", [])]  # fmt: skip
    if not rows:
        return "none"
    return folded(f"{count(len(rows))} to look at", table(["part", "warning"], rows, class_="wrap"))


def _parts(counts: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(counts.get("parts", {"": counts}))


def _sentinels(counts: Mapping[str, Any]) -> Html | str:
    """Return how often each declared sentinel was met, all columns together; details inside."""
    lines = []
    for part, found in _parts(counts).items():
        for kind, words in _COUNTED.items():
            for column, what in dict(found.get(kind, {})).items():
                by_value = what if isinstance(what, dict) else {words: what}
                lines += [(part, column, value, int(rows)) for value, rows in by_value.items()]
    lines = [line for line in lines if line[3]]
    if not lines:
        return "none met"
    rows = [[part, tag("code", column), value, count_cell(n)] for part, column, value, n in lines]
    total = f"{count(sum(line[3] for line in lines))} numbers"
    return folded(total, table(["part", "column", "value", *_right("rows")], rows))


def cutflow_table(name: str, found: pd.DataFrame) -> Html:
    """Return one sample's cuts with a bar for what is left."""
    first = max(int(found["n_in"].iloc[0]), 1) if len(found) else 1
    rows = [
        [tag("td", row["cut"], tag("span", row["description"], class_="sub")),
         *[count_cell(row[column], data_cut=row["cut"], data_count=column)
           for column in ("n_in", "n_lost", "n_lost_alone", "n_lost_nan")],
         count_cell(row["n_out"], data_cut=row["cut"], data_count="n_out"),
         tag("td", f"{100 * row['fraction']:.1f} %", class_="n", data_fraction=row["cut"]),
         tag("td", _bar(row["n_out"] / first), style="width: 22%")]
        for _, row in found.iterrows()
    ]  # fmt: skip
    head = ["cut", *_right("in", "lost", "alone", "NaN", "out", "stay"), ""]
    whole = table(head, rows, class_="wrap", style="width: 100%")
    return tag("div", tag("h3", name), whole)


def _bar(share: float) -> Html:
    return tag("span", class_="bar", style=f"width: {100 * share:.1f}%; min-width: 1px")


def datasets_section(records: Sequence[Record]) -> Html:
    """Return the catalogue datasets with what came in and their splits."""
    splits = list(dict.fromkeys(s for record in records for s in record.by_split))
    head = [
        "dataset",
        *_right("galaxies in", "copies dropped", "close pairs", "galaxies out", *splits),
    ]
    rows = []
    for record in records:
        counts = record.counts
        n_in = dict(counts.get("n_in", {}))
        by_sample = ", ".join(f"{sample} {count(n)}" for sample, n in n_in.items())
        rows.append([
            joined(record.subject, split_label(record.content)),
            tag("td", count(sum(n_in.values())), tag("span", by_sample, class_="sub"), class_="n"),
            _copies(counts), _paired(counts), count_cell(counts.get("n_out")),
            *[count_cell(record.by_split.get(split)) for split in splits],
        ])  # fmt: skip
    note = ("Splits are drawn by sky cell, or by galaxy where there are no positions: a galaxy "
            "has the same split in all datasets with the same cells and shares. Under a dataset's "
            "name stands the digest of its splits. Close pairs: galaxies dropped because one of a "
            "later split (train, validation, calibration, test) is too near.")  # fmt: skip
    note += _as_papers_drew(records)
    return section("Datasets and their splits", table(head, rows), paragraph(note, kind="note"))


def _as_papers_drew(records: Sequence[Record]) -> str:
    """Return what else holds for splits that were drawn by galaxy; nothing without any."""
    counts = {r.subject: r.counts.get("n_pairs_across", 0) for r in records if drawn_by_galaxy(r)}
    if not counts:
        return ""
    pairs = ", ".join(f"{count(n)} in {name}" for name, n in counts.items())
    return (f" Not so in {', '.join(counts)}: there they are drawn by galaxy, as their papers did, "
            f"and close pairs of two splits stay ({pairs}).")  # fmt: skip


def _copies(counts: Mapping[str, Any]) -> Html:
    """Return how many copies of a galaxy were dropped, and by what they were found."""
    dropped = counts.get("n_copies_dropped")
    if not dropped:
        return count_cell(dropped)
    ways = {"n_copies_by_id": "by identifier", "n_copies_by_place": "by place"}
    found = ", ".join(f"{count(counts[key])} {words}" for key, words in ways.items()
                      if key in counts)  # fmt: skip
    return tag("td", count(dropped), tag("span", found, class_="sub"), class_="n")


def _paired(counts: Mapping[str, Any]) -> Html:
    """Return how many galaxies were dropped for a neighbour in another split; a dash if unknown."""
    dropped = counts.get("n_paired_dropped")
    return count_cell(None if dropped is None else sum(dropped.values()))


def _right(*names: str) -> list[Html]:
    return [tag("th", name, class_="n") for name in names]
