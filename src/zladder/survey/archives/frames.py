"""Fetch the corrected frames of the fields that a shard's stamps need, all bands of each.

A frame that is here is not fetched again: it got its name only when it was whole. The index tells
of every frame that was asked for what became of it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.config.imaging import FRAME_NAME
from zladder.provenance.errors import PassingBadInput
from zladder.survey.archives.accounts import accounts_of
from zladder.survey.archives.checks import fault_of
from zladder.survey.archives.download import download
from zladder.survey.archives.field_plan import plan_fields
from zladder.survey.archives.http import Absent, Request
from zladder.survey.archives.kept import alone_in, sha256_of
from zladder.survey.archives.progress import MB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.config.imaging import FieldNumber
    from zladder.survey.archives.manners import Manners

log = logging.getLogger("zladder")

# One row a frame; `path` is below the folder of frames. `state`: here, missing (the archive does
# not have it) or damaged (it has, but not a whole FITS file).
INDEX_COLUMNS = {
    "run": "int64", "camcol": "int64", "field": "int64", "band": "str", "path": "str",
    "state": "str", "bytes": "int64", "sha256": "str",
}  # fmt: skip


def fetch_frames(
    archive: Mapping[str, Any], catalog: Path, bands: Sequence[str], shard: tuple[int, int],
    folder: Path, manners: Manners, reach_rows: float | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:  # fmt: skip
    """Fetch the frames of shard `(number, of how many)` below `folder`.

    `catalog`, `bands` and `reach_rows` as for `plan_fields`; a galaxy without a field is counted
    and needs no frame. A field that holds no galaxy, but pixels of stamps, may be missing: a run
    ends somewhere. What its stamps lose is told where they are cut.

    Returns
    -------
    pandas.DataFrame
        `INDEX_COLUMNS`, one row a frame, ordered by field and band, those beside the galaxies last.
    dict
        `galaxies`, `galaxies_without_field`, `fields`, `fields_beside`, and frames `fetched`,
        `here_before`, `missing`, `damaged`, `missing_beside` (of fields without a galaxy).

    Raises
    ------
    BadInput
        As `plan_fields`; no address, a server that refuses, or more frames missing or damaged than
        `max_missing_frames_fraction` allows.
    Unfinished
        If network or server fail for too long; the frames that came are kept.
    """
    if archive["url"] is None:
        raise PassingBadInput("config/archives.yaml", f"{archive['name']}.url", "an address",
                              "null", "give it with --configfile")  # fmt: skip
    accounts_of(archive)
    plan = plan_fields(catalog, bands, shard, reach_rows)
    wanted = [(field, band) for field in (*plan.fields, *plan.beside) for band in bands]
    n_held = len(plan.fields) * len(bands)
    allowed = manners.max_missing_frames_fraction * len(wanted)
    rows: list[dict[str, Any]] = []
    paced, told = manners.towards(archive), time.monotonic()
    states: Counter[str] = Counter()
    for field, band in wanted:
        row, came = _one(archive, field, band, folder, paced)
        excused = came == "missing" and len(rows) >= n_held
        rows.append(row)
        states["missing_beside" if excused else came] += 1
        if states["missing"] + states["damaged"] > allowed:
            _refuse(archive, row, states, len(wanted), manners)
        if time.monotonic() - told >= manners.progress_seconds:
            told = time.monotonic()
            log.info("%s", _line(rows, len(wanted), states))
    log.info("%s", _line(rows, len(wanted), states))
    kinds = ("fetched", "here_before", "missing", "damaged", "missing_beside")
    counts = {"galaxies": plan.n_galaxies, "galaxies_without_field": plan.n_without_field,
              "fields": len(plan.fields), "fields_beside": len(plan.beside),
              **{kind: states[kind] for kind in kinds}}  # fmt: skip
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS)).astype(INDEX_COLUMNS), counts


def _one(
    archive: Mapping[str, Any], field: FieldNumber, band: str, folder: Path, manners: Manners
) -> tuple[dict[str, Any], str]:
    """Return the row of one frame, fetched unless it is here, and what happened."""
    plain = FRAME_NAME.format(**field._asdict(), band=band)
    url = archive["url"].format(rerun=archive["rerun"], band=band, **field._asdict())
    packed = url.partition("?")[0].endswith(".bz2") and not (folder / plain).is_file()
    path = folder / (plain + ".bz2" if packed else plain)
    row = {**field._asdict(), "band": band, "path": path.relative_to(folder).as_posix()}
    came = "here_before" if path.is_file() else _alone(url, path, manners)
    if came in ("missing", "damaged"):
        return {**row, "state": came, "bytes": 0, "sha256": ""}, came
    size = path.stat().st_size
    return {**row, "state": "here", "bytes": size, "sha256": sha256_of(path)}, came


def _alone(url: str, path: Path, manners: Manners) -> str:
    """Fetch one frame, unless another job did so while this one waited for it."""
    with alone_in(path.parent):
        return "here_before" if path.is_file() else _fetch(url, path, manners)


def _fetch(url: str, path: Path, manners: Manners) -> str:
    """Fetch one frame; return what became of it."""

    def fault(file: Path) -> str:
        return fault_of(file, "fits")

    partial = path.with_name(f".{path.name}")
    try:
        download(Request(url), partial, manners, fault, path.name, logging.DEBUG)
    except Absent as error:
        log.error("%s: %s", url, error.found)
        return "missing"
    wrong = fault(partial)
    partial.with_name(partial.name + ".json").unlink(missing_ok=True)
    if wrong:
        partial.replace(path.with_name(path.name + ".refused"))
        log.error("%s: %s; kept as %s.refused", url, wrong, path)
        return "damaged"
    partial.replace(path)
    return "fetched"


def _refuse(
    archive: Mapping[str, Any], row: Mapping[str, Any], states: Mapping[str, int], n_frames: int,
    manners: Manners,
) -> None:  # fmt: skip
    found = (
        f"{row['state']} (of {n_frames}: {states['missing']} missing, {states['damaged']} damaged)"
    )
    allowed = manners.max_missing_frames_fraction
    hint = (f"correct the address of {archive['name']}; or allow it (the stamps there are lost): "
            f"fetching.max_missing_frames_fraction, now {allowed:g}")  # fmt: skip
    raise PassingBadInput(
        archive["url"], f"the frame {row['path']}", "a whole FITS file", found, hint
    )


def _line(rows: Sequence[Mapping[str, Any]], n_frames: int, states: Mapping[str, int]) -> str:
    size = sum(row["bytes"] for row in rows) / MB
    share = 100 * len(rows) / n_frames if n_frames else 100
    return (f"{len(rows)} of {n_frames} frames ({share:.0f} %), {size:.1f} MB: {states['fetched']} "
            f"fetched, {states['here_before']} were here, "
            f"{states['missing'] + states['missing_beside']} missing, "
            f"{states['damaged']} damaged")  # fmt: skip
