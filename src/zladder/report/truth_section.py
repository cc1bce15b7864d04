"""What the mock sky alone can tell of a study: scores against the truth, and the leak alarm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.config.names import LEAK
from zladder.report.markup import Html, joined, tag
from zladder.report.metric_words import FORMULAS, SIGNED
from zladder.report.numerals import count_cell, dash, fixed, interval_cell
from zladder.report.page import folded, paragraph, section, table

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_TRUTH = "fewer than two galaxies, or the metric is not defined for them"
OF_LABEL = {"label": "against the label", "truth": "against the truth"}


def truth_sections(
    tables: Sequence[tuple[str, pd.DataFrame]], estimated: Sequence[str]
) -> list[Html]:
    """Return the sections of the tables that are there; none on a real sky.

    Parameters
    ----------
    tables
        (name, table): ``truth_scores``, ``side_information`` of each sample and, where there is an
        oracle, ``leaks``.
    estimated
        The datasets whose oracle is not exact.
    """
    found = {name: pd.concat([table for other, table in tables if other == name])
             for name, _table in tables}  # fmt: skip
    parts: list[Html] = []
    if "truth_scores" in found:
        parts.append(_truth_section(found["truth_scores"]))
    if "side_information" in found:
        parts.append(_alarm(found.get("leaks"), found["side_information"], estimated))
    return parts


def _truth_section(scores: pd.DataFrame) -> Html:
    """Return every metric against the label and, below it, against the truth."""
    tables = []
    for dataset, rows in scores.groupby("dataset", sort=False):
        cells = rows.set_index(["method", "metric", "against"])
        metrics = list(dict.fromkeys(rows["metric"]))
        lines = [
            [tag("th", method, tag("span", words, class_="sub"), scope="row"),
             *[_value_cell(cells.loc[(method, metric, against)], metric) for metric in metrics]]
            for method in dict.fromkeys(rows["method"])
            for against, words in OF_LABEL.items()
        ]  # fmt: skip
        heads = [tag("th", tag("code", name), title=FORMULAS.get(name), class_="n")
                 for name in metrics]  # fmt: skip
        note = f"At most {int(rows['n_used'].max()):,} galaxies: those that have a true redshift."
        tables.append(folded(dataset, table(["", *heads], lines, class_="dense"),
                             paragraph(note, kind="note")))  # fmt: skip
    return section(
        "Against the label and against the truth",
        paragraph(
            "The labels of this sky are made as real ones are, some of them wrong; its true "
            "redshifts are known. The test galaxies, with 95 % intervals of the same resamples; "
            "labelled stars count in neither.",
        ),
        *tables,
    )


def _value_cell(row: pd.Series, metric: str) -> Html:
    value, low, high = (float(row[name]) for name in ("value", "lo95", "hi95"))
    return interval_cell(value, low, high, NO_TRUTH, signed=metric in SIGNED,
                         data_against=row.name[2])  # fmt: skip


def _alarm(leaks: pd.DataFrame | None, side: pd.DataFrame, estimated: Sequence[str]) -> Html:
    """Return the leak alarm: first, in one sentence, whether it rang."""
    told = side[side["verdict"] == LEAK]
    rung = [f"{row.source} of {row.sample}" for row in told.itertuples()]
    parts: list[object] = []
    if leaks is None:
        parts.append(paragraph("No oracle was built for this study: no model was held against one.",
                               kind="note"))  # fmt: skip
    else:
        better = leaks[leaks["verdict"] == LEAK]
        rung = [f"{r.method} on {r.dataset} ({r.score})" for r in better.itertuples()] + rung
        parts += [paragraph(BOUND), _leak_table(leaks, estimated), _unseen(leaks)]
    words = f"LEAK: {'; '.join(rung)}. Do not trust the numbers above." if rung else "No leak seen."
    parts += [paragraph(SIDE), _side_table(side)]
    return section("Leak alarm", paragraph(tag("strong", words)), *parts)


BOUND = (
    "On the mock sky the oracle bounds proper scores: no model that sees the same magnitudes, "
    "errors and dust can have a smaller mean NLL or CRPS against the true redshift, if the oracle "
    "is exact. Point metrics are no bound. A method that gives a point alone was given a density "
    "from its errors on validation and calibration galaxies. p bounds the chance of so large a "
    "lead without a leak; all alarms of a whole report together go off by mistake in at most 1 % "
    "of skies, on two conditions: given what the oracle sees, galaxies are independent (the error "
    "of the dust map is shared over a field: a model may learn it from training galaxies there), "
    "and the oracle is exact (for many-band labels the chance that one is usable is estimated). "
    "An alarm means a leak, or that one of the two does not hold."
)
SIDE = (
    "Identifiers, order, tile and position should tell nothing of the redshift beyond what dust "
    "and depth explain. A boosting machine tried on half of each sample to tell on which side of "
    "the median of its like a galaxy lies, and was tested on the other half."
)


def _leak_table(leaks: pd.DataFrame, estimated: Sequence[str]) -> Html:
    shown = leaks[leaks["n"] > 0]
    heads = ["method", "dataset", "score", "galaxies", "model", "oracle", "model − oracle", "p",
             "verdict"]  # fmt: skip
    rows = [
        [row.method, row.dataset, tag("code", row.score), count_cell(row.n),
         _number(row.mean_model), _number(row.mean_oracle, estimated=row.dataset in estimated),
         _difference(row.difference, row.se),
         _p_cell(row.p_value), _verdict(row.verdict)]
        for row in shown.itertuples()
    ]  # fmt: skip
    levels = shown["level"].dropna().unique()
    level = f"{levels[0]:.2g}" if len(levels) else "–"
    note = f"Level of one comparison: {level}. Behind ± the standard error."
    return joined(folded(f"All {len(rows)} comparisons", table(heads, rows, class_="dense")),
                  paragraph(note, kind="note"))  # fmt: skip


def _unseen(leaks: pd.DataFrame) -> Html:
    """Return which methods were held against nothing, and why."""
    images = list(dict.fromkeys(leaks[leaks["sees"] != "photometry"]["method"]))
    few = leaks[(leaks["sees"] == "photometry") & (leaks["n"] == 0)]
    lost = list(dict.fromkeys(few["method"]))
    words = [f"Not compared, they see more than this oracle does: {', '.join(images)}."]
    words += [f"Not compared, without answers or too few of them: {', '.join(lost)}."]
    kept = [text for text, names in zip(words, (images, lost), strict=True) if names]
    return joined(*[paragraph(text, kind="note") for text in kept])


def _side_table(side: pd.DataFrame) -> Html:
    heads = ["sample", "source", "galaxies", "right side", "p", "verdict"]
    rows = [
        [row.sample, row.source, count_cell(row.n),
         tag("td", f"{100 * row.share_correct:.1f} %", class_="n"), _p_cell(row.p_value),
         _verdict(row.verdict)]
        for row in side.itertuples()
    ]  # fmt: skip
    return table(heads, rows)


def _verdict(verdict: str) -> Html | str:
    return tag("strong", "LEAK") if verdict == LEAK else verdict


def _number(value: float, *, estimated: bool = False) -> Html:
    shown = fixed(value, 4) if math.isfinite(value) else dash(NO_TRUTH)
    below = tag("span", "estimated", class_="sub") if estimated else None
    return tag("td", shown, below, class_="n")


def _difference(difference: float, error: float) -> Html:
    if not math.isfinite(difference):
        return tag("td", dash(NO_TRUTH), class_="n")
    return tag("td", f"{fixed(difference, 4, signed=True)} ± {fixed(error, 4)}", class_="n")


def _p_cell(p: float) -> Html:
    shown = f"{p:.2g}" if np.isfinite(p) else dash(NO_TRUTH)
    return tag("td", shown, class_="n")
