"""Join a sample's labels and photometry, and apply its cuts, some rows at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zladder.catalogs.cuts import Selection
from zladder.catalogs.repeats import repeated
from zladder.provenance.errors import BadInput
from zladder.tables.arrow import from_frame, to_frame
from zladder.tables.names import column_names
from zladder.tables.read import table_batches
from zladder.tables.rows import take_rows
from zladder.tables.standard import standard_schema
from zladder.tables.write import ROW_GROUP_ROWS, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

LEFT, RIGHT = "left_index", "right_index"  # of a pair: rows of labels and of photometry
SEPARATION = "separation_arcsec"
MATCH_SEPARATION = "match_separation_arcsec"
# What the photometric survey says of these stays; what the label survey says of them goes.
_FROM_PHOTOMETRY = re.compile(
    r"object_id|ra|dec|ebv_mag|(mag|mag_err|mag_limit|extinction|psf_fwhm_arcsec)_\w+"
)
_DEREDDENED = re.compile(r"mag_(?:limit_)?(?!err_|limit_)(\w+)")
_PAIRS = 1 << 19  # joined at a time; the photometry is gone through once for so many


@dataclass(frozen=True)
class _Sources:
    """Which columns of a joined table come from which side; no labels where one survey is both."""

    labels: list[str]
    photometry: list[str]


def select_sample(
    labels: pd.DataFrame,
    photometry: pd.DataFrame,
    pairs: pd.DataFrame | None,
    settings: Mapping[str, Any],
    file: Path,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (sample, cut-flow) of catalogues in memory.

    Parameters
    ----------
    labels, photometry
        Standard catalogues; the same one where a survey gives both.
    pairs
        Rows of the labels and of the photometry and `separation_arcsec` of the cross-match, or
        None where one survey gives both.
    settings
        `name`, `deredden`, `cuts` of the sample.
    file
        The catalogue that messages name.

    Returns
    -------
    tuple
        Identifier, position and photometry of a matched galaxy are those of the photometric survey,
        so that two samples with the same photometry know each other's galaxies; everything else of
        a name that both surveys use is the label survey's.

    Raises
    ------
    BadInput
        For cuts that do not fit the table, dereddening without extinctions, and a galaxy that
        stands twice in the sample.
    """
    seen = from_frame(photometry)
    if pairs is not None:
        seen = seen.take(pa.array(pairs[RIGHT].to_numpy()))
        named = from_frame(labels).take(pa.array(pairs[LEFT].to_numpy()))
        sources = _sources(named.column_names, seen.column_names)
        seen = _join(named, seen, from_frame(pairs)[SEPARATION], sources)
    if settings["deredden"]:
        _require_extinctions(seen.column_names, file)
        seen = _dereddened(seen)
    selection = Selection(settings["cuts"], file)
    selection.look(to_frame(seen))
    stays, cutflow = selection.settle()
    sample = seen.filter(pa.array(stays))
    _require_once(sample["object_id"].to_numpy(), file)
    return to_frame(sample), cutflow


def write_sample(
    labels: Path,
    photometry: Path,
    match: Path | None,
    settings: Mapping[str, Any],
    sample: Path,
    batch_rows: int = ROW_GROUP_ROWS,
) -> tuple[pd.DataFrame, int]:
    """Write the sample of standard catalogues; return (cut-flow, rows that came in).

    The catalogues are gone through twice: first for the columns of the cuts, then for the rows
    that stay. Memory does not grow with their rows but for a few bytes each (`Selection`).

    Parameters
    ----------
    labels, photometry, match, sample
        Parquet files; as the arguments of :func:`select_sample`.
    settings
        As there.
    batch_rows
        Rows that are held at a time; nothing depends on it.

    Raises
    ------
    BadInput
        As :func:`select_sample`; and a damaged file.
    """
    selection = Selection(settings["cuts"], photometry)
    for batch in _batches(labels, photometry, match, settings, selection, batch_rows):
        selection.look(to_frame(batch))
    stays, cutflow = selection.settle()
    ids, start = [], 0
    batches = _batches(labels, photometry, match, settings, None, batch_rows)
    first = next(batches)
    schema = standard_schema(first.schema, {"sample": settings["name"]})
    with parquet_writer(sample, schema) as write:
        for batch in chain([first], batches):
            kept = batch.filter(pa.array(stays[start : start + len(batch)]))
            start += len(batch)
            ids.append(kept["object_id"].to_numpy())
            write(kept)
    _require_once(np.concatenate(ids), photometry)
    return cutflow, len(stays)


