"""The sidecars of a result tree, read once and asked by several pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.provenance.sidecar import read_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPLIT_ORDER = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class Record:
    """One sidecar: its file, and what it says."""

    path: Path
    content: dict[str, Any]

    @property
    def rule(self) -> str:
        """The rule that made the result: its script's name."""
        return Path(str(self.content.get("script", "unknown"))).stem

    @property
    def subject(self) -> str:
        """What it is about: the run, study, sample, … in the file's name."""
        parent = self.path.parent.name
        named_by_folder = self.path.stem in ("sidecar", "scores", "claims")
        return parent if named_by_folder else self.path.stem

    @property
    def seconds(self) -> float:
        """Wall time of the program, or of the training loop in all attempts if that is longer."""
        content = self.content
        return max(float(content.get("seconds", 0.0)), float(content.get("training_seconds", 0.0)))

    @property
    def by_split(self) -> dict[str, int]:
        """The galaxies of each split of a dataset, in the order of their use."""
        found = dict(self.counts.get("n_by_split", {}))
        return {split: found[split] for split in SPLIT_ORDER if split in found}

    @property
    def counts(self) -> dict[str, Any]:
        """The counts in and out that it tells."""
        counts = self.content.get("counts", {})
        return counts if isinstance(counts, dict) else {}


def read_records(sidecars: Sequence[Path]) -> list[Record]:
    """Return the records of sidecar files, in the order given."""
    return [Record(path, read_sidecar(path)) for path in sidecars]


def of_rule(records: Iterable[Record], *rules: str) -> list[Record]:
    """Return the records of one rule, or of several."""
    return [record for record in records if record.rule in rules]
