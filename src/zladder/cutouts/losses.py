"""Galaxies without a stamp: each is listed with its reason, and too many are bad input."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.provenance.outputs import write_text_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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

log = logging.getLogger("zladder")


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


def require_few_losses(
    losses: Sequence[Loss], n_galaxies: int, max_lost_fraction: float, listed: Path | None = None,
    key: Sequence[str] = (), causes_of: Callable[[Sequence[Loss]], list[Path]] | None = None,
) -> None:  # fmt: skip
    """Refuse to go on where too many galaxies have no stamp, as soon as that is certain.

    Parameters
    ----------
    losses
        Those so far.
    n_galaxies, max_lost_fraction
        All galaxies of the shard, and the share that may have no stamp.
    listed
        File to write the losses to where they are too many: of outputs nothing is left then.
    key
        As for `losses_table`.
    causes_of
        Returns the files that the losses lie in where these are no inputs of the program
        (`PassingBadInput`).

    Raises
    ------
    BadInput
        If more than `max_lost_fraction` of `n_galaxies` are lost: file and place of the first
        loss, and how many there are of each kind. The log names every frame at fault.
    """
    if len(losses) <= max_lost_fraction * n_galaxies:
        return
    _log_each_cause(losses)
    first = losses[0].error
    counts = count_losses(losses, {**LOSS_KINDS, **PUBLISHED_LOSS_KINDS})
    kinds = [f"{kind} {n}" for kind, n in counts.items() if n]
    found = f"{first.found} ({len(losses)} of {n_galaxies} galaxies lost: {', '.join(kinds)})"
    hint = f"{first.hint}; or allow losses: cutouts.max_lost_fraction, now {max_lost_fraction:g}"
    if listed:
        table = losses_table(losses, key)
        write_text_whole(listed, table.to_csv(index=False, lineterminator="\n"))
        hint += f"; those lost until then: {listed}"
    words = (first.file, first.place, first.expected, found, hint)
    if causes_of:
        raise PassingBadInput(*words, causes=causes_of(losses))
    raise BadInput(*words)


def _log_each_cause(losses: Sequence[Loss]) -> None:
    """Log a line for each frame and kind of loss: galaxies lost by it, and what is wrong first."""
    first: dict[tuple[str, str], Loss] = {}
    for loss in losses:
        first.setdefault((str(loss.error.file), loss.kind), loss)
    n_lost = Counter((str(loss.error.file), loss.kind) for loss in losses)
    for cause, loss in first.items():
        log.error("lost: %d galaxies, %s", n_lost[cause], loss.reason)
