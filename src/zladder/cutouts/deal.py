"""Which galaxies are one shard's: those of the same frames go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pandas.api.types import is_numeric_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from zladder.cutouts.losses import Loss


def deal_galaxies(
    placed: pd.DataFrame, lost: Sequence[Loss], column: str, shard: int, n_shards: int
) -> tuple[pd.DataFrame, list[Loss]]:
    """Return a shard's galaxies, sorted by id, and its losses.

    Parameters
    ----------
    placed
        All galaxies that lie in a frame.
    lost
        All others: dealt by identifier.
    column
        What the first are dealt by: whole numbers, else text, of which each takes its rank among
        the sorted ones that hold a galaxy. Shard = number modulo `n_shards`: shards may be empty.
    shard, n_shards
        Which one, from 0, of how many.
    """
    values = placed[column]
    if is_numeric_dtype(values):
        numbers = values.to_numpy(np.int64)
    else:
        numbers = np.unique(values.to_numpy(str), return_inverse=True)[1]
    mine = placed[numbers % n_shards == shard]
    its = [loss for loss in lost if loss.object_id % n_shards == shard]
    return mine.sort_values("object_id").reset_index(drop=True), its
