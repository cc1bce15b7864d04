"""The galaxies that a run is asked for, none of which it may have learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from zladder.config.names import VALIDATION_AS_TEST
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.sky_points import chord, unit_vectors
from zladder.tables.split_notes import read_note
from zladder.tables.units import read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """The galaxies of one dataset that are asked for: every split but the training one.

    Attributes
    ----------
    path
        The dataset.
    frame
        The rows asked for, in the order of the file. Where a paper's test galaxies are those of the
        validation split, these stand there twice: as validation, and at the end as test.
    n_in, n_training
        Rows of the dataset, and those of its training split.
    n_pairs_with_training
        Pairs of a test galaxy and another one that the run learned from, closer than the dataset
        allows within itself; None where that is not known.
    """

    path: Path
    frame: pd.DataFrame
    n_in: int
    n_training: int
    n_pairs_with_training: int | None = None


def asked_galaxies(datasets: Sequence[Path], trained_on: Sequence[Path]) -> list[Asked]:
    """Return what is asked of a run, dataset by dataset.

    Raises
    ------
    BadInput
        If a test galaxy was seen in the training of the run or of its parents (`trained_on`);
        galaxies that are validation and test alike may have chosen among models, and no more.
    """
    seen = {path: _read_seen(path) for path in trained_on}
    asked = []
    for path in datasets:
        frame = read_table(path)
        rows = frame[frame["split"] != "train"]
        chose = read_note(path).follows(VALIDATION_AS_TEST)
        if chose:
            held_out = rows[rows["split"] == "validation"].assign(split="test")
            rows = pd.concat([rows, held_out], ignore_index=True)
        splits = ["train"] if chose else ["train", "validation"]
        _require_unseen(rows, path, seen, splits)
        n_training = int((frame["split"] == "train").sum())
        n_pairs = _pairs_with_training(rows, path, seen, splits)
        asked.append(Asked(path, rows, len(frame), n_training, n_pairs))
    return asked


def whole_table(
    asked: Sequence[Asked], predicted: Sequence[pd.DataFrame]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return (predictions of all datasets, counts), from one table a dataset, row by row as asked.

    `dataset` and `split` are added in front. Counts, by dataset: rows in, training rows left out,
    rows out, rows without an answer, and close pairs with training galaxies where they are known.
    """
    tables, counts = [], {}
    for part, answers in zip(asked, predicted, strict=True):
        table = answers.copy(deep=False)
        table.insert(0, "dataset", part.path.stem)
        table.insert(1, "split", part.frame["split"].to_numpy())
        tables.append(table)
        counts[part.path.stem] = {
            "n_in": part.n_in,
            "n_training": part.n_training,
            "n_out": len(table),
            "n_without_answer": int(table["z_phot"].isna().sum()),
        }
        if part.n_pairs_with_training is not None:
            counts[part.path.stem]["n_pairs_with_training"] = part.n_pairs_with_training
    return pd.concat(tables, ignore_index=True), counts


def _read_seen(path: Path) -> pd.DataFrame:
    """Return who is in which split of a dataset, and where."""
    frame = read_table(path)
    return frame[[name for name in ("object_id", "split", "ra", "dec") if name in frame]]


def _pairs_with_training(
    asked: pd.DataFrame, path: Path, seen: Mapping[Path, pd.DataFrame], splits: Sequence[str]
) -> int | None:
    """Return how many pairs of a test galaxy and one of these splits are close.

    Pairs are dropped within a dataset; across the datasets that a run joins they are told.
    """
    radius_arcsec = read_metadata(path).get("pair_radius_arcsec")
    tables = [frame[frame["split"].isin(splits)] for frame in seen.values()]
    tested = asked[asked["split"] == "test"]
    if radius_arcsec is None or not tables:
        return None
    if not all({"ra", "dec"} <= set(table) for table in (tested, *tables)):
        return None
    trained = pd.concat(tables).drop_duplicates("object_id")
    if tested.empty or trained.empty:
        return 0
    near = cKDTree(unit_vectors(trained)).query_ball_point(
        unit_vectors(tested), chord(radius_arcsec), return_length=True
    )
    return int(np.sum(near))


def _require_unseen(
    asked: pd.DataFrame, path: Path, seen: Mapping[Path, pd.DataFrame], splits: Sequence[str]
) -> None:
    """Refuse a test galaxy that is in one of these splits of what a run has trained on."""
    tested = asked.loc[asked["split"] == "test", "object_id"].to_numpy()
    for source, frame in seen.items():
        ids = frame.loc[frame["split"].isin(splits), "object_id"].to_numpy()
        shared = np.intersect1d(tested, ids)
        if len(shared):
            expected = f"test galaxies that the run did not see in {source}"
            found = f"{len(shared)} that it saw, the first is {shared[0]}"
            hint = "give both datasets the same splits, conventions and given_parts"
            raise BadInput(path, "column 'object_id'", expected, found, hint)
