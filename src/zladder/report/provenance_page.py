"""The page of provenance: with what, from what and by which code every number was made."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, joined, tag
from zladder.report.page import bullets, folded, page, paragraph, section, table
from zladder.report.records import of_rule
from zladder.report.three_hops import HOPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.report.records import Record


def provenance_page(
    records: Sequence[Record], cards: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any]
) -> str:
    """Return the page.

    Parameters
    ----------
    records
        All sidecars but those of the report itself.
    cards
        {run: its card}.
    about
        ``sky``, ``scale``, ``master_seed``.
    """
    lead = ("Every number here can be followed to the function that computed it and to the files "
            "that it was computed from, and can be made again.")  # fmt: skip
    return page(
        "Provenance", lead, _hops(), _again(about), _fetched(records), _versions(records),
        _codes(records), _cards(cards, about), _results(records),
    )  # fmt: skip


def _hops() -> Html:
    rows = [
        [hop.page, tag("code", hop.rule),
         joined(tag("code", f"workflow/scripts/{hop.rule}.py"),
                tag("span", f"wired in workflow/rules/{hop.file}.smk", class_="sub")),
         joined(*[tag("div", tag("code", name)) for name in hop.functions])]
        for hop in HOPS
    ]  # fmt: skip
    return section(
        "From a number to its function in three hops",
        paragraph(
            "Each page and table of results is the output of one rule; the rule runs the script "
            "of its own name; the script tells the story with functions of the library, and these "
            "do the work. The first line of the script's log is the command that repeats it."
        ),
        table(["what you look at", "rule", "script", "functions"], rows, class_="wrap"),
    )


def _again(about: Mapping[str, Any]) -> Html:
    folder = f"results/{about['sky']}-{about['scale']}"
    command = f"snakemake --config sky={about['sky']} scale={about['scale']}"
    return section(
        "How to repeat it",
        bullets([
            joined("All of it: ", tag("code", command), " in a checkout of the same version; what "
                   "is there already and unchanged is not made again."),
            joined("One job: the first line of its log below ", tag("code", f"{folder}/logs/"),
                   ", or the command under “every result” here."),
            joined("One training: ", tag("code", "zladder card RUN"), " prints its run card."),
        ]),
        paragraph(f"Master seed {about['master_seed']}; every other seed is a hash of it and of "
                  "the name of its use, so that adding a run changes no other."),
    )  # fmt: skip


def _fetched(records: Sequence[Record]) -> Html:
    """Return what archives gave: from where, when, and what it is known by."""
    rows = [
        [record.subject, str(content["archive"]), tag("code", str(content["url"])),
         str(content["date"]), tag("code", str(content.get("sha256", "of each frame: its index")))]
        for record in of_rule(records, "fetch_file", "fetch_query", "fetch_frames")
        for content in [record.content]
    ]  # fmt: skip
    if not rows:
        return section("What was fetched", paragraph("Nothing: all of it was made or lay here."))
    return section(
        "What was fetched",
        table(["what", "archive", "address", "date (UTC)", "SHA-256"], rows, class_="wrap"),
    )


def _versions(records: Sequence[Record]) -> Html:
    """Return the versions met; more than one of a package is shown as such."""
    met: dict[str, set[str]] = {}
    for record in records:
        for package, version in dict(record.content.get("versions", {})).items():
            met.setdefault(package, set()).add(str(version))
    rows = [[package, ", ".join(sorted(found))] for package, found in sorted(met.items())]
    hosts = sorted({str(record.content.get("host", "not stated")) for record in records})
    return section("Versions and host", paragraph(f"Host: {', '.join(hosts)}."),
                   table(["package", "version"], rows))  # fmt: skip


def _codes(records: Sequence[Record]) -> Html:
    digests: dict[str, set[str]] = {}
    for record in records:
        code = str(record.content.get("code_digest", "not stated"))
        digests.setdefault(record.rule, set()).add(code)
    rows = [
        [tag("code", rule), joined(*[tag("div", tag("code", code)) for code in sorted(found)])]
        for rule, found in sorted(digests.items())
    ]
    note = ("The digest covers the script, every module of zladder that it imports and the pinned "
            "versions of the packages; comments do not enter it. Two digests for one rule: some "
            "of its results were made before a change that left them out of date.")  # fmt: skip
    return section("Code", table(["rule", "digest"], rows), paragraph(note, kind="note"))


def _cards(cards: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any]) -> Html:
    folds = [
        folded(run, paragraph(f"Seed {card.get('seed', 'not stated')}."),
               tag("pre", json.dumps(card, indent=2, ensure_ascii=False)))
        for run, card in cards.items()
    ]  # fmt: skip
    lead = f"The complete description of each of the {len(cards)} trainings and fits."
    return section("Run cards", paragraph(lead), *folds)


def _results(records: Sequence[Record]) -> Html:
    """Return for every result its command, and the digests of what it was made from."""
    folds = []
    for record in records:
        content = record.content
        words = [str(word) for word in content.get("arguments", [])]
        command = shlex.join(["python", f"workflow/scripts/{record.rule}.py", *words])
        inputs = dict(content.get("inputs", {}))
        digests = "\n".join(f"{digest}  {path}" for path, digest in inputs.items())
        folds.append(folded(f"{record.rule} · {record.subject}", tag("pre", command),
                            tag("pre", digests or "no input files")))  # fmt: skip
    return section("Every result: its command, and the digests of its inputs", *folds)
