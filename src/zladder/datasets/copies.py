"""One galaxy in several label sets: found by identifier and by place, kept once by a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from zladder.provenance.errors import BadInput
from zladder.tables.sky_points import ARCSEC_PER_RADIAN, chord, unit_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Which copy of a galaxy is kept: the surest label, then the sample named first.
_RANK = {"spec": 0, "mock": 0, "photo": 1}
_UNLABELLED = 2


def without_copies(
    frame: pd.DataFrame, photometry: Mapping[str, str], radius_arcsec: float, file: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the galaxies, each once, in their order; and what was dropped.

    Of the copies of a galaxy the spectroscopic one is kept; among labels of one kind that of the
    sample named first. Rows are copies if they have the same `object_id`; and, where their
    photometry is of different surveys (which give one galaxy different identifiers), if they are
    within the radius: a row is dropped if a better one that is itself kept is that near. Within one
    survey two objects near each other are two galaxies.

    Parameters
    ----------
    frame
        `object_id`, `sample`, optional `z_true_kind`, `ra` and `dec` (deg); samples in the order of
        their precedence.
    photometry
        {sample: the survey of its photometry}.
    radius_arcsec
        Largest distance of copies, included.
    file
        Named in messages.

    Returns
    -------
    tuple
        The table, and `n_copies_dropped`, `n_copies_by_id`, `n_copies_by_place`,
        `n_copies_of` (by sample, what it lost).

    Raises
    ------
    BadInput
        One identifier for two places, or without positions for rows of other numbers: samples of
        different surveys that number their objects alike.
    """
    surveys = frame["sample"].map(dict(photometry)).to_numpy()
    order = np.argsort(_rank(frame), kind="stable")  # the samples' own order among equals
    by_id = np.zeros(len(frame), dtype=bool)
    by_id[order] = frame["object_id"].iloc[order].duplicated().to_numpy()
    by_place = np.zeros(len(frame), dtype=bool)
    if len(set(surveys)) > 1 and not {"ra", "dec"} <= set(frame.columns):
        _require_one_row(frame, surveys, file)
    elif len(set(surveys)) > 1:
        points = unit_vectors(frame)
        _require_one_place(frame, points, surveys, radius_arcsec, file)
        left = order[~by_id[order]]
        by_place[left] = _near_better(points[left], surveys[left], radius_arcsec)
    dropped = by_id | by_place
    lost = frame.loc[dropped, "sample"].value_counts()
    counts = {
        "n_copies_dropped": int(dropped.sum()),
        "n_copies_by_id": int(by_id.sum()),
        "n_copies_by_place": int(by_place.sum()),
        "n_copies_of": {name: int(lost.get(name, 0)) for name in frame["sample"].unique()},
    }
    return frame[~dropped].reset_index(drop=True), counts


def _rank(frame: pd.DataFrame) -> np.ndarray:
    """Return how good each label is by its kind, int (N,); 0 is best."""
    if "z_true_kind" not in frame:
        return np.zeros(len(frame), dtype=np.int64)
    kinds = frame["z_true_kind"].map(_RANK)
    return kinds.fillna(_UNLABELLED).to_numpy(dtype=np.int64)


def _near_better(points: np.ndarray, surveys: np.ndarray, radius_arcsec: float) -> np.ndarray:
    """Return which rows, the better first, have a kept row of another survey near: bool (N,)."""
    pairs = cKDTree(points).query_pairs(chord(radius_arcsec), output_type="ndarray")
    pairs = np.sort(pairs[surveys[pairs[:, 0]] != surveys[pairs[:, 1]]], axis=1)
    dropped = np.zeros(len(points), dtype=bool)
    for better, worse in pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]:
        if not dropped[better]:  # settled: all pairs in which it is the worse one came before
            dropped[worse] = True
    return dropped


def _require_one_place(
    frame: pd.DataFrame, points: np.ndarray, surveys: np.ndarray, radius_arcsec: float, file: Path
) -> None:
    ids, first = frame["object_id"].to_numpy(), _first_of_its_id(frame)
    apart = np.linalg.norm(points - points[first], axis=1) > chord(radius_arcsec)
    odd = np.flatnonzero(apart & (surveys != surveys[first]))
    if odd.size:
        row, other = odd[0], first[odd[0]]
        straight = float(np.linalg.norm(points[row] - points[other]))
        distance = 2.0 * np.arcsin(straight / 2.0) * ARCSEC_PER_RADIAN
        raise BadInput(
            file, f"object_id {ids[row]}", "one place for one identifier",
            f"one in {surveys[other]}, one in {surveys[row]}, {distance:.1f} arcsec apart "
            f"({odd.size} such)",
            "the surveys number their objects alike: make ids of one, "
            "object_id: {from: content}",
        )  # fmt: skip


def _require_one_row(frame: pd.DataFrame, surveys: np.ndarray, file: Path) -> None:
    """Refuse one identifier in two surveys for rows that differ: nothing else tells who is who."""
    ids, first = frame["object_id"].to_numpy(), _first_of_its_id(frame)
    differs = np.zeros(len(frame), dtype=bool)
    for _, column in frame.select_dtypes("number").items():
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        differs |= (values != values[first]) & ~(np.isnan(values) & np.isnan(values[first]))
    odd = np.flatnonzero(differs & (surveys != surveys[first]))
    if odd.size:
        row, other = odd[0], first[odd[0]]
        raise BadInput(
            file, f"object_id {ids[row]}", "identifiers of one survey, or positions",
            f"one in {surveys[other]}, another in {surveys[row]}, with other numbers "
            f"({odd.size} such)",
            "map ra and dec of both surveys, or make ids of one, object_id: {from: content}",
        )  # fmt: skip


def _first_of_its_id(frame: pd.DataFrame) -> np.ndarray:
    """Return the first row that has each row's identifier, int (N,)."""
    rows = pd.Series(np.arange(len(frame)))
    return rows.groupby(frame["object_id"].to_numpy()).transform("first").to_numpy()
