"""Keywords of the headers of a FITS file, the missing and the unreadable among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astropy.io import fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    Named = tuple[str, fits.Header]  # what an HDU is called in messages, and its header

UNTOLD, _UNREADABLE = "no such keyword", "not readable"


def value(header: fits.Header, keyword: str) -> object:
    """Return a keyword's value; words that say so where it is missing or cannot be read."""
    try:
        return header.get(keyword, UNTOLD)
    except fits.VerifyError:  # such as NaN, which FITS cannot say
        return _UNREADABLE


def told(headers: Sequence[Named], keyword: str) -> tuple[str, object]:
    """Return (HDU, value) of the first header that has a keyword, else the first HDU and words."""
    for where, header in headers:
        if keyword in header:
            return where, value(header, keyword)
    return headers[0][0], UNTOLD
