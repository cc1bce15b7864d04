"""The probability that a galaxy becomes a usable many-band label, learned from all that were drawn.

A template fit and the cuts on its outcome decide that; no formula says how. A classifier on what
is observed and the true redshift estimates it: the one part of the oracle that is not exact. It is
fitted several times, each without one part of the galaxies, which it then answers for: nobody's
own fate is in the answer about them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from zladder.evaluate.oracle_likelihood import Observed
from zladder.universe.noise import Depth, sky_noise_njy

Z_POINTS = 60  # even in ln(1 + z): the probability is smooth in between
LEAST = 1e-4  # an estimate below that says no more than "rarely"
SEED = 0
FOLDS = 3

Array = NDArray[np.float64]


class UsableLabel:
    """ln P(usable | observed, z), as a selection of `oracle.Oracle`.

    Parameters
    ----------
    drawn
        Every galaxy drawn: ``object_id`` (-1: not listed), ``z_true``, ``stored_ebv_mag``,
        ``flux_{band}_njy`` and ``usable``.
    bands, depth
        Of the survey whose fluxes these are.
    """

    def __init__(self, drawn: pd.DataFrame, bands: Sequence[str], depth: Depth) -> None:
        self._noise = sky_noise_njy(depth)
        names = [f"flux_{band}_njy" for band in bands]
        flux, ebv = drawn[names].to_numpy(np.float64), drawn["stored_ebv_mag"].to_numpy(np.float64)
        inputs = self._inputs(flux, ebv, drawn["z_true"].to_numpy(np.float64))
        usable, fold = drawn["usable"].to_numpy(bool), drawn_folds(drawn["object_id"].to_numpy())
        self._models = [_fitted(inputs[fold != k], usable[fold != k]) for k in range(FOLDS)]

    def __call__(self, seen: Observed, z: Array) -> Array:
        """Return ln of the probability at redshifts, shape (N, Z)."""
        points = np.expm1(np.linspace(np.log1p(z[0]), np.log1p(z[-1]), Z_POINTS))
        n = len(seen.flux)
        flux, ebv = np.repeat(seen.flux, Z_POINTS, axis=0), np.repeat(seen.ebv_mag, Z_POINTS)
        inputs = self._inputs(flux, ebv, np.tile(points, n))
        fold = np.repeat(seen.object_id % FOLDS, Z_POINTS)
        share = np.empty(len(fold))
        for k in np.unique(fold):
            share[fold == k] = self._models[k].predict_proba(inputs[fold == k])[:, 1]
        known = np.log(np.maximum(share, LEAST)).reshape(n, Z_POINTS)
        return np.stack([np.interp(z, points, row) for row in known])

    def _inputs(self, flux: Array, ebv: Array, z: Array) -> Array:
        """Return magnitudes that stay finite below the noise, E(B-V) and ln(1 + z)."""
        softened = np.arcsinh(flux / (2 * self._noise))
        return np.column_stack([softened, np.diff(softened, axis=1), ebv, np.log1p(z)])


def drawn_folds(object_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the part that each galaxy drawn belongs to, by its identifier, shape (D,).

    Those without one are dealt out in turn: left in all parts, they would outweigh the others.
    """
    return np.where(object_id >= 0, object_id, np.arange(len(object_id))) % FOLDS


def _fitted(inputs: Array, usable: NDArray[np.bool_]) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=40,
        early_stopping=True, validation_fraction=0.2, random_state=SEED,
    )  # fmt: skip
    return model.fit(inputs, usable)
