"""The layout that all pages share: one self-contained file, readable without scripts."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from zladder.report.markup import Html, joined, tag
from zladder.report.page_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


WIDE_PIXELS = 1500  # a figure as wide as the page, on a screen of middling density
WIDE_QUALITY = 80
SMALL_BYTES = 250_000  # a picture of fewer, and not wider, goes into a page as it is


def page(title: str, lead: object, *parts: object) -> str:
    """Return a whole page.

    Parameters
    ----------
    title
        Heading, and title of the window.
    lead
        One or two sentences below it.
    parts
        Sections and paragraphs.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} – zladder"),
        tag("style", Html(STYLE)),
    )
    footer = tag("footer", "zladder. How this page was made stands on “Provenance”.")
    main = tag("main", tag("h1", title), tag("p", lead, class_="lead"), *parts, footer)
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def section(heading: str, *parts: object) -> Html:
    """Return a section with its heading."""
    return tag("section", tag("h2", heading), *parts)


def paragraph(*children: object, kind: str | None = None) -> Html:
    """Return a paragraph; its kind may be ``note``."""
    return tag("p", *children, class_=kind)


def bullets(items: Iterable[object]) -> Html:
    """Return a list."""
    return tag("ul", *[tag("li", item) for item in items])


def folded(summary: object, *parts: object) -> Html:
    """Return something that opens on a click, without any script."""
    return tag("details", tag("summary", summary), *parts)


def table(head: Sequence[object], rows: Iterable[Sequence[object] | Html], **more: object) -> Html:
    """Return a table that scrolls on its own where it is wider than the page.

    Parameters
    ----------
    head, rows
        Cells: `Html` that is a cell already (``<td>``, ``<th>``), or content. A row may be a
        whole ``<tr>`` as `Html`.
    more
        Attributes of the table.
    """
    top = tag("thead", tag("tr", *[_cell(content, "th") for content in head]))
    body = [row if isinstance(row, Html) else tag("tr", *map(_cell, row)) for row in rows]
    return tag("div", tag("table", top, tag("tbody", *body), **more), class_="scroll")


def _cell(content: object, name: str = "td") -> Html:
    is_cell = isinstance(content, Html) and content.startswith(("<td", "<th"))
    return joined(content) if is_cell else tag(name, content)


def image(path: Path, description: str, caption: object) -> Html:
    """Return a PNG file inlined as a data URI, with its caption."""
    return _figure("png", path.read_bytes(), description, caption)


def wide_image(path: Path, description: str, caption: object) -> Html:
    """Return a PNG file as wide as the page, a large one made smaller: several fit into one page.

    A viewer hands a page on as a data URI, and Chromium shows nothing of those beyond 2 MiB.
    """
    with Image.open(path) as picture:
        if picture.width <= WIDE_PIXELS and path.stat().st_size <= SMALL_BYTES:
            return _figure("png", path.read_bytes(), description, caption, "wide")
        height = round(picture.height * min(1.0, WIDE_PIXELS / picture.width))
        small = picture.convert("RGB").resize((min(picture.width, WIDE_PIXELS), height))
    kept = BytesIO()
    small.save(kept, "WEBP", quality=WIDE_QUALITY)
    return _figure("webp", kept.getvalue(), description, caption, "wide")


def _figure(
    kind: str, content: bytes, description: str, caption: object, width: str | None = None
) -> Html:
    # In short lines, which a data URI may have: docutils refuses long ones on the front page.
    data = base64.encodebytes(content).decode("ascii")
    picture = tag("img", src=f"data:image/{kind};base64,{data}", alt=description)
    return tag("figure", picture, tag("figcaption", caption), class_=width)
