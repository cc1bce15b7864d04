"""The page of costs: seconds by rule and by run, as the sidecars tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.report.markup import Html, tag
from zladder.report.numerals import count_cell, dash, seconds_text
from zladder.report.page import page, paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.report.records import Record

NOT_ITERATIVE = "fitted at once, without epochs"


def costs_page(records: Sequence[Record]) -> str:
    """Return the page; `records` are all sidecars but those of the report itself."""
    total = sum(record.seconds for record in records)
    hosts = sorted({str(record.content.get("host", "not stated")) for record in records})
    lead = (f"{seconds_text(total)} of work in {len(records)} jobs on {', '.join(hosts)}, the "
            "report's own pages not counted. Jobs that ran side by side are added up.")  # fmt: skip
    return page("What it cost", lead, _by_rule(records), _by_run(records))


def seconds_by_rule(records: Sequence[Record]) -> dict[str, list[float]]:
    """Return {rule: the seconds of its jobs}, the dearest rule first."""
    found: dict[str, list[float]] = {}
    for record in records:
        found.setdefault(record.rule, []).append(record.seconds)
    return dict(sorted(found.items(), key=lambda entry: -sum(entry[1])))


def _by_rule(records: Sequence[Record]) -> Html:
    found = seconds_by_rule(records)
    most = max((sum(seconds) for seconds in found.values()), default=1.0) or 1.0
    rows = [
        [tag("code", rule), count_cell(len(seconds)),
         tag("td", seconds_text(max(seconds)), class_="n"),
         tag("td", seconds_text(sum(seconds)), class_="n", data_rule=rule,
             title=f"{sum(seconds):.3f} s"),
         tag("td", tag("span", class_="bar", style=f"width: {100 * sum(seconds) / most:.1f}%"),
             style="width: 38%")]
        for rule, seconds in found.items()
    ]  # fmt: skip
    head = ["rule", *[tag("th", name, class_="n") for name in ("jobs", "longest", "all")], ""]
    return section("By rule", table(head, rows, style="width: 100%"))


def _by_run(records: Sequence[Record]) -> Html:
    """Return one line a training or fit."""
    runs = [record for record in records if record.rule.startswith(("train_", "pretrain_"))]
    rows = []
    for record in runs:
        content = record.content
        epochs, best = content.get("epochs"), content.get("best_epoch")
        rows.append([
            record.subject, count_cell(content.get("n_train")),
            count_cell(epochs, NOT_ITERATIVE), count_cell(best, NOT_ITERATIVE),
            content.get("device", dash("the sidecar does not say")),
            tag("td", seconds_text(record.seconds), class_="n", data_run=record.subject),
        ])  # fmt: skip
    numbers = [tag("th", name, class_="n") for name in ("galaxies", "epochs", "best epoch")]
    head = ["run", *numbers, "device", tag("th", "time", class_="n")]
    note = ("Time is a program's wall time, or that of a resumed training's loop in all attempts "
            "if that is longer. The weights kept are those of the "
            f"best epoch on validation. – : {NOT_ITERATIVE}.")  # fmt: skip
    return section("By run", table(head, rows), paragraph(note, kind="note"))
