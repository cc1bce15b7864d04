"""The section on cross-matches: what each found, what it lost, and how many pairs are false."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, tag
from zladder.report.numerals import count, count_cell, dash
from zladder.report.page import paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.report.records import Record

NO_PAIRS = "nothing was matched"
COUNTS = {
    "n_left": "labels",
    "n_left_not_candidates": "labels that the condition leaves out",
    "n_left_without_position": "labels without a position",
    "n_no_neighbour": "labels without a partner within the radius",
    "n_contested": "labels whose partner went to a nearer one",
    "n_matched": "labels matched",
    "n_ambiguous": "matched, with a second candidate within the radius",
    "n_right": "photometry",
    "n_right_not_candidates": "photometry that the condition leaves out",
    "n_right_without_position": "photometry without a position",
    "n_right_matched": "photometry matched",
}
NOTE = (
    "False pairs: eight places ten radii away from a label tell how often a stranger comes by at "
    "each distance; a label takes it only if it has found nothing nearer. Second candidates of "
    "matched labels tell how much more crowded their surroundings are, which counts by its "
    "significance. The interval, of the expected number, holds 95 %."
)


def matches_section(records: Sequence[Record]) -> Html | None:
    """Return the quality of each cross-match, a column each; nothing where none was needed."""
    if not records:
        return None
    qualities = [dict(record.content.get("quality", {})) for record in records]
    rows = [["mode, radius", *[tag("td", _mode(record.counts), class_="n") for record in records]]]
    rows += [
        [words, *[count_cell(record.counts.get(name), data_count=name) for record in records]]
        for name, words in COUNTS.items()
        if name in ("n_contested", "n_no_neighbour") or any(r.counts.get(name) for r in records)
    ]
    for words, cell in (("false pairs, expected", _false), ("of these, by clustering", _clustering),
                        ("separation, median and 95 % (arcsec)", _separations),
                        ("error along an axis (arcsec)", _sigma)):  # fmt: skip
        rows.append([words, *[tag("td", cell(quality), class_="n") for quality in qualities]])
    heads = [tag("th", record.subject, class_="n") for record in records]
    warnings = [paragraph(f"{record.subject}: {words}", kind="note")
                for record, quality in zip(records, qualities, strict=True)
                for words in quality.get("warnings", [])]  # fmt: skip
    return section("Matches on the sky", table(["", *heads], rows), *warnings,
                   paragraph(NOTE, kind="note"))  # fmt: skip


def _mode(counts: dict[str, Any]) -> str:
    mode = "one to one" if counts.get("one_to_one") else str(counts.get("mode", "?"))
    return f"{mode}, {counts.get('radius_arcsec', 0):g}″"


def _false(quality: dict[str, Any]) -> str | Html:
    found = quality.get("false", {})
    if not found.get("n_offset_places"):
        return dash(NO_PAIRS)
    low, high = (f"{found[f'n_false_{end}']:,.1f}" for end in ("low", "high"))
    share = "" if found["false_share"] is None else f" = {100 * found['false_share']:.2f} %"
    return f"{found['n_false']:,.1f} ({low} to {high}){share}"


def _clustering(quality: dict[str, Any]) -> str:
    found = quality.get("false", {})
    more, second = found.get("n_false_by_clustering", 0.0), found.get("n_second_candidates", 0)
    return f"{more:+,.1f} ({count(second)} second candidates)"


def _separations(quality: dict[str, Any]) -> Html | str:
    quantiles = dict(quality.get("separations", {}).get("quantiles_arcsec", {}))
    values = [quantiles.get(level) for level in ("0.5", "0.95")]
    shown = ", ".join(f"{value:.2f}" for value in values if value is not None)
    return shown or dash(NO_PAIRS)


def _sigma(quality: dict[str, Any]) -> Html | str:
    found = quality.get("separations", {})
    if found.get("sigma_arcsec") is None:
        return dash("no Rayleigh curve fits")
    return f"{found['sigma_arcsec']:.3f} ({'fitted' if found['sigma_fitted'] else 'given'})"
