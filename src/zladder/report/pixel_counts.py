"""Stamps and image datasets on the page of counts: what came in, what was lost, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.names import BY_GALAXY
from zladder.report.markup import Html, breakable, joined, tag
from zladder.report.numerals import count, count_cell
from zladder.report.page import paragraph, section, table
from zladder.report.records import of_rule
from zladder.report.split_words import split_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.report.records import Record

STAMP_RULES = ("cut_stamps", "convert_images")
_LARGE_SHARE = 0.25  # as the log of build_image_dataset: a quarter of a dataset
KINDS = {
    "flagged": "a stamp with a flag that the dataset leaves out",
    "paired": "too near a galaxy of another split",
    "border": "a stamp at the border of another split's sky",
    "near_held_out": "a stamp that could show the sky of galaxies held out elsewhere",
}


def stamps_section(records: Sequence[Record]) -> Html | None:
    """Return how many stamps of each sample were cut; nothing where there are no pixels."""
    cut = of_rule(records, *STAMP_RULES)
    if not cut:
        return None
    rows = []
    for sample in dict.fromkeys(record.path.parent.name for record in cut):
        shards = [record.counts for record in cut if record.path.parent.name == sample]
        lost = _added(shard.get("n_lost", {}) for shard in shards)
        rows.append([
            sample, *[count_cell(_total(shards, key)) for key in ("n_fields", "n_in", "n_out")],
            _reasons(lost, {}), count_cell(_without_width(shards)),
            tag("td", count(len(shards)), class_="n"),
        ])  # fmt: skip
    head = ["sample", *[tag("th", words, class_="n") for words in
                        ("fields", "galaxies in", "stamps out", "lost", "PSF widths not known",
                         "shards")]]  # fmt: skip
    note = ("Each galaxy that got no stamp is listed with its reason beside the shard "
            "(SHARD.losses.csv). Widths of the point-spread function "
            "count once a band.")  # fmt: skip
    return section("Stamps", table(head, rows), paragraph(note, kind="note"))


def _without_width(shards: Sequence[Mapping[str, Any]]) -> int | None:
    """Return how many widths are not known, all bands together; None where nobody counted."""
    told = [shard["n_without_psf_width"] for shard in shards if "n_without_psf_width" in shard]
    return sum(sum(found.values()) for found in told) if told else None


def _total(shards: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """Return a sum over shards; None where there is no such count (fields of published images)."""
    counts = [int(shard[key]) for shard in shards if key in shard]
    return sum(counts) if counts else None


def image_datasets_section(records: Sequence[Record]) -> Html | None:
    """Return the image datasets with what was left out; nothing where there are none."""
    made = of_rule(records, "build_image_dataset")
    if not made:
        return None
    splits = list(dict.fromkeys(split for record in made for split in record.by_split))
    rows = [
        [
            joined(breakable(record.subject), split_label(record.content)),
            count_cell(sum(dict(record.counts.get("n_in", {})).values())),
            count_cell(record.counts.get("n_copies_dropped")),
            count_cell(record.counts.get("n_without_stamp")),
            _reasons(_left_out(record.counts), KINDS),
            count_cell(record.counts.get("n_out")),
            count_cell(record.counts.get("n_flagged")),
            _pairs(record.counts),
            *[count_cell(record.by_split.get(split)) for split in splits],
        ]
        for record in made
    ]
    names = ("galaxies in", "copies dropped", "without a stamp", "left out", "galaxies out",
             "of them with a fault", "pairs of two splits sharing pixels", *splits)  # fmt: skip
    head = ["dataset", *[tag("th", name, style="text-align: right") for name in names]]
    shown = table(head, rows, class_="dense")  # words in lines: all columns fit the page
    borders = _borders(made)
    told = paragraph(borders, kind="note") if borders else None
    return section("Image datasets", shown, told, paragraph(_drawn(made), kind="note"))


def _borders(made: Sequence[Record]) -> str:
    """Return what share of each split the datasets lose at borders, with advice if it is large."""
    told, large = [], []
    for record in made:
        lost = record.counts.get("n_border_dropped", {})
        if not sum(lost.values()):
            continue
        paired = record.counts.get("n_paired_dropped", {})
        drawn = {split: n + paired.get(split, 0) + record.by_split.get(split, 0)
                 for split, n in lost.items()}  # fmt: skip
        share = sum(lost.values()) / sum(drawn.values())
        parts = [f"{split} {n / drawn[split]:.0%}" for split, n in lost.items() if drawn[split]]
        told.append(f"{record.subject} {share:.0%} ({', '.join(parts)})")
        large += [record.subject] if share > _LARGE_SHARE else []
    words = f"Lost at the border of another split: {'; '.join(told)}." if told else ""
    advice = "a lower datasets.images.sky_cell_order makes larger cells and loses fewer"
    return f"{words} That is much of {', '.join(large)}: {advice}." if large else words


def _drawn(made: Sequence[Record]) -> str:
    """Return how the splits were drawn: by cell, or by galaxy as some papers do."""
    by_galaxy = [record.subject for record in made if drawn_by_galaxy(record)]
    cells = ("Splits are drawn by sky cell, and a galaxy whose stamp reaches into another split's "
             "sky is left out: no stamp shows the pixels of another split.")  # fmt: skip
    faults = " A fault of a stamp is a flag that finds fault with its pixels, in any band."
    if not by_galaxy:
        return cells + faults
    galaxies = ("splits are drawn by galaxy, as their papers did: stamps of two splits may show "
                "the same pixels, and the pairs that may are counted.")  # fmt: skip
    if len(by_galaxy) == len(made):
        return galaxies[0].upper() + galaxies[1:] + faults
    return f"{cells} Not so in {', '.join(by_galaxy)}: {galaxies}{faults}"


def drawn_by_galaxy(record: Record) -> bool:
    """Return whether a dataset's splits were drawn by galaxy, as some papers do."""
    convention = str(record.content.get("split", {}).get("convention", ""))
    return BY_GALAXY in convention.split(" + ")


def _pairs(counts: Mapping[str, Any]) -> Html:
    """Return a cell with the pairs of two splits that may share pixels; below, the close ones."""
    sharing = counts.get("n_pairs_sharing_pixels")
    if sharing is None:
        return count_cell(None)
    close = f"close, as drawn: {count(counts.get('n_pairs_across', 0))}"
    return tag("td", count(sharing), tag("span", close, class_="sub"), class_="n")


def _left_out(counts: Mapping[str, Any]) -> dict[str, int]:
    """Return {reason: galaxies left out of an image dataset}."""
    paired = sum(counts.get("n_paired_dropped", {}).values())
    return {**counts.get("n_dropped", {}), **({"paired": paired} if paired else {})}


def _added(counts: Any) -> dict[str, int]:
    """Return {kind: sum} of several counts by kind."""
    total: dict[str, int] = {}
    for found in counts:
        for kind, n in dict(found).items():
            total[kind] = total.get(kind, 0) + int(n)
    return total


def _reasons(lost: Mapping[str, int], words: Mapping[str, str]) -> Html:
    """Return a cell with the sum, and each reason with its number below."""
    told = ", ".join(f"{words.get(kind, kind)} {count(n)}" for kind, n in lost.items() if n)
    below = tag("span", told, class_="sub") if told else None
    return tag("td", count(sum(lost.values())), below, class_="n")
