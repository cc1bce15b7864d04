"""The same match on HATS catalogues, by LSDB and Dask: for catalogues beyond one machine.

Each partition of the sky is matched by `match_zones`, against the right catalogue's partition and
its margin; what follows (modes, quality) is the same code on the same pairs. The catalogues are
HATS collections with a column of row numbers, named by the path of their `collection.properties`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lsdb
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from lsdb.core.crossmatch.abstract_crossmatch_algorithm import AbstractCrossmatchAlgorithm

from zladder.catalogs.crossmatch import (
    DIRECTIONS,
    MAG_BINS,
    MOST_PLACES,
    OFFSET_RADII,
    Crossed,
    Strangers,
    count_magnitudes,
    offset_places,
)
from zladder.catalogs.match_read import Objects, Side, Tally
from zladder.catalogs.match_zones import close_pairs, make_zones
from zladder.catalogs.matching import finish, require_askable
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from lsdb.core.crossmatch.crossmatch_args import CrossmatchArgs

ROW = "row_index"  # column of a HATS catalogue: the row (int64, from 0) in the table it came from
REAL = -1  # `direction` of a pair that is not of an offset place
WORKERS = 2


def match_hats(
    left: Side, right: Side, radius_arcsec: float, mode: str = "nearest", *,
    one_to_one: bool = False, n_workers: int = WORKERS,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Match two HATS collections; arguments and result as for `matching.match_files`.

    The sides' files are the collections' `collection.properties`; ``left_index`` and
    ``right_index`` come from their column `ROW`. Conditions and objects without a position have
    no place in a HATS catalogue: cut before it is made.

    Raises
    ------
    BadInput
        No such collection or column; a right collection without a margin of eleven radii; a
        condition; an unknown mode.
    """
    about = {"mode": mode, "one_to_one": one_to_one, "radius_arcsec": radius_arcsec}
    require_askable(**about)
    local = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**local) as cluster, Client(cluster):
        catalogs = [_opened(side) for side in (left, right)]
        _require_margin(catalogs[1], right, radius_arcsec)
        n_left, n_right = (len(catalog) for catalog in catalogs)
        stride = max(1, -(-DIRECTIONS * n_left // MOST_PLACES))
        found = catalogs[0].crossmatch(
            catalogs[1], algorithm=ZonePairs(left, right, radius_arcsec, stride),
            suffixes=("_left", "_right"), suffix_method="all_columns", require_right_margin=True,
        ).compute()  # fmt: skip
        totals = np.stack([_by_magnitude(catalogs[k], side.magnitude)
                           for k, side in enumerate((left, right))])  # fmt: skip
    crossed = _crossed(found, (left, right), (n_left, n_right), totals, stride)
    tallies = Tally(n_rows=n_left, declared=True), Tally(n_rows=n_right, declared=True)
    return finish(crossed, (left, right), tallies, about, [])


class ZonePairs(AbstractCrossmatchAlgorithm):
    """All pairs of two partitions within a radius, real ones and those of offset places."""

    extra_columns = pd.DataFrame({
        "haversine": pd.Series(dtype="float64"), "direction": pd.Series(dtype="int64"),
    })  # fmt: skip

    def __init__(self, left: Side, right: Side, radius_arcsec: float, stride: int) -> None:
        super().__init__()
        self.sides = left, right
        self.radius_arcsec = radius_arcsec
        self.stride = stride

    def perform_crossmatch(
        self, crossmatch_args: CrossmatchArgs
    ) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        """Return rows of the left and of the right partition, and what is known of each pair."""
        frames = crossmatch_args.left_df, crossmatch_args.right_df
        left, right = (
            _objects(frame, side) for frame, side in zip(frames, self.sides, strict=True)
        )
        zones = make_zones(right.ra, right.dec, self.radius_arcsec)
        real = close_pairs(zones, left.ra, left.dec)
        places, whose, direction = offset_places(left, self.stride, self.radius_arcsec)
        odd = close_pairs(zones, places.ra, places.dec)
        extra = pd.DataFrame({
            "haversine": np.append(real.haversine, odd.haversine),
            "direction": np.append(np.full(len(real.here), REAL), direction[odd.there]),
        })  # fmt: skip
        return np.append(real.there, whose[odd.there]), np.append(real.here, odd.here), extra


def _opened(side: Side) -> lsdb.Catalog:
    if side.keep or side.skip_unplaced:
        asked = side.keep or "--skip-unplaced"
        raise BadInput(side.file, "options", "no condition with the engine hats", asked,
                       "cut before the catalogue is made")  # fmt: skip
    if side.file.name != "collection.properties":
        raise BadInput(side.file, "file", "collection.properties of a HATS collection",
                       f"'{side.file.name}'", "make one with LSDB or hats-import")  # fmt: skip
    present = lsdb.open_catalog(side.file.parent).all_columns
    for name in (*side.columns(), ROW):
        require_column(name, present, side.file)
    return lsdb.open_catalog(side.file.parent, columns=[*side.columns(), ROW])


def _require_margin(catalog: lsdb.Catalog, side: Side, radius_arcsec: float) -> None:
    """Refuse a right catalogue whose partitions do not know enough of their neighbours."""
    wanted = (OFFSET_RADII + 1) * radius_arcsec
    margin = catalog.margin
    found = 0.0 if margin is None else margin.hc_structure.catalog_info.margin_threshold
    if found < wanted:
        raise BadInput(side.file, "margin", f"at least {wanted:g} arcsec (eleven radii)",
                       f"{found:g} arcsec", "write it with a larger margin_threshold")  # fmt: skip


def _objects(frame: pd.DataFrame, side: Side) -> Objects:
    ra, dec = (frame[name].to_numpy(dtype=np.float64) for name in (side.ra, side.dec))
    return Objects(frame[ROW].to_numpy(dtype=np.int64), np.where(ra < 0, ra + 360.0, ra), dec)


def _by_magnitude(catalog: lsdb.Catalog, column: str) -> np.ndarray:
    """Return how many objects there are in each bin of magnitude, partition by partition."""
    if not column:
        return np.zeros(MAG_BINS, np.int64)
    parts = catalog.map_partitions(
        lambda frame: pd.DataFrame({"n": count_magnitudes(frame[column].to_numpy(np.float64))}),
        meta=pd.DataFrame({"n": pd.Series(dtype="int64")}),
    ).compute()
    return parts["n"].to_numpy(np.int64).reshape(-1, MAG_BINS).sum(axis=0)


def _crossed(
    found: pd.DataFrame, sides: tuple[Side, Side], sizes: tuple[int, int], totals: np.ndarray,
    stride: int,
) -> Crossed:  # fmt: skip
    direction = found["direction"].to_numpy(np.int64)
    real, odd = found[direction == REAL], found[direction != REAL]

    def column(name: str, k: int) -> np.ndarray | None:
        return real[name + ("_left", "_right")[k]].to_numpy(np.float64) if name else None

    errors = [column(side.error, k) for k, side in enumerate(sides)]
    both = None if errors[0] is None or errors[1] is None else np.hypot(*errors)
    rows = {name: frame[f"{ROW}_{name}"].to_numpy(np.int64)
            for frame in (real,) for name in ("left", "right")}  # fmt: skip
    place = odd[f"{ROW}_left"].to_numpy(np.int64) * DIRECTIONS + direction[direction != REAL]
    strangers = Strangers(place, odd[f"{ROW}_right"].to_numpy(np.int64),
                          odd["haversine"].to_numpy(np.float64))  # fmt: skip
    n_places = sum(len(range(-k % stride, sizes[0], stride)) for k in range(DIRECTIONS))
    return Crossed(
        rows["left"], rows["right"], real["haversine"].to_numpy(np.float64), both,
        column(sides[0].magnitude, 0), column(sides[1].magnitude, 1), *sizes, totals,
        strangers, n_places,
    )  # fmt: skip
