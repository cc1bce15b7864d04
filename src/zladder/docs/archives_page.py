"""docs/archives.md: every entry of the registry of archives, from config/archives.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.archives import read_archives
from zladder.docs.markdown import NOTE, code, page, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OPENING = """\
What `snakemake fetch_SURVEY` can get, from `config/archives.yaml`; `zladder fetch --plan` tells
what of it is here already. [Real data](real-data.md) tells how to fetch, what happens when a
connection breaks, and how to give a mirror. "Unknown" says what was not tried: most addresses were
put together from public descriptions. A file without an address can only be put in place by hand,
or be given one."""

SECTIONS = {"file": "## Files", "sql": "## Queries", "frames": "## Frames"}


def archives_page(root: Path) -> str:
    """Return the page."""
    archives = read_archives(root, {})
    sections = []
    for kind, heading in SECTIONS.items():
        entries = {name: entry for name, entry in archives.items() if entry["kind"] == kind}
        sections.append(page(heading, _overview(entries), _details(entries)))
    return page("# Archives", NOTE, OPENING, *sections)


def _overview(entries: Mapping[str, Any]) -> str:
    head = ("entry", "title", "version", "bytes", "SHA-256", "needs")
    rows = [
        (code(name), entry["title"], entry["version"] or "unknown", _size(entry),
         _digest(entry), ", ".join(map(code, entry.get("needs", []))))
        for name, entry in entries.items()
    ]  # fmt: skip
    return table(head, rows)


def _size(entry: Mapping[str, Any]) -> str:
    if entry.get("bytes"):
        return f"{entry['bytes']:,}"
    return f"about {entry['bytes_about']:,}" if "bytes_about" in entry else "unknown"


def _digest(entry: Mapping[str, Any]) -> str:
    if entry["kind"] != "file":
        return "none: asked each time" if entry["kind"] == "sql" else "noted of each frame"
    return "declared" if entry["sha256"] else "that of the first download"


def _details(entries: Mapping[str, Any]) -> str:
    head = ("entry", "address", "licence", "cite", "unknown")
    rows = [
        (code(name), _address(entry), entry["licence"], entry["citation"],
         entry.get("unknown", ""))
        for name, entry in entries.items()
    ]  # fmt: skip
    return table(head, rows)


def _address(entry: Mapping[str, Any]) -> str:
    """Return where it is published; of a query what is asked, and how."""
    where = code(entry["url"]) if entry["url"] else "unknown"
    if entry["kind"] != "sql":
        return where
    query = entry.get("query")
    shown = f"[{query}](../config/queries/{query})" if query else "the query in the registry"
    pages = entry.get("pages", 1)
    return f"{shown} to {entry['service']} ({entry['release']}; {pages} pages) at {where}"
