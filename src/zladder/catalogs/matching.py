"""From all pairs within the radius to the pairs of a match: nearest, mutual or all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from zladder.catalogs.crossmatch import Crossed, cross
from zladder.catalogs.match_quality import Chosen, describe
from zladder.catalogs.match_read import Side, Tally, check_objects, count_rows, read_objects
from zladder.catalogs.match_units import require_one_equinox
from zladder.catalogs.match_zones import ARCSEC_PER_DEG, separation_arcsec
from zladder.provenance.errors import BadInput, require_known
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zladder.catalogs.match_read import Objects
    from zladder.catalogs.match_zones import Array, Rows

MODES = ("nearest", "mutual", "all")

log = logging.getLogger("zladder")


def match_files(
    left: Side, right: Side, radius_arcsec: float, mode: str = "nearest", *,
    one_to_one: bool = False,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Match two tables; the one with more rows streams, whichever it is.

    Parameters
    ----------
    left, right
        What to read; of formats without a row count in their header the positions are held.
    radius_arcsec
        Largest separation, included.
    mode
        ``nearest``: each left object's nearest right one; ``mutual``: of these, the pairs whose
        left object is also the right one's nearest; ``all``: every pair. Of equals the first row.
    one_to_one
        With ``nearest``: where left objects share a right one, the nearest keeps it and the
        others go without.

    Returns
    -------
    tuple
        Pairs ``left_index, right_index`` (int64, rows from 0), ``separation_arcsec``, and
        ``separation_sigma`` where both sides have errors: separation over the error along one
        axis, a Rayleigh variable; in the order of the left side, then of the separation. And the
        quality (`match_quality.describe`).

    Raises
    ------
    BadInput
        As `read_objects`; sides of different equinoxes; an unknown mode.
    """
    sizes = [count_rows(side.file) for side in (left, right)]
    notes = require_one_equinox(left.file, right.file)
    tallies = Tally(), Tally()
    streams = [
        read_objects(side, tally) for side, tally in zip((left, right), tallies, strict=True)
    ]
    return _match((left, right), streams, sizes, tallies, radius_arcsec, mode,
                  one_to_one=one_to_one, notes=notes)  # fmt: skip


def match_tables(
    left: pd.DataFrame, right: pd.DataFrame, radius_arcsec: float, left_side: Side,
    right_side: Side, mode: str = "nearest", *, one_to_one: bool = False,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Match two tables in memory; as `match_files`. An empty side gives no pairs."""
    sides, tallies, streams = (left_side, right_side), (Tally(), Tally()), []
    for frame, side, tally in zip((left, right), sides, tallies, strict=True):
        for name in side.columns():
            require_column(name, list(frame.columns), side.file)
        table = pa.table({name: pa.array(frame[name]) for name in side.columns()})
        streams.append(check_objects(side, [table], {}, tally))
    sizes: list[int | None] = [len(left), len(right)]
    return _match(sides, streams, sizes, tallies, radius_arcsec, mode, one_to_one=one_to_one)


def _match(
    sides: tuple[Side, Side], streams: list[Iterator[Objects]], sizes: list[int | None],
    tallies: tuple[Tally, Tally], radius_arcsec: float, mode: str, *, one_to_one: bool,
    notes: list[str] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    about: dict[str, Any] = {"mode": mode, "one_to_one": one_to_one, "radius_arcsec": radius_arcsec}
    require_askable(**about)
    notes = [*(notes or []), *_one_sided(sides)]
    # A side of unknown length is held: only one that says how long it is can be known to be big.
    big = [-1 if size is None else size for size in sizes]
    left_streams = big[0] > big[1]
    if sizes[0] is None:
        held = list(streams[0])
        streams[0], sizes[0] = iter(held), sum(len(batch.rows) for batch in held)
    crossed = cross(streams[0], streams[1], radius_arcsec, n_left=sizes[0] or 0,
                    left_streams=left_streams)  # fmt: skip
    return finish(crossed, sides, tallies, about, notes)


def _one_sided(sides: Sequence[Side]) -> list[str]:
    if bool(sides[0].error) == bool(sides[1].error):
        return []
    return ["position errors of one side alone: not used, name the other side's too"]


def require_askable(mode: str, one_to_one: bool, radius_arcsec: float) -> None:
    """Refuse an unknown mode, a radius that is none, and all pairs one to one."""
    require_known(mode, MODES, "options", "mode")
    if not 0 < radius_arcsec <= ARCSEC_PER_DEG:
        raise BadInput("options", "radius-arcsec", "above 0 and at most 3600", f"{radius_arcsec}",
                       "a match is a matter of arcseconds")  # fmt: skip
    if one_to_one and mode != "nearest":
        raise BadInput("options", "one-to-one", "mode nearest", mode,
                       "mutual pairs are one to one, all pairs cannot be")  # fmt: skip


def finish(
    crossed: Crossed, sides: Sequence[Side], tallies: Sequence[Tally], about: Mapping[str, Any],
    notes: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Return the pairs that a mode takes of all, and the quality.

    ``about`` holds ``mode``, ``one_to_one`` and ``radius_arcsec``.
    """
    chosen = choose(crossed, about["mode"], one_to_one=about["one_to_one"])
    pairs = pair_table(crossed, chosen.pairs)
    quality = describe(crossed, chosen, sides, tallies, about, notes)
    counts, false = quality["counts"], quality["false"]
    log.info("%d of %d left objects matched, %d pairs; %.3g of these expected to be strangers",
             counts["n_matched"], counts["n_left"], len(pairs), false["n_false"])  # fmt: skip
    for words in quality["warnings"]:
        log.warning("%s", words)
    return pairs, quality


def choose(crossed: Crossed, mode: str, *, one_to_one: bool = False) -> Chosen:
    """Return which of the pairs a mode takes, in the order of the left side."""
    left, right, between = crossed.left, crossed.right, crossed.haversine
    nearest = best_of(left, between, right)
    if mode == "all":
        order = np.lexsort((right, between, left))
        return Chosen(order, nearest, None)
    if mode == "mutual":
        holders = best_of(right, between, left)
        return Chosen(nearest[np.isin(nearest, holders)], nearest, holders)
    if not one_to_one:
        return Chosen(nearest, nearest, None)
    holders = nearest[best_of(right[nearest], between[nearest], left[nearest])]
    return Chosen(holders[np.argsort(left[holders])], nearest, holders)


def best_of(groups: Rows, haversine: Array, others: Rows) -> Rows:
    """Return the pair of least separation in each group, in the order of the groups' numbers.

    Of equals that with the lowest number in ``others``.
    """
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    best = order[starts]
    several = order[np.repeat(sizes > 1, sizes)]  # few: only these are compared
    if len(several):
        several = several[np.lexsort((others[several], haversine[several], groups[several]))]
        best[sizes > 1] = several[np.flatnonzero(np.diff(groups[several], prepend=-1))]
    return best


def pair_table(crossed: Crossed, pairs: Rows) -> pd.DataFrame:
    """Return the table of some of the pairs."""
    separation = separation_arcsec(crossed.haversine[pairs])
    columns = {"left_index": crossed.left[pairs], "right_index": crossed.right[pairs],
               "separation_arcsec": separation}  # fmt: skip
    if crossed.error_arcsec is not None:
        columns["separation_sigma"] = separation / crossed.error_arcsec[pairs]
    return pd.DataFrame(columns)
