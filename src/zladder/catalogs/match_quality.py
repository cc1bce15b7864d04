"""What a match is worth: counts of every kind of loss, false pairs, separations, completeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zladder.catalogs.crossmatch import MAG_STEP, count_magnitudes
from zladder.catalogs.match_false import estimate_false
from zladder.catalogs.match_rayleigh import normalised_histogram, separation_histogram
from zladder.catalogs.match_zones import separation_arcsec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.catalogs.crossmatch import Crossed
    from zladder.catalogs.match_read import Side, Tally
    from zladder.catalogs.match_zones import Rows

QUANTILES = (0.05, 0.5, 0.95, 0.99)
_YEARS_APART = 1.0  # of observation, beyond which stars may have left their place: warned of


class Chosen(NamedTuple):
    """Pairs of a match: those taken; each left object's nearest; each right object's holder."""

    pairs: Rows
    nearest: Rows
    holders: Rows | None


def describe(
    crossed: Crossed, chosen: Chosen, sides: Sequence[Side], tallies: Sequence[Tally],
    about: Mapping[str, Any], notes: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """Return the quality of a match, as JSON holds it.

    Returns
    -------
    dict
        ``counts`` (with ``mode``, ``one_to_one``, ``radius_arcsec``), ``false`` (`estimate_false`),
        ``separations`` (`separation_histogram`), ``normalised`` with errors, ``completeness``
        with a magnitude, ``warnings``.
    """
    found = separation_arcsec(crossed.haversine[chosen.pairs])
    radius = float(about["radius_arcsec"])
    strange = estimate_false(crossed, chosen.pairs, chosen.nearest, chosen.holders, radius,
                             take_all=about["mode"] == "all")  # fmt: skip
    error = None if crossed.error_arcsec is None else crossed.error_arcsec[chosen.pairs]
    quality: dict[str, Any] = {
        "counts": {**about, **_counts(crossed, chosen, tallies)},
        "false": strange.figures,
        "separations": separation_histogram(
            found,
            separation_arcsec(strange.haversine),
            strange.weight,
            radius,
            strange.sigma_arcsec if error is None else error,
        ),
        "warnings": [*notes, *_warnings(sides, tallies)] or _nothing(chosen, tallies),
    }
    levels = np.quantile(found, QUANTILES).tolist() if len(found) else [None] * len(QUANTILES)
    names = [f"{level:g}" for level in QUANTILES]
    quality["separations"]["quantiles_arcsec"] = dict(zip(names, levels, strict=True))
    if error is not None:
        quality["normalised"] = normalised_histogram(found / error)
    completeness = _completeness(crossed, chosen.pairs, sides)
    return quality | ({"completeness": completeness} if completeness else {})


def _counts(crossed: Crossed, chosen: Chosen, tallies: Sequence[Tally]) -> dict[str, Any]:
    """Return how many went in, came out, and were lost on the way, for what.

    Of the left side: rows = not candidates + without position + no neighbour + contested + matched.
    """
    per_left, per_right = _runs(crossed.left), _runs(crossed.right[chosen.pairs])
    n_matched = len(_runs(crossed.left[chosen.pairs]))
    matched = np.isin(crossed.left[chosen.nearest], crossed.left[chosen.pairs])
    counts = {
        f"n_{side}{what}": value
        for side, tally in zip(("left", "right"), tallies, strict=True)
        for what, value in (
            ("", tally.n_rows), ("_not_candidates", tally.n_not_candidates),
            ("_without_position", tally.n_without_position), ("_ra_wrapped", tally.n_ra_wrapped),
        )
    }  # fmt: skip
    counts |= {
        "n_pairs": len(chosen.pairs), "n_matched": n_matched,
        "n_no_neighbour": crossed.n_left - len(per_left),
        "n_contested": len(per_left) - n_matched,
        "n_ambiguous": int((per_left[matched] > 1).sum()),
        "n_right_matched": len(per_right), "n_right_shared": int((per_right > 1).sum()),
        "n_within_radius": len(crossed.left),
    }  # fmt: skip
    return counts | {"n_left_by_candidates": [
        crossed.n_left - len(per_left), *(int((per_left == n).sum()) for n in (1, 2)),
        int((per_left > 2).sum()),
    ]}  # fmt: skip


def _runs(rows: Rows) -> Rows:
    """Return how often each row occurs, in the order of the rows."""
    starts = np.flatnonzero(np.diff(np.sort(rows), prepend=-1))
    return np.diff(starts, append=len(rows))


def _completeness(crossed: Crossed, pairs: Rows, sides: Sequence[Side]) -> dict[str, Any] | None:
    """Return objects and matched ones by magnitude: of the left side if it has one, else right."""
    columns = (crossed.left_magnitude, crossed.left), (crossed.right_magnitude, crossed.right)
    for k, (magnitude, rows) in enumerate(columns):
        if magnitude is not None and sides[k].magnitude:
            _, once = np.unique(rows[pairs], return_index=True)
            matched = count_magnitudes(magnitude[pairs][once])
            total = crossed.by_magnitude[k]
            shown = np.flatnonzero(total)
            some = slice(shown[0], shown[-1] + 1) if shown.size else slice(0, 0)
            edges = np.arange(len(total) + 1) * MAG_STEP
            return {
                "side": ("left", "right")[k], "column": sides[k].magnitude,
                "edges_mag": edges[some.start : some.stop + 1].tolist(),
                "n": total[some].tolist(), "n_matched": matched[some].tolist(),
                "n_without_magnitude": (crossed.n_left, crossed.n_right)[k] - int(total.sum()),
            }  # fmt: skip
    return None


def _nothing(chosen: Chosen, tallies: Sequence[Tally]) -> list[str]:
    if len(chosen.pairs) or not all(tally.n_rows for tally in tallies):
        return []
    return ["no pair at all: do the two skies overlap, and are both in degrees?"]


def _warnings(sides: Sequence[Side], tallies: Sequence[Tally]) -> list[str]:
    found = [words for side, tally in zip(sides, tallies, strict=True)
             for words in tally.warnings(str(side.file))]  # fmt: skip
    ends = [tally.epochs for tally in tallies if tally.epochs]
    if ends:
        first, last = min(start for start, _ in ends), max(end for _, end in ends)
        if last - first > _YEARS_APART:
            found.append(f"positions of epochs from {first:g} to {last:g}: matched as they are; "
                         "stars move, galaxies do not")  # fmt: skip
    return found
