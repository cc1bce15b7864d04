"""The stage's story: the galaxies of a shard, cut field by field and written as they come."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from zladder.cutouts.field import cut_field
from zladder.cutouts.galaxies import FIELD, read_galaxies
from zladder.cutouts.losses import count_losses, losses_table, require_few_losses
from zladder.cutouts.shard import write_stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from zladder.cutouts.losses import Loss

_SECONDS_BETWEEN_LINES = 5.0

log = logging.getLogger("zladder")


def cut_stamps(
    sample: Path, root: Path, shard: int, settings: Mapping[str, Any], stamps: Path, losses: Path
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
        `bands, stamp_pixels, pixel_scale_arcsec, grid, n_shards, max_lost_fraction`;
        `extinction_per_ebv` where it is known.
    stamps, losses
        Files to write: HDF5 and CSV.

    Returns
    -------
    dict
        `n_in`, `n_out`, `n_lost` (by kind), `n_fields`.

    Raises
    ------
    BadInput
        As `read_galaxies`, and if more than the allowed fraction has no stamp.
    """
    galaxies = read_galaxies(sample, settings["bands"], shard, settings["n_shards"])
    lost: list[Loss] = []
    n_out = write_stamps(stamps, _fields(galaxies, root, settings, lost), len(galaxies), settings)
    losses_table(lost).to_csv(losses, index=False, lineterminator="\n")
    require_few_losses(lost, len(galaxies), settings["max_lost_fraction"])
    n_fields = len(galaxies[FIELD].drop_duplicates())
    return {
        "n_in": len(galaxies),
        "n_out": n_out,
        "n_lost": count_losses(lost),
        "n_fields": n_fields,
    }


def _fields(
    galaxies: pd.DataFrame, root: Path, settings: Mapping[str, Any], lost: list[Loss]
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the stamps of each field; add what is lost to the list; log the progress."""
    groups = galaxies.groupby(FIELD, sort=True)
    started = told = time.monotonic()
    n_done = 0
    for number, (key, group) in enumerate(groups, start=1):
        run, camcol, field = (int(part) for part in key)
        stamps, missing = cut_field(group, (run, camcol, field), root, settings)
        lost += missing
        yield stamps
        n_done += len(group)
        now = time.monotonic()
        if now - told > _SECONDS_BETWEEN_LINES or number == len(groups):
            told, rate = now, n_done / max(now - started, 1e-9)
            log.info("field %d of %d: %d galaxies, %d lost, %.0f galaxies/s",
                     number, len(groups), n_done, len(lost), rate)  # fmt: skip
