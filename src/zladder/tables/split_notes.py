"""The splits of a dataset by their digest, so that every number says which it was scored on.

Datasets carry their note in the metadata of their file (`split`), predictions those of the datasets
that they are for (`splits`), tables of scores the columns `split_digest` and `split_convention`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.config.names import BY_GALAXY, VALIDATION_AS_TEST
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.units import read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

# A paper's own way to split, in the words of the tables; without any the splits are ours.
CONVENTIONS = {
    BY_GALAXY: "drawn by galaxy, not by sky cell: blends and pixels may be in two splits",
    VALIDATION_AS_TEST: "the validation galaxies, which choose the models, are the test galaxies",
}
NOTE_COLUMNS = ("split_digest", "split_convention")


@dataclass(frozen=True)
class SplitNote:
    """What is said of a dataset's splits: digest, and papers' conventions joined by ' + '."""

    digest: str
    convention: str = ""

    def follows(self, convention: str) -> bool:
        """Return whether a paper's convention is among those of the splits."""
        return convention in self.convention.split(" + ")


def tested_split(note: SplitNote) -> str:
    """Return the split whose galaxies are the test galaxies: validation where a paper says so."""
    return "validation" if note.follows(VALIDATION_AS_TEST) else "test"


def note_of(frame: pd.DataFrame, conventions: Sequence[str] = ()) -> SplitNote:
    """Return the note of a dataset's rows (`object_id`, `split`), in any order."""
    ids = frame["object_id"].to_numpy().astype("<i8")
    names = frame["split"].to_numpy().astype("S12")
    order = np.lexsort((names, ids))
    digest = hashlib.blake2b(digest_size=16)
    digest.update(ids[order].tobytes())
    digest.update(names[order].tobytes())
    return SplitNote(digest.hexdigest(), " + ".join(conventions))


def dataset_metadata(
    frame: pd.DataFrame, conventions: Sequence[str] = (), pair_radius_arcsec: float | None = None
) -> dict[str, Any]:
    """Return what a dataset's file says of its splits, and of pairs that are too close for two."""
    said: dict[str, Any] = {"split": asdict(note_of(frame, conventions))}
    if pair_radius_arcsec is not None:
        said["pair_radius_arcsec"] = pair_radius_arcsec
    return said


def read_note(path: Path) -> SplitNote:
    """Return the note of a dataset; of one that says nothing, the digest of its rows.

    Raises
    ------
    BadInput
        If the rows have another digest than the file says.
    """
    found = note_of(read_table(path, columns=["object_id", "split"]))
    said = read_metadata(path).get("split")
    if said is None:
        return found
    if said["digest"] != found.digest:
        hint = "somebody changed its splits by hand: build the dataset again"
        raise BadInput(path, "split digest", said["digest"], f"{found.digest} of its rows", hint)
    return SplitNote(**said)


def notes_of(datasets: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Return {dataset: digest, convention}, for metadata and sidecars of what is made of them."""
    return {path.stem: asdict(read_note(path)) for path in datasets}


def require_same_splits(
    predictions: Sequence[Path], datasets: Sequence[Path]
) -> dict[str, SplitNote]:
    """Return {dataset: its note}; refuse predictions that were made for other splits.

    Raises
    ------
    BadInput
        For predictions that do not say their splits, were made for others than the datasets have
        now, or hold a dataset that is not given.
    """
    now = {path.stem: read_note(path) for path in datasets}
    for path in predictions:
        told: Mapping[str, Any] = read_metadata(path).get("splits", {})
        if not told:
            _refuse(path, "splits", "the digest of each dataset's splits", "none")
        for name, entry in told.items():
            if name not in now:
                _refuse(path, "splits", f"the datasets {', '.join(now)}", f"'{name}'")
            elif SplitNote(**entry) != now[name]:
                _refuse(path, f"splits of '{name}'", _said(now[name]), _said(SplitNote(**entry)))
    return now


def with_notes(table: pd.DataFrame, notes: Mapping[str, SplitNote]) -> pd.DataFrame:
    """Return a table with a column `dataset` and, after it, the columns of the splits' notes."""
    where = table.columns.get_loc("dataset") + 1
    noted = table.copy(deep=False)
    for name, attribute in zip(NOTE_COLUMNS, ("digest", "convention"), strict=True):
        said = {dataset: getattr(note, attribute) for dataset, note in notes.items()}
        noted.insert(where, name, table["dataset"].map(said).fillna("").astype("str"))
        where += 1
    return noted


def explained(convention: str) -> str:
    """Return the words for the conventions of a column's value, such as 'by_galaxy'."""
    return "; ".join(CONVENTIONS[name] for name in convention.split(" + ") if name)


def _said(note: SplitNote) -> str:
    return f"{note.digest}{f' ({note.convention})' if note.convention else ''}"


def _refuse(path: Path, place: str, expected: str, found: str) -> None:
    hint = "the dataset was built again since: predict again, on the splits that are scored"
    raise BadInput(path, place, expected, found, hint)
