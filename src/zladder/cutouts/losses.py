"""Galaxies without a stamp: each is listed with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.provenance.errors import BadInput

LOSS_KINDS = {
    "frame": "a frame of its field is missing, damaged or not what its name says",
    "outside": "the frame does not hold the galaxy",
    "edge": "the stamp leaves the frame, and the neighbouring one does not hold what is missing",
    "not_finite": "a pixel of the stamp is NaN or infinite",
    "empty": "all pixels of a band are 0, or no exposure covers the galaxy's own",
    "unfit": "a pixel lies outside of what the encoding holds",
}
# of images that were published, cut by others
PUBLISHED_LOSS_KINDS = {
    "no_image": "no file has an image of it",
    "not_finite": "a pixel of the stamp is NaN or infinite",
    "empty": "all pixels of a band are 0",
    "no_dust": "its Galactic extinction is not known",
    "unfit": "a pixel lies outside of what the encoding holds",
}


@dataclass(frozen=True)
class Loss:
    """One galaxy without a stamp: kind (of LOSS_KINDS), and what would be said of it alone.

    `note` says why the neighbouring frame did not help.
    """

    object_id: int
    key: tuple[Any, ...]
    band: str
    kind: str
    error: BadInput
    note: str = ""

    @property
    def reason(self) -> str:
        """The kind, and what was expected and found where, in one line."""
        error = self.error
        where = f"{error.file}: {error.place}"
        note = f"; {self.note}" if self.note else ""
        return f"{self.kind}: {where}: expected {error.expected}, found {error.found}{note}"


def losses_table(losses: Sequence[Loss], key: Sequence[str]) -> pd.DataFrame:
    """Return one row a lost galaxy: `object_id`, the columns of its key, `band`, `reason`.

    The band is the first one at fault. Of a key that is the identifier nothing is repeated.
    """
    names = list(dict.fromkeys(["object_id", *key, "band", "reason"]))
    rows = [
        {"object_id": loss.object_id, "band": loss.band, "reason": loss.reason,
         **dict(zip(key, loss.key, strict=True))} for loss in losses
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def count_losses(losses: Sequence[Loss], kinds: Mapping[str, str] = LOSS_KINDS) -> dict[str, int]:
    """Return {kind: galaxies}, all kinds."""
    found = Counter(loss.kind for loss in losses)
    return {kind: found[kind] for kind in kinds}


def losses_beside(log: Path | None) -> Path | None:
    """Return where the losses are listed if they are too many; nowhere without a log."""
    return log and log.with_name(log.name + ".losses.csv")
