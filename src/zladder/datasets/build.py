"""Join samples into one dataset, each galaxy once, with its split and its fraction rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.config.names import BY_GALAXY, VALIDATION_AS_TEST
from zladder.datasets.copies import without_copies
from zladder.datasets.fractions import label_ranks
from zladder.datasets.pairs import paired_across, without_pairs_across
from zladder.datasets.splits import SPLITS, draw_splits, shares_of
from zladder.learning.split_rows import rank_column
from zladder.provenance.digests import derive_seed
from zladder.provenance.errors import BadInput
from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def build_dataset(
    samples: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any],
    given_parts: Mapping[str, str],
    master_seed: int,
    file: Path,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (dataset, counts).

    Parameters
    ----------
    samples
        {name: table}, in the order of their precedence; copies are dropped as `without_copies`
        says.
    settings
        `splits`, `sky_cell_order`, `duplicate_radius_arcsec`, `pair_radius_arcsec` and
        `label_draws` of the stage; `photometry`: {sample: the survey of its photometry};
        `conventions` of papers, none by default.
    given_parts
        {split: part of the survey} for splits that were published.
    master_seed
        The splits and ranks are hashes of it.
    file
        Named in messages.

    Returns
    -------
    tuple
        The samples' columns that all of them have, and `sample`, `split`, `fraction_rank` and
        further draws (`with_ranks`). Counts: galaxies by sample, copies dropped (of
        `without_copies`), close pairs (of `without_pairs_across`), galaxies by split.

    Raises
    ------
    BadInput
        If the shares do not add up to 1, a split stays empty, or only some of the samples have
        positions.
    """
    require_whole(settings["splits"])
    first, counts = join_samples(samples, settings, file)
    first["split"] = split_column(first, settings, given_parts, master_seed)
    first, paired = without_pairs(first, settings)
    first = with_ranks(first, master_seed, settings["label_draws"])
    _require_filled(first, given_parts, settings.get("conventions", ()), file)
    counts |= paired
    return first, {**counts, "n_out": len(first), "n_by_split": count_splits(first)}


def join_samples(
    samples: Mapping[str, pd.DataFrame], settings: Mapping[str, Any], file: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (every galaxy once, with the column `sample`; `n_in` and what was dropped).

    Raises
    ------
    BadInput
        If only some of the samples have positions; as `without_copies`.
    """
    _require_same_keys(samples, file)
    frame, counts = without_copies(
        _joined(samples), settings["photometry"], settings["duplicate_radius_arcsec"], file
    )
    return frame, {"n_in": {name: len(sample) for name, sample in samples.items()}, **counts}


def splits_seed(master_seed: int) -> int:
    """Return the seed of the splits of every dataset."""
    return derive_seed(master_seed, "datasets", "splits")


def split_column(
    frame: pd.DataFrame,
    settings: Mapping[str, Any],
    given_parts: Mapping[str, str],
    master_seed: int,
) -> np.ndarray:
    """Return the split of every galaxy, text, by the conventions of the settings."""
    conventions = settings.get("conventions", ())
    by_galaxy = BY_GALAXY in conventions
    shares = shares_of(settings["splits"], VALIDATION_AS_TEST in conventions)
    order = None if by_galaxy else settings["sky_cell_order"]
    return draw_splits(frame, shares, given_parts, order, splits_seed(master_seed))


def without_pairs(
    frame: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the galaxies without close pairs across splits; all where a paper draws by galaxy."""
    radius = settings["pair_radius_arcsec"]
    if BY_GALAXY in settings.get("conventions", ()):
        n_pairs = paired_across(frame, radius)[1]
        return frame, {"n_pairs_across": n_pairs, "n_paired_dropped": dict.fromkeys(SPLITS, 0)}
    return without_pairs_across(frame, radius)


def with_ranks(frame: pd.DataFrame, master_seed: int, n_draws: int) -> pd.DataFrame:
    """Return the galaxies with their ranks, and `_healpix_29` where there are positions.

    `fraction_rank`, `fraction_rank_1`, …: so many draws of nested label fractions (`label_ranks`).
    """
    added: dict[str, np.ndarray] = {}
    if {"ra", "dec"} <= set(frame.columns):
        positions = frame["ra"].to_numpy(), frame["dec"].to_numpy()
        added["_healpix_29"] = healpix_index(*positions, order=29)
    labels = frame["z_true"].to_numpy(dtype=np.float64) if "z_true" in frame else None
    train = (frame["split"] == "train").to_numpy()
    for draw in range(n_draws):
        seed = derive_seed(master_seed, "datasets", rank_column(draw))
        ids = frame["object_id"].to_numpy()
        added[rank_column(draw)] = label_ranks(ids, labels, train, seed)
    return frame.assign(**added)


def count_splits(frame: pd.DataFrame) -> dict[str, int]:
    """Return {split: galaxies}, every split."""
    return {split: int((frame["split"] == split).sum()) for split in SPLITS}


def _require_same_keys(samples: Mapping[str, pd.DataFrame], file: Path) -> None:
    """Refuse samples of which only some have positions: splits would be drawn by other keys.

    A galaxy could then be a test object in one dataset and a training object in another.
    """
    without = [name for name, table in samples.items() if not {"ra", "dec"} <= set(table.columns)]
    if without and len(without) < len(samples):
        expected, found = "positions in all samples or in none", f"none in {', '.join(without)}"
        hint = "map ra and dec of its survey, or make a dataset of it alone"
        raise BadInput(file, "columns 'ra', 'dec'", expected, found, hint)


def _joined(samples: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the samples one below the other, with the columns that all of them have."""
    tables = [table.assign(sample=name) for name, table in samples.items()]
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    return pd.concat([table[shared] for table in tables], ignore_index=True)


def require_whole(shares: Mapping[str, float]) -> None:
    """Refuse shares of splits that do not add up to 1."""
    total = sum(shares.values())
    if not np.isclose(total, 1.0, atol=1e-9):
        file, place = "config/stages/datasets.yaml", "splits"
        hint = "change one of the shares"
        raise BadInput(file, place, "shares that add up to 1", f"a sum of {total:g}", hint)


def _require_filled(
    frame: pd.DataFrame, given: Mapping[str, str], conventions: Sequence[str], file: Path
) -> None:
    for split in SPLITS:
        if split == "test" and VALIDATION_AS_TEST in conventions:
            continue
        if not (frame["split"] == split).any():
            cells = "the sample is too small or lies in too few sky cells (sky_cell_order)"
            hint = f"check given_parts {dict(given)}" if split in given else cells
            raise BadInput(file, f"split '{split}'", "at least one galaxy", "none", hint)
