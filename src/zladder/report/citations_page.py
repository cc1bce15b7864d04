"""The page of citations and its BibTeX file: whom to thank for data, methods and software."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.report.markup import Html, joined, tag
from zladder.report.page import bullets, page, paragraph, section, table
from zladder.report.references import (
    METHODS,
    PAPERS,
    Reference,
    bibtex_entry,
    installed_software,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def citations_page(about: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    about
        ``surveys``: {name: ``title``, ``licence``, ``citation``}; ``archives``: what is fetched,
        the same with ``version`` and ``url``; ``papers``: their names.
    """
    lead = ("If you use these results, please cite where the data, the ideas and the programs come "
            "from. The same stands in citations.bib.")  # fmt: skip
    return page(
        "Citations and licences",
        lead,
        _surveys(about["surveys"]),
        _archives(about["archives"]),
        section("Papers and methods", _references(references(about["papers"]))),
        _software(),
    )


def citations_bibtex(about: Mapping[str, Any]) -> str:
    """Return the BibTeX text: papers and methods, surveys, software."""
    entries = [reference.bibtex() for reference in references(about["papers"])]
    for name, survey in about["surveys"].items():
        fields = {"title": f"{{{_plain(survey['title'])}}}", "note": _plain(survey["citation"])}
        entries.append(bibtex_entry("misc", f"survey_{name}", fields))
    for name, version, licence in installed_software():
        fields = {"title": f"{{{_plain(name)}}}", "version": version, "note": _plain(licence)}
        entries.append(bibtex_entry("misc", f"software_{name}", fields))
    return "\n\n".join(entries) + "\n"


def references(papers: list[str]) -> list[Reference]:
    """Return the works behind the studies' papers and the methods, each key once."""
    found = [work for paper in papers for work in PAPERS.get(paper, ())] + list(METHODS)
    return list({work.key: work for work in reversed(found)}.values())[::-1]


def acknowledgement(survey: Mapping[str, Any]) -> str:
    """Return a sentence for a paper's acknowledgements."""
    return f"We use {survey['title']}: {survey['citation']}. Licence: {survey['licence']}."


def _surveys(surveys: Mapping[str, Mapping[str, Any]]) -> Html:
    rows = [
        [tag("td", survey["title"], tag("span", name, class_="sub")), survey["citation"],
         survey["licence"]]
        for name, survey in surveys.items()
    ]  # fmt: skip
    lines = [acknowledgement(survey) for survey in surveys.values()]
    return section(
        "Data", table(["survey", "citation", "licence"], rows),
        tag("h3", "Acknowledgement lines"), bullets(lines),
        paragraph("Some surveys also ask for a text of their own: see their pages.", kind="note"),
    )  # fmt: skip


def _archives(archives: Mapping[str, Mapping[str, Any]]) -> Html:
    """Return the table of what was fetched; nothing where nothing is."""
    rows = [
        [tag("td", entry["title"], tag("span", name, class_="sub")), entry["version"],
         tag("code", entry["url"] or "not known"), entry["citation"], entry["licence"]]
        for name, entry in archives.items()
    ]  # fmt: skip
    if not rows:
        return joined()
    note = ("Digests, dates and the text of queries stand beside each fetched file "
            "(data/fetched/SURVEY/PART.json).")  # fmt: skip
    head = ["what is fetched", "version", "address", "citation", "licence"]
    return section("Archives", table(head, rows, class_="wrap"), paragraph(note, kind="note"))


def _references(works: list[Reference]) -> Html:
    rows = [[work.text().replace("\\&", "&"), work.used_for] for work in works]
    note = "A title or page that is missing was not read in a source by us, and is not guessed."
    return tag("div", table(["reference", "used for"], rows), paragraph(note, kind="note"))


def _software() -> Html:
    rows = [
        [tag("code", name), version, licence] for name, version, licence in installed_software()
    ]
    note = ("Versions and licences as the packages state them themselves; their documentation says "
            "how they like to be cited.")  # fmt: skip
    table_ = table(["package", "version", "licence"], rows)
    return section("Software", table_, paragraph(note, kind="note"))


def _plain(text: str) -> str:
    """Return a text whose special characters BibTeX takes literally."""
    return "".join(f"\\{sign}" if sign in "&_%#$" else sign for sign in str(text)).strip()
