"""The stage's story: the galaxies of a shard, cut field by field and written as they come."""

from __future__ import annotations

import logging
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.allowed import Judged, require_few_losses
from zladder.cutouts.beside import empty_pixels
from zladder.cutouts.causes import causes_of
from zladder.cutouts.deal import deal_galaxies
from zladder.cutouts.field import cut_field
from zladder.cutouts.galaxies import fields_of, read_galaxies
from zladder.cutouts.layouts import LAYOUTS
from zladder.cutouts.losses import count_losses, losses_table
from zladder.cutouts.shard import write_stamps
from zladder.tables.stamp_files import LOSING, STAMP_FLAGS, flag_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.cutouts.layouts import Key
    from zladder.cutouts.losses import Loss

_SECONDS_BETWEEN_LINES = 5.0

log = logging.getLogger("zladder")


# Galaxies whose pixels are in memory at once: 2048 x 5 x 112 x 112 floats are 0.5 GB.
_BLOCK_GALAXIES = 2048


def cut_stamps(
    sample: Path,
    root: Path,
    shard: int,
    settings: Mapping[str, Any],
    stamps: Path,
    losses: Path,
    indexes: Sequence[Path] = (),
    listed: Path | None = None,
) -> dict[str, Any]:
    """Cut all stamps of one shard of a sample; return the counts.

    Parameters
    ----------
    sample
        Table as `read_galaxies` takes it.
    root
        Folder of the frames.
    shard
        Which shard, from 0.
    settings
        `bands, stamp_pixels, pixel_scale_arcsec, grid, edge, n_shards, max_lost_fraction, layout`
        and what the layout reads; `extinction_per_ebv` where it is known; `grid_scale_arcsec` where
        the grid's pixels are not as wide as the frames'; what `pixel_attributes` reads.
    stamps, losses
        Files to write: HDF5 and CSV.
    indexes
        Tables of the frames that there are (`run, camcol, field`): of this shard and of those
        that hold the neighbouring fields. Without any, what lies in the folder is there.
    listed
        File for the losses where they are too many, which is found before all is cut; an earlier
        one is removed.

    Returns
    -------
    dict
        `n_in`, `n_out`, `n_lost` (by kind), `n_flagged` (by flag), `n_fields`,
        `n_without_psf_width` (by band: stamps whose width is not known, where there are any).

    Raises
    ------
    BadInput
        As `read_galaxies`, and if more than the allowed fraction has no stamp: with the files
        at fault (`causes`), for frames are no inputs of the program.
    """
    if listed:
        listed.unlink(missing_ok=True)
    layout = LAYOUTS[settings["layout"]]
    galaxies = read_galaxies(sample, settings, layout)
    inside, nowhere = layout.place(galaxies, root, settings)
    placed, lost = deal_galaxies(inside, nowhere, layout.dealt_by, shard, settings["n_shards"])
    judged = Judged(len(galaxies), len(nowhere), len(placed), len(lost), next(iter(nowhere), None))
    flagged: Counter[str] = Counter()
    without: Counter[str] = Counter()
    there = fields_of(indexes) if layout.neighbour else None
    require = partial(
        require_few_losses, lost, judged, settings["max_lost_fraction"], listed, layout.key,
        partial(causes_of, root=root, settings=settings),
    )  # fmt: skip
    require()
    found = _fields(placed, root, settings, there, lost, flagged, without, require)
    n_out = write_stamps(stamps, found, len(placed), settings)
    losses_table(lost, layout.key).to_csv(losses, index=False, lineterminator="\n")
    if without:
        log.warning("stamps without a width of the point-spread function: %s", dict(without))
    n_fields = len(placed[list(layout.key)].drop_duplicates())
    return {
        "n_in": judged.n_own + judged.n_dealt,
        "n_out": n_out,
        "n_lost": count_losses(lost),
        "n_flagged": {flag: flagged[flag] for flag in STAMP_FLAGS if flag not in LOSING},
        "n_fields": n_fields,
        "n_without_psf_width": dict(without),
    }


def _fields(
    galaxies: pd.DataFrame,
    root: Path,
    settings: Mapping[str, Any],
    there: Collection[Key] | None,
    lost: list[Loss],
    flagged: Counter[str],
    without: Counter[str],
    require: Callable[[], None],
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the stamps field by field; add what is lost and flagged; log the progress.

    All stamps lie in the same memory, one field's after the other's. `require` is asked after each
    block whether so many may be lost.
    """
    groups = galaxies.groupby(list(LAYOUTS[settings["layout"]].key), sort=True)
    largest = int(groups.size().max()) if len(groups) else 0
    pixels = empty_pixels(min(largest, _BLOCK_GALAXIES), settings)
    started = told = time.monotonic()
    n_done = 0
    widths: dict[str, float] = {}
    for number, (key, group) in enumerate(groups, start=1):
        for start in range(0, len(group), _BLOCK_GALAXIES):
            block = group.iloc[start : start + _BLOCK_GALAXIES]
            stamps, missing = cut_field(block, key, root, settings, there, pixels, widths)
            lost += missing
            require()
            flags = np.bitwise_or.reduce(stamps["flags"], axis=1)
            flagged.update(
                {name: int((flags & flag_value(name) > 0).sum()) for name in STAMP_FLAGS}
            )
            unknown = np.isnan(stamps["psf_fwhm_arcsec"]).sum(axis=0).tolist()
            without.update(
                {band: n for band, n in zip(settings["bands"], unknown, strict=True) if n}
            )
            yield stamps
        n_done += len(group)
        now = time.monotonic()
        if now - told > _SECONDS_BETWEEN_LINES or number == len(groups):
            told, rate = now, n_done / max(now - started, 1e-9)
            log.info("field %d of %d: %d galaxies, %d lost, %.0f galaxies/s",
                     number, len(groups), n_done, len(lost), rate)  # fmt: skip
