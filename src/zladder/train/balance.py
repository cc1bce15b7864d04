"""A near-balanced part of a training set: few galaxies of every redshift and magnitude alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zladder.learning.classes import class_edges, class_index
from zladder.learning.split_rows import require_labels
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

# Lin et al. 2022 (SDSS): 11 bins of 0.5 mag in r; what lies outside belongs to the end bins.
FIRST_EDGE_MAG, WIDTH_MAG, N_MAGNITUDE_BINS = 12.5, 0.5, 11


def magnitude_bins(r_mag: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the magnitude bin of each galaxy, int64 (n,).

    A galaxy without a finite magnitude belongs to the faintest bin (Lin et al. 2022).
    """
    last = N_MAGNITUDE_BINS - 1
    position = np.floor((r_mag - FIRST_EDGE_MAG) / WIDTH_MAG)
    return np.clip(np.where(np.isfinite(r_mag), position, last), 0, last).astype(np.int64)


def cell_counts(
    z_class: NDArray[np.int64], r_bin: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Return the number of galaxies in each cell of magnitude bin and class, (R, N)."""
    cell = r_bin * n_classes + z_class
    counts = np.bincount(cell, minlength=N_MAGNITUDE_BINS * n_classes)
    return counts.reshape(N_MAGNITUDE_BINS, n_classes).astype(np.float64)


def balanced_rows(
    z_class: NDArray[np.int64],
    r_bin: NDArray[np.int64],
    rank: NDArray[np.float64],
    cell_limit: int | None,
) -> NDArray[np.bool_]:
    """Return which galaxies a near-balanced subset keeps, bool (n,).

    At most `cell_limit` of each cell (class, magnitude bin), those of the lowest rank; None keeps
    all. Where the rank is drawn a galaxy, all runs with one limit share one subset, as Steps 2 and
    3 of Lin et al. 2022 do, and a lower limit gives a part of it.

    Parameters
    ----------
    z_class, r_bin, rank
        Shape (n,); a dataset's `fraction_rank` serves as rank.
    cell_limit
        th: 200 for their 393,219 galaxies of SDSS.
    """
    if cell_limit is None:
        return np.ones(len(z_class), dtype=bool)
    order = np.lexsort((rank, r_bin, z_class))
    cell = np.stack([z_class[order], r_bin[order]])
    starts = np.flatnonzero(np.append(True, (cell[:, 1:] != cell[:, :-1]).any(axis=0)))
    sizes = np.diff(np.append(starts, len(order)))
    place_in_cell = np.arange(len(order)) - np.repeat(starts, sizes)
    kept = np.zeros(len(order), dtype=bool)
    kept[order] = place_in_cell < cell_limit
    return kept


def kept_shares(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each cell that a subset keeps, (R, N); 1 in a cell without galaxies.

    As weights these shares turn any sample of the same sky into one that is balanced alike.
    """
    return np.divide(after, before, out=np.ones_like(before), where=before > 0)


@dataclass(frozen=True)
class Cells:
    """Redshift class and magnitude bin of galaxies, int64 (n,) both."""

    z_class: NDArray[np.int64]
    r_bin: NDArray[np.int64]

    @classmethod
    def of(cls, frame: pd.DataFrame, output: Mapping[str, Any], path: Path) -> Cells:
        """Return those of a dataset's rows (`z_true`, `mag_r` in mag).

        Raises
        ------
        BadInput
            For a redshift that no class holds, and for a dataset without r magnitudes.
        """
        if "mag_r" not in frame.columns:
            hint = "near-balanced samples are cells of redshift and r magnitude"
            raise BadInput(path, "column 'mag_r'", "an r magnitude", "no such column", hint)
        edges = class_edges(output)
        z_class, inside = class_index(frame["z_true"].to_numpy(dtype=np.float64), edges)
        expected = f"a redshift in [{edges[0]:g}, {edges[-1]:g})"
        hint = "cut the sample in config/stages/catalogs.yaml, or widen range_z of the recipe"
        require_labels(frame, inside, path, expected, hint)
        return cls(z_class, magnitude_bins(frame["mag_r"].to_numpy(dtype=np.float64)))

    def counts(self, n_classes: int, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how many of the chosen galaxies each cell holds, (R, N)."""
        return cell_counts(self.z_class[rows], self.r_bin[rows], n_classes)
