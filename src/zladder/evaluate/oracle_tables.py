"""The oracle's answers as files: which galaxies are asked for, what is known of them, estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.evaluate.flags import label_flags
from zladder.evaluate.oracle_likelihood import Observed
from zladder.evaluate.output_table import in_schema, known_bands
from zladder.pdf.estimates import TANAKA_GAMMA, class_mean, z_mode
from zladder.pdf.grid import class_cdf, class_centres, quantile
from zladder.pdf.pdf_file import ClassPdfs, read_pdfs
from zladder.provenance.errors import BadInput
from zladder.tables.columns import QUANTILES_PERCENT
from zladder.tables.fluxes import MAG_PER_LN
from zladder.tables.read import read_table
from zladder.universe.noise import flux_njy
from zladder.universe.structure import Structure, structure_errors

WINDOWS = {"z_out05": 0.05, "z_out15": 0.15}  # column: largest |dz| that is no outlier
CATASTROPHIC_Z = 1.0
BLOCK_ROWS = 2000
SHAPES = ("expRad_r", "expAB_r", "fracDeV_r", "mag_err_r")  # of SDSS's columns

Array = NDArray[np.float64]


def held_out(sample: pd.DataFrame, datasets: Sequence[Path]) -> pd.DataFrame:
    """Return the galaxies of a sample that some dataset does not train on, in their order."""
    asked = []
    for path in datasets:
        rows = read_table(path, columns=["object_id", "split"])
        asked.append(rows.loc[rows["split"] != "train", "object_id"].to_numpy())
    return sample[sample["object_id"].isin(np.concatenate(asked))].reset_index(drop=True)


def observed_of(frame: pd.DataFrame, listed: Mapping[str, Any]) -> Observed:
    """Return fluxes as they reached the telescope, and the listed E(B-V), from standard columns.

    Parameters
    ----------
    frame
        N galaxies.
    listed
        ``extinction_per_ebv``, {band: mag per mag of the column `extinction_{band}`}, in the order
        of the bands; ``dereddened``, whether the magnitudes are without it.
    """
    extinction_per_ebv = listed["extinction_per_ebv"]
    bands = list(extinction_per_ebv)
    magnitude, extinction = (
        np.stack([frame[f"{kind}_{band}"].to_numpy(dtype=np.float64) for band in bands], axis=1)
        for kind in ("mag", "extinction")
    )
    ebv_mag = extinction.sum(axis=1) / sum(extinction_per_ebv.values())
    bare = magnitude + (extinction if listed["dereddened"] else 0.0)
    return Observed(flux_njy(bare), ebv_mag, frame["object_id"].to_numpy())


def structure_of(frame: pd.DataFrame) -> Structure:
    """Return the measured shapes of a table with SDSS's columns; errors follow from the r flux."""
    radius, ratio, share, error_mag = (frame[name].to_numpy(dtype=np.float64) for name in SHAPES)
    size_error, ratio_error, share_error = structure_errors(error_mag / MAG_PER_LN)
    return Structure(radius, size_error, ratio, ratio_error, share, share_error)


def oracle_predictions(
    datasets: Sequence[Path], oracles: Sequence[Path]
) -> tuple[pd.DataFrame, ClassPdfs, dict[str, dict[str, int]]]:
    """Return (predictions, their densities row by row, counts), from the answers by sample.

    The oracle has not trained: what other methods are asked for, it is asked for. It knows the
    sample that a galaxy's row is of: one in two samples has an answer in each. ``z_phot`` is the
    median; the best estimate for each loss stands beside it (`estimates`).

    Parameters
    ----------
    datasets
        With columns ``sample`` and ``object_id``.
    oracles
        ``<sample>.pdf.h5`` or ``<sample>.structure.pdf.h5`` of each sample.

    Raises
    ------
    BadInput
        If a galaxy has no answer, or two samples have answers on other classes.
    """
    parts = [read_pdfs(path) for path in oracles]
    for path, part in zip(oracles, parts, strict=True):
        if not np.array_equal(part.edges, parts[0].edges):
            hint = "one survey's samples share their classes; test on one survey"
            raise BadInput(path, "edges", f"those of {oracles[0]}", "others", hint)
    samples = np.repeat([path.name.split(".")[0] for path in oracles],
                        [len(part.object_id) for part in parts])  # fmt: skip
    index = pd.MultiIndex.from_arrays(
        [samples.astype(object), np.concatenate([part.object_id for part in parts])]
    )
    pmf = np.concatenate([part.pmf for part in parts])
    asked = asked_galaxies(datasets, [])
    tables, rows = [], []
    for galaxies in asked:
        names = galaxies.frame["sample"].astype(object), galaxies.frame["object_id"]
        place = index.get_indexer(pd.MultiIndex.from_arrays(names))
        if (place < 0).any():
            found = f"{int((place < 0).sum())} galaxies without an answer"
            hint = "compute the oracle again (rule compute_oracle)"
            raise BadInput(galaxies.path, "object_id", "answers for all galaxies", found, hint)
        rows.append(place)
        found_here = estimates(parts[0].edges, pmf[rows[-1]])
        columns = {"z_phot": found_here["z_median"], **found_here}
        columns["flags"] = label_flags(galaxies.frame)
        tables.append(in_schema(galaxies.frame, known_bands(galaxies.frame), columns))
    table, counts = whole_table(asked, tables)
    whole = ClassPdfs(table["object_id"].to_numpy(), parts[0].edges, pmf[np.concatenate(rows)])
    return table, whole, counts


