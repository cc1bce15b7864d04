"""The galaxies that a run is asked for, none of which it may have learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.config.names import VALIDATION_AS_TEST
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.split_notes import read_note

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
    """

    path: Path
    frame: pd.DataFrame
    n_in: int
    n_training: int


def asked_galaxies(datasets: Sequence[Path], trained_on: Sequence[Path]) -> list[Asked]:
    """Return what is asked of a run, dataset by dataset.

    Raises
    ------
    BadInput
        If a test galaxy was seen in the training of the run or of its parents (`trained_on`);
        galaxies that are validation and test alike may have chosen among models, and no more.
    """
    seen = {path: read_table(path, columns=["object_id", "split"]) for path in trained_on}
    asked = []
    for path in datasets:
        frame = read_table(path)
        rows = frame[frame["split"] != "train"]
        chose = read_note(path).follows(VALIDATION_AS_TEST)
        if chose:
            held_out = rows[rows["split"] == "validation"].assign(split="test")
            rows = pd.concat([rows, held_out], ignore_index=True)
        _require_unseen(rows, path, seen, ["train"] if chose else ["train", "validation"])
        asked.append(Asked(path, rows, len(frame), int((frame["split"] == "train").sum())))
    return asked


def whole_table(
    asked: Sequence[Asked], predicted: Sequence[pd.DataFrame]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return (predictions of all datasets, counts), from one table a dataset, row by row as asked.

    `dataset` and `split` are added in front. Counts, by dataset: rows in, training rows left out,
    rows out, rows without an answer.
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
    return pd.concat(tables, ignore_index=True), counts


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
            hint = "give both datasets the same splits and given_parts"
            raise BadInput(path, "column 'object_id'", expected, found, hint)
