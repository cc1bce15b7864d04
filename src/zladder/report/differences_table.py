"""Each network minus the best ordinary tool, paired galaxy by galaxy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, breakable, tag
from zladder.report.methods import in_blocks
from zladder.report.numerals import dash, fixed, interval_cell
from zladder.report.page import paragraph, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from zladder.report.methods import Roles

NO_RATIO = "the tool's value is 0 in some resample: no relative difference"


def differences_section(differences: pd.DataFrame, dataset: str, roles: Roles) -> Html:
    """Return the table of one dataset with what it says of the chosen network in words."""
    found = differences[differences["dataset"] == dataset]
    peer = roles.peer[dataset]
    return tag(
        "div",
        tag("h3", f"Network minus {peer}, the same galaxies and resamples"),
        paragraph(verdict_of(found, dataset, roles)),
        *[_columns(found, methods, roles.chosen[dataset]) for methods in in_blocks(roles.networks)],
        paragraph("Negative: the network's value is the smaller one. Below each difference its "
                  "95 % interval and what it is relative to the tool's value.", kind="note"),
    )  # fmt: skip


def _columns(found: pd.DataFrame, methods: Sequence[str], chosen: str) -> Html:
    """Return the table of some networks."""
    marks = {chosen: "★ chosen"}
    heads = [
        tag("th", breakable(name), tag("span", marks.get(name, ""), class_="sub mark"), class_="n")
        for name in methods
    ]
    cells = found.set_index(["metric", "method"])
    rows = [
        [tag("th", tag("code", metric), scope="row"),
         *[_cell(cells.loc[(metric, method)], metric, method) for method in methods]]
        for metric in dict.fromkeys(found["metric"])
    ]  # fmt: skip
    return table(["", *heads], rows, class_="dense")


def _cell(row: pd.Series, metric: str, method: str) -> Html:
    """Return the difference with its interval, and the relative one in percent below."""
    cell = interval_cell(
        float(row["difference"]), float(row["difference_lo95"]), float(row["difference_hi95"]),
        "not defined for one of the two", signed=True,
        data_difference=metric, data_method=method,
    )  # fmt: skip
    relative = tag("span", relative_text(row), class_="sub")
    return Html(f"{cell.removesuffix('</td>')}{relative}</td>")


def relative_text(row: Any) -> Html | str:
    """Return the relative difference in percent with its 95 % interval."""
    values = [row["relative"], row["relative_lo95"], row["relative_hi95"]]
    if not all(math.isfinite(value) for value in values):
        return dash(NO_RATIO)
    value, low, high = (fixed(100 * number, 1, signed=True) for number in values)
    return f"{value} % [{low}, {high}]"


def verdict_of(found: pd.DataFrame, dataset: str, roles: Roles) -> str:
    """Return a sentence: is the chosen network's sigma_nmad smaller than the best tool's?"""
    chosen, peer = roles.chosen[dataset], roles.peer[dataset]
    rows = found[(found["method"] == chosen) & (found["metric"] == "sigma_nmad")]
    row = rows.iloc[0]
    who = f"sigma_nmad of {chosen} is"
    size = f"({relative_text(row)}, {int(row['n_used']):,} galaxies)"
    if not math.isfinite(row["difference_lo95"]):
        return f"The difference in sigma_nmad between {chosen} and {peer} has no interval."
    if row["difference_hi95"] < 0:
        return f"{who} smaller than that of {peer} beyond the 95 % interval {size}."
    if row["difference_lo95"] > 0:
        return f"{who} larger than that of {peer} beyond the 95 % interval {size}."
    return f"{who} not distinguishable from that of {peer}: the interval contains 0 {size}."
