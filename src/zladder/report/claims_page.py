"""The page of claims: what was published, what came out here, and the verdict with its reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, joined, tag
from zladder.report.numerals import count, dash, fixed, interval_cell
from zladder.report.page import page, paragraph, section, table
from zladder.report.split_words import split_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from zladder.report.records import Record

# The one list of verdicts, with what each means and how its badge looks.
VERDICTS = {
    "reproduced": ("the published number (or ordering, if only that was claimed) came out", "good"),
    "ordering reproduced": (
        "the ordering came out; the number did not, or cannot be tested",
        "fair",
    ),
    "not reproduced": ("the opposite came out, beyond the 95 % interval", "bad"),
    "undecided": ("the 95 % interval allows both orderings", "open"),
    "by construction": ("follows from what was put into the mock sky: it tests nothing", "none"),
    "not applicable": ("cannot be asked of this sample or this sky; the reason is given", "none"),
}
ORDERING_ONLY = "an ordering was claimed, no number"
NO_INTERVAL = "no ratio: the metric is zero or not defined"
NOT_STATED = "definition not stated"
BOUND_ONLY = "lower end of the 95 % interval"


def claims_page(
    claims: Mapping[str, pd.DataFrame],
    about: Mapping[str, Mapping[str, Any]],
    records: Sequence[Record],
) -> str:
    """Return the page.

    Parameters
    ----------
    claims
        {study: table of the stage `evaluate`}; a table may be empty.
    about
        {study: ``title``, ``simulated``}.
    records
        Sidecars of the networks' trainings.
    """
    parts = [_verdict_counts(claims)]
    if any(entry["simulated"] for entry in about.values()):
        parts.append(_about_the_mock())
    for study, found in claims.items():
        title = str(about[study]["title"])
        if found.empty:
            text = "No published claim is held against this study."
            parts.append(section(title, paragraph(text)))
        else:
            parts.append(
                section(title, claims_table(found), _stopped(study, records), how_to_read())
            )
    lead = ("Numbers and orderings that were published, beside what came out here. A published "
            "number is printed only with the source in which it was read.")  # fmt: skip
    return page("Claims and verdicts", lead, *parts)


def badge(verdict: str) -> Html:
    """Return a verdict as a coloured word; the word alone says it."""
    return tag("span", verdict, class_=f"badge {VERDICTS[verdict][1]}")


def count_verdicts(claims: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Return how often each verdict was given over all studies, zeros included."""
    given = [verdict for found in claims.values() for verdict in found["verdict"]]
    return {verdict: given.count(verdict) for verdict in VERDICTS}


def _verdict_counts(claims: Mapping[str, pd.DataFrame]) -> Html:
    rows = [
        [badge(verdict), tag("td", count(number), class_="n", data_verdict=verdict),
         VERDICTS[verdict][0]]
        for verdict, number in count_verdicts(claims).items()
    ]  # fmt: skip
    return table(["verdict", tag("th", "claims", class_="n"), "meaning"], rows)


def _about_the_mock() -> Html:
    return section(
        "What a mock sky can confirm, and what it cannot",
        paragraph(
            "The galaxies of a mock sky are drawn from a population, spectra, dust and noise that "
            "we wrote down. Whether one way of training beats another can be tried on it, because "
            "the methods see the same galaxies; so an ordering may be confirmed. A number, such "
            "as sigma_nmad or the ratio of two methods, depends on what was written down, so that "
            "no published number is ever “reproduced” here. A claim whose ordering would follow "
            "from an effect that was put in by hand tests nothing: where its file in "
            "config/claims says so, it is marked “by construction”, with the reason."
        ),
    )  # fmt: skip


def claims_table(found: pd.DataFrame) -> Html:
    """Return a study's claims: published, ours, verdict and reason."""
    head = ["claim", "compared", tag("th", "published", class_="n"), tag("th", "ours", class_="n"),
            tag("th", "galaxies", class_="n"), "verdict and reason"]  # fmt: skip
    return table(head, [_row(row) for _, row in found.iterrows()], class_="wrap")


def _row(row: pd.Series) -> Html:
    published = float(row["published_ratio"])
    shown = dash(ORDERING_ONLY) if math.isnan(published) else fixed(published, 1)
    defined = tag("span", NOT_STATED, class_="sub") if row["definition"] != "stated" else None
    what = joined(tag("code", row["metric"]), f" on {row['dataset']}: ", row["worse"], " / ",
                  row["better"], split_mark(row))  # fmt: skip
    return tag(
        "tr",
        tag("td", row["text"], tag("span", f"{row['claim']} · {row['source']}", class_="sub")),
        tag("td", what),
        tag("td", shown, defined, _asked(row), class_="n"),
        _ratio_cell(row),
        tag("td", count(row["n_used"]), class_="n"),
        tag("td", badge(row["verdict"]), tag("span", row["reason"], class_="sub")),
    )  # fmt: skip


def _asked(row: pd.Series) -> Html | None:
    """Return the least ratio that the claim asks for, where it is another than 1."""
    at_least = float(row["at_least"])
    return tag("span", f"asked: ≥ {at_least:g}", class_="sub") if at_least != 1 else None


def _ratio_cell(row: pd.Series) -> Html:
    """Return our ratio with its interval, or its lower bound, or a dash."""
    ratio, lo95, hi95 = (float(row[key]) for key in ("ratio", "lo95", "hi95"))
    if not (math.isnan(ratio) and math.isfinite(lo95)):
        return interval_cell(ratio, lo95, hi95, NO_INTERVAL, data_claim=row["claim"])
    shown = fixed(math.floor(100 * lo95) / 100, 2)  # a bound is never rounded up
    below = tag("span", BOUND_ONLY, class_="sub")
    return tag("td", f"≥ {shown}", below, class_="n", title=f"{lo95!r}", data_claim=row["claim"])


def _stopped(study: str, records: Sequence[Record]) -> Html:
    """Return which trainings of a study ended at their limit of epochs; older runs do not tell."""
    stopped = [record.subject for record in records
               if record.subject.startswith(f"{study}.")
               and record.content.get("stopped_by") == "epochs"]  # fmt: skip
    if not stopped:
        return joined()
    return paragraph(
        "Stopped by the limit on epochs, with patience left, and so perhaps before they had "
        f"learned what they could: {', '.join(stopped)}. A claim about these networks, or about "
        "ones that start from them, is not put to a fair test here.", kind="note",
    )  # fmt: skip


def how_to_read() -> Html:
    """Return how the columns of the table are meant."""
    return paragraph(
        "Compared is the ratio of the absolute values of the metric, first method over second, "
        "with the 95 % interval of the bootstrap over galaxies and over trainings; of one training "
        "a method (the reason then says so) it holds no noise of training. Above 1 the claimed "
        "ordering holds (where more is asked, above that number). ≥: the second method's metric is "
        "compatible with 0, so that the ratio has only a lower bound. – under “published”: "
        f"{ORDERING_ONLY}. “{NOT_STATED}”: the source, as far as it was read, does not define the "
        "metric; the id is our reading of it.", kind="note",
    )  # fmt: skip
