"""Image datasets: galaxies that have a stamp, split so that no stamp shows another split's pixels.

Splits are drawn by sky cell. A galaxy whose stamp reaches into a cell of another split is dropped
and counted; the stamps of two splits therefore lie in different cells and share no pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.config.names import BY_GALAXY, VALIDATION_AS_TEST
from zladder.datasets.borders import told_of_borders
from zladder.datasets.build import (
    count_splits,
    join_samples,
    require_whole,
    split_column,
    splits_seed,
    with_ranks,
    without_pairs,
)
from zladder.datasets.footprints import (
    reached_cells,
    require_wide_cells,
    stamp_radius_arcsec,
)
from zladder.datasets.image_parts import with_image_parts
from zladder.datasets.pairs import paired_across
from zladder.datasets.splits import SPLITS, shares_of, split_keys, splits_of_keys
from zladder.datasets.stamp_index import (
    join_stamps,
    read_shards,
    require_known_galaxies,
    with_stamps,
)
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import have_flags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TRAIN = "train"


def build_image_dataset(
    samples: Mapping[str, pd.DataFrame],
    shards: Sequence[Path],
    settings: Mapping[str, Any],
    away_from: Sequence[pd.DataFrame],
    file: Path,
    part_files: Sequence[Path] = (),
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (dataset, counts).

    Parameters
    ----------
    samples
        {name: table} with `object_id, ra, dec`, in the order of their precedence.
    shards
        The stamp files of these samples, SAMPLE/SHARD.h5.
    settings
        `splits` (shares), `sky_cell_order`, `master_seed`, `kernel_pixels` (how far beyond a stamp
        its pixels come from), `leave_out_flags` (no stamp with one of these, in any band, stays);
        the others as for `build_dataset`.
        Drawn by galaxy, as some papers do, none is dropped at a border; only then there may be
        `given_parts`, as for `build_dataset`, and `image_parts`, what `with_image_parts` is told.
    away_from
        Labelled image datasets (`ra, dec, split`). With any, what is kept is a training set: no
        stamp of it reaches a cell that a stamp of their validation, calibration or test galaxies
        reaches.
    file
        Named in messages.
    part_files
        Published images that say which part their galaxies are of, as `image_parts` lists them.

    Returns
    -------
    tuple
        The samples' columns, `sample`, `split`, `fraction_rank` and further draws, `shard`, `row`,
        `stamp_flags`. Counts: `n_in` by sample, `n_copies_dropped`, `n_without_stamp`, `n_dropped`
        (by reason), `n_border_dropped` (of `told_of_borders`), close pairs (of
        `without_pairs_across`), `n_pairs_sharing_pixels` (pairs of
        two splits whose stamps may overlap: 0 but for splits drawn by galaxy), `n_flagged` (those
        with one of `FAULTS`), `n_out`, `n_by_split`.

    Raises
    ------
    BadInput
        As `join_samples`, `read_shards`, `require_known_galaxies` and `with_image_parts`; samples
        without positions; only stamps that are left out; cells narrower than a stamp; a split
        without galaxies.
    """
    require_whole(settings["splits"])
    stamped, radius, counts = _with_stamps(samples, shards, settings, file)
    placed = _unflagged(stamped, settings["leave_out_flags"], file)
    placed = with_image_parts(placed, settings.get("image_parts", ()), part_files)
    if away_from:
        reason, kept = "near_held_out", _kept_away(placed, away_from, settings, radius)
        at_border: dict[str, Any] = {}
    else:
        reason = "border"
        kept, at_border = _split(placed, settings, radius)
    dataset, paired = without_pairs(kept, settings)
    dataset = with_ranks(dataset, settings["master_seed"], settings["label_draws"])
    by_split = count_splits(dataset)
    wanted = _wanted(settings, training_alone=bool(away_from))
    _require_filled(by_split, wanted, settings.get("given_parts", {}), file)
    return dataset, {
        **counts,
        "n_dropped": {"flagged": len(stamped) - len(placed), reason: len(placed) - len(kept)},
        **at_border,
        **paired,
        "n_pairs_sharing_pixels": paired_across(dataset, 2.0 * radius)[1],
        "n_flagged": int(have_flags(dataset["stamp_flags"]).sum()),
        "n_out": len(dataset),
        "n_by_split": by_split,
    }


