"""The two sides of a match as they stream from their files: positions, checked and counted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa

from zladder.catalogs.expressions import columns_of, evaluate
from zladder.catalogs.match_units import epoch_of, unit_factors
from zladder.provenance.errors import BadInput
from zladder.tables.arrow import to_frame
from zladder.tables.check import require_column, require_numbers
from zladder.tables.formats import format_of
from zladder.tables.names import column_names
from zladder.tables.read import require_file, table_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from zladder.catalogs.match_zones import Array, Rows

BATCH_ROWS = 1 << 17
EPOCH_COLUMN = "ref_epoch"  # of the positions, years: Gaia's name


@dataclass(frozen=True)
class Side:
    """What one side of a match is made of.

    Attributes
    ----------
    file
        The table; messages name it.
    ra, dec
        Columns of the position: degrees, or what the file declares.
    error
        Column of the position error: arcsec, 1 sigma of each axis; empty for none.
    magnitude
        Column that the completeness is shown against; empty for none.
    keep
        A condition: only the objects that it is true of take part. Empty for all.
    skip_unplaced
        Whether objects without a position are counted and left out, not refused.
    """

    file: Path
    ra: str = "ra"
    dec: str = "dec"
    error: str = ""
    magnitude: str = ""
    keep: str = ""
    skip_unplaced: bool = False

    def columns(self) -> list[str]:
        """Return the columns to read, each once."""
        named = [self.ra, self.dec, self.error, self.magnitude]
        conditions = columns_of(self.keep, "keep", self.file) if self.keep else []
        return list(dict.fromkeys(name for name in [*named, *conditions] if name))


class Objects(NamedTuple):
    """N objects of one side, or a batch of them: rows of the file (int64, from 0), degrees."""

    rows: Rows
    ra: Array
    dec: Array
    error_arcsec: Array | None = None
    magnitude: Array | None = None


@dataclass
class Tally:
    """What was met while a side was read."""

    n_rows: int = 0
    n_without_position: int = 0
    n_not_candidates: int = 0
    n_ra_wrapped: int = 0
    largest_deg: tuple[float, float] = (0.0, 0.0)  # |ra|, |dec| as the file has them
    declared: bool = False  # whether the file names the units of its positions
    epochs: tuple[float, float] | None = None  # the first and the last, years

    def warnings(self, name: str) -> list[str]:
        """Return what a reader of the match should know of this side."""
        ra, dec = self.largest_deg
        if self.n_rows and not self.declared and ra <= 2 * np.pi and dec <= np.pi / 2:
            words = "no |ra| above 2 pi, no |dec| above pi/2, no unit: taken as degrees, but these"
            return [f"{name}: {words} may be radians"]
        return []


def count_rows(file: Path) -> int | None:
    """Return the number of rows that a Parquet or FITS file declares; None for others.

    Raises
    ------
    BadInput
        No file, one of 0 bytes, or one that is cut off.
    """
    require_file(file)
    column_names(file)  # says what is damaged
    kind = format_of(file)
    if kind == "parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(file).num_rows)
    if kind == "fits":
        from astropy.io import fits

        with warnings.catch_warnings(), fits.open(file) as hdus:
            warnings.simplefilter("ignore")  # the reader says what is damaged
            tables = (hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU))
            return int(next(tables).header["NAXIS2"])
    return None


def read_objects(side: Side, tally: Tally) -> Iterator[Objects]:
    """Yield one side from its file, batch by batch, and count what is met.

    Raises
    ------
    BadInput
        With file, column and row: a missing column, a text where a number should be, a position
        that is missing (unless skipped), not finite or not on the sphere, an error that is
        missing or not positive, a unit that is none of an angle, a damaged file, no row.
    """
    file = side.file
    present, wanted = column_names(file), side.columns()
    for name in wanted:
        require_column(name, present, file)
    epoch = [EPOCH_COLUMN] if EPOCH_COLUMN in present else []
    errors = [side.error] if side.error else []
    factors = unit_factors(file, {side.ra: "ra", side.dec: "dec"}, errors)
    tally.declared = side.ra in factors and side.dec in factors
    if (year := epoch_of(file)) is not None:
        tally.epochs = year, year
    tables = table_batches(file, None, [*wanted, *epoch], None, BATCH_ROWS)
    yield from check_objects(side, tables, factors, tally)


def check_objects(
    side: Side, tables: Iterable[pa.Table], factors: Mapping[str, float], tally: Tally
) -> Iterator[Objects]:
    """Yield the objects of tables, checked; arguments and errors as for `read_objects`.

    Raises
    ------
    BadInput
        Also where the condition is true of no object.
    """
    n_kept = 0
    for table in tables:
        if not table.num_rows:
            continue
        start, n = tally.n_rows, table.num_rows
        tally.n_rows += n
        rows = np.arange(start, start + n)
        if side.keep:
            rows = rows[evaluate(to_frame(table), side.keep, "keep", side.file)]
            tally.n_not_candidates += n - len(rows)
        n_kept += len(rows)
        batch = _Batch(side, table, rows - start, rows, factors)
        placed = _placed(batch, tally)
        if len(placed):
            yield _objects(batch, placed, tally)
    if side.keep and tally.n_rows and not n_kept:
        raise BadInput(side.file, "keep", "a condition true of some objects",
                       f"none where {side.keep}", "see the column's values")  # fmt: skip


class _Batch(NamedTuple):
    side: Side
    table: pa.Table
    within: Rows  # rows of the table that take part
    rows: Rows  # the same in the file
    factors: Mapping[str, float]

    def values(self, name: str) -> Array:
        """Return a column of those rows, float64, in the unit wanted; NaN where there is none."""
        column = self.table.column(name)
        numbers = _numbers(column, name, self)
        if len(self.within) < len(numbers):
            numbers = numbers[self.within]
        return numbers * self.factors[name] if name in self.factors else numbers

    def refuse(self, name: str, bad: Rows, expected: str, value: object, hint: str) -> NoReturn:
        row = int(self.rows[bad[0]]) + 1
        raise BadInput(self.side.file, f"column '{name}', row {row}", expected, f"{value}", hint)


def _numbers(column: pa.ChunkedArray, name: str, batch: _Batch) -> Array:
    if pa.types.is_floating(column.type) and not column.null_count:
        return np.asarray(column.to_numpy(), dtype=np.float64)
    frame = to_frame(pa.table({name: column}))
    first_row = int(batch.rows[0] - batch.within[0])
    numbers = require_numbers(frame, [name], batch.side.file, first_row)[name]
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _placed(batch: _Batch, tally: Tally) -> Rows:
    """Return which of the batch's objects have a position; count or refuse the others."""
    side = batch.side
    if not len(batch.rows):
        return batch.rows
    ra, dec = batch.values(side.ra), batch.values(side.dec)
    for name, values in ((side.ra, ra), (side.dec, dec)):
        bad = np.flatnonzero(np.isinf(values) if side.skip_unplaced else ~np.isfinite(values))
        if bad.size:
            batch.refuse(name, bad, "a finite position", values[bad[0]],
                         "take such rows out, or count them with --skip-unplaced")  # fmt: skip
    placed = np.flatnonzero(~(np.isnan(ra) | np.isnan(dec)))
    tally.n_without_position += len(ra) - len(placed)
    return placed


