"""HTML that is well-formed and escaped by construction: every element is made by `tag`."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is HTML already; everything else is escaped when it enters a tag."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return one element.

    Parameters
    ----------
    name
        Of the element.
    children
        `Html` is taken as it is, any other value as text; None is left out.
    attributes
        ``class_`` gives ``class``, ``data_metric`` gives ``data-metric``; None is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = joined(*children)
    return Html(f"<{name}{given}>{inside}</{name}>" if inside or name not in _VOID
                else f"<{name}{given}/>")  # fmt: skip


def joined(*children: object) -> Html:
    """Return the children one after the other, text escaped; None is left out."""
    parts = [child for child in children if child is not None]
    return Html("".join(part if isinstance(part, Html) else escape(str(part)) for part in parts))


def listed(children: list[Html], between: str = " ") -> Html:
    """Return elements with a text between them."""
    return Html(joined(between).join(children))


def breakable(name: str) -> Html:
    """Return a name that may go on in the next line after each of its underscores."""
    return listed(
        [joined(part) for part in name.replace("_", "_\n").split("\n")], between=tag("wbr")
    )


_VOID = ("br", "hr", "img", "meta", "wbr")
