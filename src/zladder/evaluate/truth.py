"""The true redshifts of galaxies on the mock sky, by the identifiers of its catalogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

# The columns of the truth that name an object in a photometric catalogue; negative: in none.
IDENTIFIERS = ("object_id", "objID", "cfhtls_id")


def true_redshifts(truth: Path, object_id: np.ndarray) -> np.ndarray:
    """Return the true redshift of each object, float64 (n,), NaN where the truth lists none.

    That is for stars and artefacts. An object that the truth does not list is refused: were it
    taken for a star, a truth that lost rows would quiet the leak alarm.

    A sample takes its identifiers from the photometric survey: this is the redshift of the object
    whose light was measured, also where the label is another's.

    Parameters
    ----------
    truth
        The truth of the mock sky.
    object_id
        int64 (n,).

    Raises
    ------
    BadInput
        If an identifier stands for two objects, or an object is not listed.
    """
    table = read_table(truth, columns=[*IDENTIFIERS, "z_true"])
    named = [
        pd.Series(table["z_true"].to_numpy(), index=table[name].to_numpy())[lambda z: z.index >= 0]
        for name in IDENTIFIERS
    ]
    known = pd.concat(named)
    wanted = known[known.index.isin(object_id)]
    if not wanted.index.is_unique:
        twice = wanted.index[wanted.index.duplicated()][0]
        hint = "simulate the sky again"
        raise BadInput(truth, "identifiers", "each object once", f"{twice} twice", hint)
    absent = np.asarray(object_id)[~np.isin(object_id, wanted.index)]
    if len(absent):
        found = f"{len(absent)} of {len(object_id)} are not there, the first is {absent[0]}"
        hint = "only objects of the mock sky have a truth: simulate and predict the same sky"
        raise BadInput(truth, "identifiers", "every object asked for", found, hint)
    return wanted.reindex(object_id).to_numpy(dtype=np.float64)