def estimates(edges: Array, pmf: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return the estimates that each loss asks for, float32 (n,) each.

    ``z_mode``, ``z_mean``, ``z_median`` and the standard quantiles; ``z_mean_dz``, of least
    expected dz^2; ``z_risk``, of least expected Tanaka loss; ``z_out05`` and ``z_out15``, least
    likely to be an outlier; ``z_cat1``, least likely to be off by more than 1. Classes stand for
    their centres. Where a row of ``pmf`` is NaN, so are all estimates.
    """
    blocks = [
        _estimates(edges, pmf[start : start + BLOCK_ROWS].astype(np.float64))
        for start in range(0, len(pmf), BLOCK_ROWS)
    ]
    return {
        name: np.concatenate([block[name] for block in blocks]).astype(np.float32)
        for name in blocks[0]
    }


def _estimates(edges: Array, pmf: Array) -> dict[str, Array]:
    known = np.isfinite(pmf).all(axis=1)
    found = _known_estimates(edges, pmf[known])
    whole = {name: np.full(len(pmf), np.nan) for name in found}
    for name, values in found.items():
        whole[name][known] = values
    return whole


def _known_estimates(edges: Array, pmf: Array) -> dict[str, Array]:
    centres, cdf = class_centres(edges), class_cdf(pmf)
    weighted = pmf / (1 + centres) ** 2
    dz = (centres[:, None] - centres) / (1 + centres)  # (candidate, truth)
    loss = 1 - 1 / (1 + (dz / TANAKA_GAMMA) ** 2)
    found = {
        "z_mode": z_mode(centres, pmf),
        "z_mean": class_mean(edges, pmf),
        "z_median": quantile(edges, cdf, 0.5),
        "z_mean_dz": weighted @ centres / weighted.sum(axis=1),
        "z_risk": centres[np.argmin(pmf @ loss.T, axis=1)],
    }
    for name, limit in WINDOWS.items():
        window = (centres - limit) / (1 + limit), (centres + limit) / (1 - limit)
        found[name] = _likeliest(edges, cdf, centres, window)
    window = centres - CATASTROPHIC_Z, centres + CATASTROPHIC_Z
    found["z_cat1"] = _likeliest(edges, cdf, centres, window)
    levels = {f"z_q{p:02d}": quantile(edges, cdf, p / 100) for p in QUANTILES_PERCENT}
    return found | levels


def _likeliest(edges: Array, cdf: Array, centres: Array, window: tuple[Array, Array]) -> Array:
    """Return the centre whose window, from and to in z, holds most probability; ties: the middle.

    Where all of it fits into several windows, the middle one of these is taken.
    """
    low, high = (_at(edges, cdf, ends) for ends in window)
    held = high - low
    best = held >= held.max(axis=1, keepdims=True) - 1e-9
    middle = (best @ np.arange(len(centres))) // best.sum(axis=1)
    return centres[middle.astype(np.int64)]


def _at(edges: Array, cdf: Array, z: Array) -> Array:
    """Return all CDFs at the same redshifts, linear between the edges; shape (n, len(z))."""
    place = np.clip(np.searchsorted(edges, z, side="right") - 1, 0, len(edges) - 2)
    share = np.clip((z - edges[place]) / (edges[place + 1] - edges[place]), 0.0, 1.0)
    return cdf[:, place] * (1 - share) + cdf[:, place + 1] * share