def _batches(
    labels: Path,
    photometry: Path,
    match: Path | None,
    settings: Mapping[str, Any],
    selection: Selection | None,
    batch_rows: int,
) -> Iterator[pa.Table]:
    """Yield the joined and dereddened rows; only the columns that a selection asks for, if any."""
    seen_names = column_names(photometry, "parquet")
    sources = _Sources([], seen_names)
    if match is not None:
        sources = _sources(column_names(labels, "parquet"), seen_names)
    names = [*sources.labels, *sources.photometry, *([MATCH_SEPARATION] if match else [])]
    if settings["deredden"]:
        _require_extinctions(names, photometry)
    if selection is not None:
        selection.require(names)
        sources = _asked(sources, selection.columns(), settings["deredden"])
    if match is None:
        batches = table_batches(photometry, "parquet", sources.photometry, None, batch_rows)
    else:
        batches = _joined_batches(labels, photometry, match, sources, batch_rows)
    for batch in batches:
        yield _dereddened(batch) if settings["deredden"] else batch


def _joined_batches(
    labels: Path, photometry: Path, match: Path, sources: _Sources, batch_rows: int
) -> Iterator[pa.Table]:
    """Yield one row a pair, in the order of the pairs."""
    for pairs in table_batches(match, "parquet", [LEFT, RIGHT, SEPARATION], None, _PAIRS):
        named = take_rows(labels, pairs[LEFT].to_numpy(), sources.labels)
        seen = take_rows(photometry, pairs[RIGHT].to_numpy(), sources.photometry)
        joined = _join(named, seen, pairs[SEPARATION], sources)
        for start in range(0, len(joined), batch_rows):
            yield joined.slice(start, batch_rows)


def _sources(named: Sequence[str], seen: Sequence[str]) -> _Sources:
    """Return which columns a pair takes from the labels (all else) and from the photometry.

    What only the photometric survey has of that all else (its extra columns) is taken too.
    """
    labels = [name for name in named if not _FROM_PHOTOMETRY.fullmatch(name)]
    return _Sources(labels, [name for name in seen if name not in labels])


def _asked(sources: _Sources, asked: Sequence[str], dereddened: bool) -> _Sources:
    """Return the sources reduced to the columns asked for, and what corrects these."""
    wanted = {"object_id", *asked}  # a table has at least one column
    if dereddened:
        found = [match[1] for name in asked if (match := _DEREDDENED.fullmatch(name))]
        wanted |= {f"extinction_{band}" for band in found}
    return _Sources(
        [name for name in sources.labels if name in wanted],
        [name for name in sources.photometry if name in wanted],
    )


def _join(
    named: pa.Table, seen: pa.Table, separation: pa.ChunkedArray, sources: _Sources
) -> pa.Table:
    """Return one row a pair: identity and photometry from one survey, all else from the other."""
    columns = {name: named[name] for name in sources.labels}
    columns |= {name: seen[name] for name in sources.photometry}
    return pa.table({**columns, MATCH_SEPARATION: separation})


def deredden(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return the table with Galactic extinction subtracted from every magnitude and limit.

    Raises
    ------
    BadInput
        If a band has no `extinction_{band}`.
    """
    _require_extinctions(list(frame.columns), file)
    return to_frame(_dereddened(from_frame(frame)))


def _dereddened(table: pa.Table) -> pa.Table:
    for index, name in enumerate(table.column_names):
        match = _DEREDDENED.fullmatch(name)
        if match:
            corrected = pc.subtract(table[name], table[f"extinction_{match[1]}"])
            table = table.set_column(index, name, corrected)
    return table


def _require_extinctions(names: Sequence[str], file: Path) -> None:
    for name in names:
        match = _DEREDDENED.fullmatch(name)
        if match and f"extinction_{match[1]}" not in names:
            hint = "map the survey's extinctions, or set deredden: false"
            place = f"column 'extinction_{match[1]}'"
            raise BadInput(file, place, "the Galactic extinction in mag", "no such column", hint)


def _require_once(ids: np.ndarray, file: Path) -> None:
    """Refuse a sample in which a galaxy stands twice: models would learn and be tested on it."""
    doubled = repeated(ids, keep_first=True)
    if doubled.any():
        first = ids[int(np.argmax(doubled))]
        raise BadInput(
            file, f"object_id {first}", "every galaxy once in the sample",
            f"it twice ({int(doubled.sum())} such rows in all)",
            "add a step to the sample: {name: …, duplicates: drop_all, of: object_id}, or match "
            "one to one",
        )  # fmt: skip