def _objects(batch: _Batch, placed: Rows, tally: Tally) -> Objects:
    side = batch.side
    ra, dec = batch.values(side.ra), batch.values(side.dec)
    if len(placed) < len(ra):
        ra, dec = ra[placed], dec[placed]
        batch = batch._replace(within=batch.within[placed], rows=batch.rows[placed])
    _require_on_sphere(batch, ra, dec)
    tally.largest_deg = (max(tally.largest_deg[0], float(np.abs(ra).max())),
                         max(tally.largest_deg[1], float(np.abs(dec).max())))  # fmt: skip
    west = np.flatnonzero(ra < 0)
    if west.size:
        ra = ra.copy()
        ra[west] += 360.0
        tally.n_ra_wrapped += len(west)
    if EPOCH_COLUMN in batch.table.column_names:
        years = batch.values(EPOCH_COLUMN)
        years = years[np.isfinite(years)]
        ends = tally.epochs or (np.inf, -np.inf)
        if years.size:
            tally.epochs = float(min(ends[0], years.min())), float(max(ends[1], years.max()))
    error = batch.values(side.error) if side.error else None
    if error is not None and (bad := np.flatnonzero(~(np.isfinite(error) & (error > 0)))).size:
        batch.refuse(side.error, bad, "a position error above 0 arcsec", error[bad[0]],
                     "every object needs one; leave the option out to match without")  # fmt: skip
    magnitude = batch.values(side.magnitude) if side.magnitude else None
    return Objects(batch.rows, ra, dec, error, magnitude)


def _require_on_sphere(batch: _Batch, ra: Array, dec: Array) -> None:
    side = batch.side
    if len(bad := np.flatnonzero(np.abs(dec) > 90)):
        batch.refuse(side.dec, bad, "a declination within -90 and 90 degrees", dec[bad[0]],
                     "are ra and dec exchanged, or is the unit another?")  # fmt: skip
    if len(bad := np.flatnonzero((ra < -180) | (ra > 360))):
        batch.refuse(side.ra, bad, "a right ascension within -180 and 360 degrees", ra[bad[0]],
                     "is the unit another, as hours or arcsec?")  # fmt: skip
