"""How many galaxies may have no stamp: too many are bad input, as soon as that is certain."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zladder.cutouts.losses import LOSS_KINDS, PUBLISHED_LOSS_KINDS, count_losses, losses_table
from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.provenance.outputs import write_text_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from zladder.cutouts.losses import Loss

_ROUNDING = 1e-12  # of a share

log = logging.getLogger("zladder")


@dataclass(frozen=True)
class Judged:
    """What the losses of a shard are judged by.

    Galaxies that lie in no image are dealt to all shards, also to those that hold few others or
    none: they are no shard's own, and are judged against the whole sample.

    Attributes
    ----------
    n_sample, n_nowhere
        Galaxies of the sample, and those of them that lie in no image.
    n_own, n_dealt
        Galaxies of the shard that lie in one, and those in none that it lists, before its others.
    first
        One that lies in none, whichever shard lists it.
    """

    n_sample: int
    n_nowhere: int
    n_own: int
    n_dealt: int
    first: Loss | None = None

    def lost_fraction(self, n_listed: int) -> float:
        """Return the share of the sample without a stamp if all shards lose as much as this one.

        Where no shard's is above a limit, neither is that of all.

        Parameters
        ----------
        n_listed
            Losses of the shard so far, the dealt ones with them.
        """
        n_lost, n_placed = n_listed - self.n_dealt, self.n_sample - self.n_nowhere
        lost = self.n_nowhere + (n_lost * n_placed / self.n_own if n_lost else 0.0)
        return lost / max(self.n_sample, 1)


def require_few_losses(
    losses: Sequence[Loss], judged: Judged, max_lost_fraction: float, listed: Path | None = None,
    key: Sequence[str] = (), causes_of: Callable[[Sequence[Loss]], list[Path]] | None = None,
) -> None:  # fmt: skip
    """Refuse to go on where too many galaxies have no stamp, as soon as that is certain.

    Parameters
    ----------
    losses
        Those so far.
    judged, max_lost_fraction
        The galaxies of the shard and of the sample, and the share that may have no stamp.
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
        If `Judged.lost_fraction` is above `max_lost_fraction`: file and place of the first loss,
        and how many there are of each kind. The log names every frame at fault.
    """
    if judged.lost_fraction(len(losses)) <= max_lost_fraction + _ROUNDING:
        return
    # A shard may list none of those that lie in no image, which it is judged by all the same.
    known = [*losses, *([judged.first] if judged.first else [])]
    _log_each_cause(losses or known)
    first = known[0].error
    found = f"{first.found} ({_counted(losses, judged)})"
    hint = f"{first.hint}; or allow losses: cutouts.max_lost_fraction, now {max_lost_fraction:g}"
    if listed:
        table = losses_table(losses, key)
        write_text_whole(listed, table.to_csv(index=False, lineterminator="\n"))
        hint += f"; those lost until then: {listed}"
    words = (first.file, first.place, first.expected, found, hint)
    if causes_of:
        raise PassingBadInput(*words, causes=causes_of(known))
    raise BadInput(*words)


def _counted(losses: Sequence[Loss], judged: Judged) -> str:
    """Return how many are lost, of the shard by kind and of the sample."""
    counts = count_losses(losses, {**LOSS_KINDS, **PUBLISHED_LOSS_KINDS})
    kinds = ", ".join(f"{kind} {n}" for kind, n in counts.items() if n)
    n_shard = judged.n_own + judged.n_dealt
    words = f"{len(losses)} of {n_shard} galaxies lost" + (f": {kinds}" if kinds else "")
    if judged.n_nowhere and n_shard < judged.n_sample:
        words += f"; {judged.n_nowhere} of all {judged.n_sample} lie in no image"
    return words


def _log_each_cause(losses: Sequence[Loss]) -> None:
    """Log a line for each frame and kind of loss: galaxies lost by it, and what is wrong first."""
    first: dict[tuple[str, str], Loss] = {}
    for loss in losses:
        first.setdefault((str(loss.error.file), loss.kind), loss)
    n_lost = Counter((str(loss.error.file), loss.kind) for loss in losses)
    for cause, loss in first.items():
        log.error("lost: %d galaxies, %s", n_lost[cause], loss.reason)
