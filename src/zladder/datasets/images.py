"""Image datasets: galaxies that have a stamp, split so that no stamp shows another split's pixels.

Splits are drawn by sky cell. A galaxy whose stamp reaches into a cell of another split is dropped
and counted; the stamps of two splits therefore lie in different cells and share no pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.datasets.build import (
    count_splits,
    join_samples,
    require_whole,
    splits_seed,
    with_rank,
)
from zladder.datasets.footprints import (
    reached_cells,
    require_wide_cells,
    stamp_radius_arcsec,
)
from zladder.datasets.splits import draw_splits, splits_of_keys
from zladder.datasets.stamp_index import join_stamps, read_shards, require_known_galaxies
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

TRAIN = "train"


def build_image_dataset(
    samples: Mapping[str, pd.DataFrame],
    shards: Sequence[Path],
    settings: Mapping[str, Any],
    away_from: pd.DataFrame | None,
    file: Path,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (dataset, counts).

    Parameters
    ----------
    samples
        {name: table} with `object_id, ra, dec`, in the order of their precedence.
    shards
        The stamp files of these samples, SAMPLE/SHARD.h5.
    settings
        `splits` (shares), `sky_cell_order`, `master_seed`; `photometry` and
        `duplicate_radius_arcsec` as for `build_dataset`.
    away_from
        A labelled image dataset (`ra, dec, split`), or None. With it, what is kept is a training
        set: no stamp of it reaches a cell that a stamp of that dataset's validation, calibration
        or test galaxies reaches.
    file
        Named in messages.

    Returns
    -------
    tuple
        The samples' columns, `sample`, `split`, `fraction_rank`, `shard`, `row`, `stamp_flags`.
        Counts: `n_in` by sample, `n_copies_dropped`, `n_without_stamp`, `n_dropped` (by reason),
        `n_flagged`, `n_out`, `n_by_split`.

    Raises
    ------
    BadInput
        As `join_samples`, `read_shards` and `require_known_galaxies`; samples without positions;
        cells narrower than a stamp; a split without galaxies.
    """
    require_whole(settings["splits"])
    _require_positions(samples, file)
    index, stamps = read_shards(shards)
    require_known_galaxies(samples, index, shards)
    galaxies, counts = join_samples(samples, settings, file)
    placed = join_stamps(galaxies, index)
    radius = stamp_radius_arcsec(stamps.stamp_pixels, stamps.pixel_scale_arcsec)
    require_wide_cells(radius, settings["sky_cell_order"])
    if away_from is None:
        reason, dataset = "border", _split(placed, settings, radius)
    else:
        reason, dataset = "near_held_out", _kept_away(placed, away_from, settings, radius)
    dataset = with_rank(dataset, settings["master_seed"])
    by_split = count_splits(dataset)
    _require_filled(by_split, [TRAIN] if away_from is not None else list(by_split), file)
    return dataset, {
        **counts,
        "n_without_stamp": len(galaxies) - len(placed),
        "n_dropped": {reason: len(placed) - len(dataset)},
        "n_flagged": int((dataset["stamp_flags"] != 0).sum()),
        "n_out": len(dataset),
        "n_by_split": by_split,
    }


def _split(placed: pd.DataFrame, settings: Mapping[str, Any], radius_arcsec: float) -> pd.DataFrame:
    """Return the galaxies with their split, those at the border of another split left out."""
    order, seed = settings["sky_cell_order"], splits_seed(settings["master_seed"])
    own = draw_splits(placed, settings["splits"], {}, order, seed)
    galaxy, cell = _reached(placed, radius_arcsec, order)
    strange = splits_of_keys(cell, settings["splits"], seed) != own[galaxy]
    stays = np.ones(len(placed), dtype=bool)
    stays[galaxy[strange]] = False
    return placed.assign(split=own)[stays].reset_index(drop=True)


def _kept_away(
    placed: pd.DataFrame,
    labelled: pd.DataFrame,
    settings: Mapping[str, Any],
    radius_arcsec: float,
) -> pd.DataFrame:
    """Return, as one training set, the galaxies away from what the other dataset holds out."""
    order = settings["sky_cell_order"]
    held_out = labelled[labelled["split"] != TRAIN]
    _, forbidden = _reached(held_out, radius_arcsec, order)
    galaxy, cell = _reached(placed, radius_arcsec, order)
    stays = np.ones(len(placed), dtype=bool)
    stays[galaxy[np.isin(cell, forbidden)]] = False
    return placed.assign(split=TRAIN)[stays].reset_index(drop=True)


def _reached(
    frame: pd.DataFrame, radius_arcsec: float, order: int
) -> tuple[np.ndarray, np.ndarray]:
    return reached_cells(frame["ra"].to_numpy(), frame["dec"].to_numpy(), radius_arcsec, order)


def _require_positions(samples: Mapping[str, pd.DataFrame], file: Path) -> None:
    for name, table in samples.items():
        if not {"ra", "dec"} <= set(table.columns):
            raise BadInput(file, "columns 'ra', 'dec'", "positions: stamps lie on the sky",
                           f"none in {name}", "map ra and dec of its survey")  # fmt: skip


def _require_filled(by_split: Mapping[str, int], wanted: Sequence[str], file: Path) -> None:
    for split in wanted:
        if by_split[split] == 0:
            hint = "the sample is too small, or lies in too few sky cells (images.sky_cell_order)"
            raise BadInput(file, f"split '{split}'", "at least one galaxy", "none", hint)
