"""What the pages say of the splits that numbers were scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.names import VALIDATION_AS_TEST
from zladder.report.markup import Html, joined, tag
from zladder.report.page import paragraph
from zladder.tables.split_notes import SplitNote, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

AS_PUBLISHED = "splits as published"
PAPERS_OWN = "splits of a paper's own kind, not ours: "


def convention_of(table: pd.DataFrame, dataset: str) -> str:
    """Return a dataset's split convention from a table of scores; nothing for our own splits."""
    if "split_convention" not in table:
        return ""
    said = table.loc[table["dataset"] == dataset, "split_convention"]
    return str(said.iloc[0]) if len(said) else ""


def split_words(table: pd.DataFrame, dataset: str) -> str:
    """Return what a figure adds to a dataset's name; nothing for our own splits."""
    convention = convention_of(table, dataset)
    return f" · {AS_PUBLISHED}: {explained(convention)}" if convention else ""


def split_caption(table: pd.DataFrame, dataset: str) -> Html | None:
    """Return what stands above a table of a dataset's scores: digest of the splits, convention."""
    if "split_digest" not in table:
        return None
    digest = table.loc[table["dataset"] == dataset, "split_digest"]
    if digest.empty:
        return None
    convention = convention_of(table, dataset)
    words = ("Scored on the splits ", tag("code", str(digest.iloc[0]), class_="digest"), ". ")
    if not convention:
        return paragraph(*words, kind="note")
    mark = tag("strong", f"{AS_PUBLISHED}: {convention}", data_convention=convention)
    return paragraph(*words, mark, f" — {PAPERS_OWN}{explained(convention)}.", kind="note")


def what_chose(table: pd.DataFrame) -> str:
    """Return the sentence on what the test galaxies of a table of scores have chosen."""
    known = dict.fromkeys(table["dataset"])
    chose = [n for n in known if SplitNote("", convention_of(table, n)).follows(VALIDATION_AS_TEST)]
    if not chose:
        return "The test galaxies chose nothing."
    those = f"Test galaxies of {', '.join(chose)} are the validation galaxies, and chose too."
    return those + ("" if len(chose) == len(known) else " Others chose nothing.")


def recorded_mark(sidecar: Mapping[str, Any]) -> Html:
    """Return the mark of a paper's own splits from a dataset's sidecar; nothing for ours."""
    return split_mark({"split_convention": sidecar.get("split", {}).get("convention", "")})


def split_label(sidecar: Mapping[str, Any]) -> Html:
    """Return what stands under a dataset's name: digest of its splits, mark of a paper's own."""
    said = sidecar.get("split", {})
    return joined(tag("span", said.get("digest", ""), class_="sub"), recorded_mark(sidecar))


def split_mark(row: Mapping[str, object]) -> Html:
    """Return the mark of a row whose dataset has a paper's own splits; nothing for ours."""
    convention = str(row.get("split_convention", "") or "")
    if not convention:
        return joined()
    title = f"{PAPERS_OWN}{explained(convention)}"
    return tag("span", f"{AS_PUBLISHED}: {convention}", class_="sub mark", title=title)