def _wanted(settings: Mapping[str, Any], *, training_alone: bool) -> list[str]:
    """Return the splits that must not stay empty."""
    if training_alone:
        return [TRAIN]
    no_test = VALIDATION_AS_TEST in settings.get("conventions", ())
    return [split for split in SPLITS if not (no_test and split == "test")]


def _with_stamps(
    samples: Mapping[str, pd.DataFrame],
    shards: Sequence[Path],
    settings: Mapping[str, Any],
    file: Path,
) -> tuple[pd.DataFrame, float, dict[str, Any]]:
    """Return the galaxies that have a stamp, a stamp's radius in arcsec, and counts so far."""
    _require_positions(samples, file)
    index, stamps = read_shards(shards)
    require_known_galaxies(samples, index, shards)
    seen = with_stamps(samples, index)  # before copies go: the better one may have no stamp
    galaxies, counts = join_samples(seen, settings, file)
    placed = join_stamps(galaxies, index)
    radius_arcsec = stamp_radius_arcsec(
        stamps.stamp_pixels, stamps.pixel_scale_arcsec, settings["kernel_pixels"]
    )
    require_wide_cells(radius_arcsec, settings["sky_cell_order"])
    n_in = {name: len(sample) for name, sample in samples.items()}
    n_without = sum(n_in.values()) - sum(len(sample) for sample in seen.values())
    return placed, radius_arcsec, {**counts, "n_in": n_in, "n_without_stamp": n_without}


def _unflagged(stamped: pd.DataFrame, names: Sequence[str], file: Path) -> pd.DataFrame:
    """Return the galaxies without these flags on their stamp."""
    stays = ~have_flags(stamped["stamp_flags"], names)
    if len(stamped) and not stays.any():
        expected, found = f"a stamp that is not {' or '.join(names)}", f"{len(stamped)} that are"
        hint = "shorten datasets.images.leave_out_flags"
        raise BadInput(file, "flags of its stamps", expected, found, hint)
    return stamped[stays].reset_index(drop=True)


def _split(
    placed: pd.DataFrame, settings: Mapping[str, Any], radius_arcsec: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the galaxies with their split, without those at another split's border; these.

    Where validation is the test set too, the borders of our own splits count as well: the galaxies
    that it holds out are then among those that our splits hold out, and so is every pixel of them.
    """
    conventions, seed = settings.get("conventions", ()), splits_seed(settings["master_seed"])
    given = settings.get("given_parts", {})
    own = split_column(placed, settings, given, settings["master_seed"])
    if BY_GALAXY in conventions:
        return placed.assign(split=own), {}
    order = settings["sky_cell_order"]
    galaxy, cell = _reached(placed, radius_arcsec, order)
    home = split_keys(placed, order)[galaxy]
    stays = np.ones(len(placed), dtype=bool)
    for merged in {False, VALIDATION_AS_TEST in conventions}:
        shares = shares_of(settings["splits"], merged)
        strange = splits_of_keys(cell, shares, seed) != splits_of_keys(home, shares, seed)
        stays[galaxy[strange]] = False
    kept = placed.assign(split=own)[stays].reset_index(drop=True)
    return kept, told_of_borders(own, stays)


def _kept_away(
    placed: pd.DataFrame,
    labelled: Sequence[pd.DataFrame],
    settings: Mapping[str, Any],
    radius_arcsec: float,
) -> pd.DataFrame:
    """Return, as one training set, the galaxies away from what the other datasets hold out."""
    order = settings["sky_cell_order"]
    held_out = pd.concat([other.loc[other["split"] != TRAIN, ["ra", "dec"]] for other in labelled])
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


def _require_filled(
    by_split: Mapping[str, int], wanted: Sequence[str], given: Mapping[str, str], file: Path
) -> None:
    for split in wanted:
        if by_split[split] == 0:
            cells = "the sample is too small, or lies in too few sky cells (images.sky_cell_order)"
            hint = f"check given_parts {dict(given)}" if split in given else cells
            raise BadInput(file, f"split '{split}'", "at least one galaxy", "none", hint)
