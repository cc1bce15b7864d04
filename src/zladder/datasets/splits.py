"""Splits that no galaxy can straddle: drawn by hashing its sky cell, or itself.

The draw depends on the master seed, the cell and the shares alone. A galaxy therefore falls into
the same split in all datasets with the same order of cells, shares and given parts, whatever else
they hold and in whatever order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.tables.sky_cells import healpix_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SPLITS = ("train", "validation", "calibration", "test")


def uniform_hash(keys: np.ndarray, seed: int) -> np.ndarray:
    """Return one number in [0, 1) a key, float64: SplitMix64 of key and seed.

    Constants of the finaliser: Steele, Lea & Flood 2014 (OOPSLA), as in Java's SplittableRandom.
    """
    with np.errstate(over="ignore"):  # wrapping around 2**64 is the point
        state = keys.astype(np.uint64) ^ _mixed(np.array([seed], dtype=np.uint64))
        return (_mixed(state) >> np.uint64(11)) / float(2**53)


def _mixed(state: np.ndarray) -> np.ndarray:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def shares_of(shares: Mapping[str, float], validation_as_test: bool) -> dict[str, float]:
    """Return the shares that are drawn; where validation is the test set too, it gets the test's.

    The training galaxies are the same either way.
    """
    if not validation_as_test:
        return dict(shares)
    whole = {**shares, "validation": shares["validation"] + shares["test"]}
    return {split: share for split, share in whole.items() if split != "test"}


def split_keys(frame: pd.DataFrame, cell_order: int | None) -> np.ndarray:
    """Return what each galaxy's split is drawn by, int64: its sky cell, else its identifier.

    Parameters
    ----------
    frame
        With `object_id`, and `ra`, `dec` in deg if the survey has positions.
    cell_order
        HEALPix order of the cells (nested, ICRS); None to draw by galaxy.
    """
    if cell_order is None or not {"ra", "dec"} <= set(frame.columns):
        return frame["object_id"].to_numpy()
    return healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), cell_order)


def draw_splits(
    frame: pd.DataFrame,
    shares: Mapping[str, float],
    given_parts: Mapping[str, str],
    cell_order: int | None,
    seed: int,
) -> np.ndarray:
    """Return the split of every galaxy, text.

    Parameters
    ----------
    frame
        With `object_id`, `part`, and positions if there are any.
    shares
        Split: share; they add up to 1.
    given_parts
        Split: part of the survey that is this split as published. Splits of one part share its
        galaxies in proportion, and the remaining splits the galaxies of all other parts.
    cell_order, seed
        As in `split_keys` and `uniform_hash`.
    """
    keys = split_keys(frame, cell_order)
    others = {split: share for split, share in shares.items() if split not in given_parts}
    splits = splits_of_keys(keys, others, seed) if others else np.full(len(frame), "", dtype=object)
    for part in set(given_parts.values()):
        of_part = {
            split: share for split, share in shares.items() if given_parts.get(split) == part
        }
        here = (frame["part"] == part).to_numpy()
        splits[here] = splits_of_keys(keys[here], of_part, seed)
    return splits


def splits_of_keys(keys: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Return the split that each key (int64) is drawn into, text; shares in any scale."""
    drawn = [split for split in SPLITS if split in shares]
    edges = np.cumsum([shares[split] for split in drawn])
    position = uniform_hash(keys, seed) * edges[-1]
    index = np.minimum(np.searchsorted(edges, position, side="right"), len(drawn) - 1)
    return np.array(drawn, dtype=object)[index]
