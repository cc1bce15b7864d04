"""Names of methods in claims: a method, or one at the fewest labels or at all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FEWEST, ALL = "_at_fewest", "_at_all"


class NotApplicable(Exception):  # noqa: N818 (the verdict's own word)
    """A claim that cannot be asked of this sample; the message is the reason."""


def method_named(
    name: str, ladder: Mapping[str, Mapping[str, object]], known: Collection[str]
) -> str:
    """Return the method that a claim's name stands for.

    Parameters
    ----------
    name
        A method; or ``BASE_at_fewest``, BASE at the smallest label fraction of the study, the same
        for all its methods; or ``BASE_at_all``.
    ladder
        {method: `base`, `fraction`} for the methods that were trained at several label fractions.
    known
        The methods that have results.

    Raises
    ------
    NotApplicable
        If there is no such method here, or no fraction below all labels.
    """
    method: str | None = name
    if name.endswith((FEWEST, ALL)):
        suffix = FEWEST if name.endswith(FEWEST) else ALL
        base, fraction = name.removesuffix(suffix), 1.0 if suffix == ALL else _fewest(ladder)
        method = _on_rung(base, fraction, ladder)
        if method is None:
            message = f"{base} was not trained on {100 * fraction:g} % of the labels"
            raise NotApplicable(message)
    if method not in known:
        message = f"there are no results of {method} in this study"
        raise NotApplicable(message)
    return str(method)


def _on_rung(base: str, fraction: float, ladder: Mapping[str, Mapping[str, object]]) -> str | None:
    """Return the method that is a base at a label fraction."""
    for method, entry in ladder.items():
        if entry["base"] == base and entry["fraction"] == fraction:
            return method
    return None


def _fewest(ladder: Mapping[str, Mapping[str, object]]) -> float:
    """Return the smallest fraction of the ladder."""
    fractions = [float(str(entry["fraction"])) for entry in ladder.values()]
    if not fractions or min(fractions) == 1.0:
        message = "no network was trained on a part of the labels"
        raise NotApplicable(message)
    return min(fractions)
