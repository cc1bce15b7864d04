"""How numbers are written: digits after the interval's width, a dash with its reason for NaN."""

from __future__ import annotations

import math

from zladder.report.markup import Html, tag

MINUS = "−"
MOST_DECIMALS = 6


def decimals_for(low: float, high: float, least: int = 2) -> int:
    """Return how many decimals leave two significant digits of half the interval [low, high]."""
    half = abs(high - low) / 2
    if not math.isfinite(half) or half == 0:
        return 4
    return max(least, min(MOST_DECIMALS, 1 - math.floor(math.log10(half))))


def fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a finite number with a real minus sign; −0 loses its sign."""
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def count(number: float) -> str:
    """Return a whole number with its thousands apart."""
    return f"{int(number):,}"


def dash(reason: str) -> Html:
    """Return the sign for "no number", which tells why when pointed at (and to a screen reader)."""
    return tag("span", "–", class_="dash", title=reason)


def interval_text(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """Return ``value [low, high]`` as plain text; the ends are left out where they are NaN."""
    decimals = decimals_for(low, high)
    if not math.isfinite(value):
        return "–"
    shown = fixed(value, decimals, signed=signed)
    if not (math.isfinite(low) and math.isfinite(high)):
        return shown
    return f"{shown} [{fixed(low, decimals)}, {fixed(high, decimals)}]"


def interval_cell(
    value: float,
    low: float,
    high: float,
    reason: str,
    *,
    decimals: int | None = None,
    signed: bool = False,
    **attributes: object,
) -> Html:
    """Return a table cell: the value, below it its 95 % interval; a dash with `reason` for NaN.

    Without `decimals` the interval decides how many there are.
    """
    if not math.isfinite(value):
        return tag("td", dash(reason), class_="n", **attributes)
    decimals = decimals_for(low, high) if decimals is None else decimals
    if math.isfinite(low) and math.isfinite(high):
        below: object = f"[{fixed(low, decimals)}, {fixed(high, decimals)}]"
    else:
        below = dash("no interval: the value is not defined in every resample")
    exact = f"{value!r}, 95 % interval [{low!r}, {high!r}]"
    shown = fixed(value, decimals, signed=signed)
    return tag("td", shown, tag("span", below, class_="sub"), class_="n", title=exact, **attributes)


def count_cell(
    number: float | None, reason: str = "not counted here", **attributes: object
) -> Html:
    """Return a table cell with a whole number."""
    shown = dash(reason) if number is None or not math.isfinite(number) else count(number)
    return tag("td", shown, class_="n", **attributes)


def seconds_text(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
