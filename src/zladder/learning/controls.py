"""Scikit-learn estimators on disk, without pickles."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, BadZipFile

import skops.io

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from sklearn.base import BaseEstimator

# Types beyond skops' own list of safe ones that our estimators hold.
TRUSTED = [
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
]


def save_control(path: Path, control: BaseEstimator) -> None:
    """Write a fitted estimator; the file holds arrays and JSON only."""
    skops.io.dump(control, path, compression=ZIP_DEFLATED)


def load_control(path: Path) -> BaseEstimator:
    """Return a fitted estimator.

    Raises
    ------
    BadInput
        If the file is damaged or holds a type that no control has.
    """
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if unknown:
            hint = "load only models that this workflow wrote"
            raise BadInput(path, "the file", "an estimator of ours", f"{sorted(unknown)}", hint)
        return skops.io.load(path, trusted=TRUSTED)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        hint = "train the run again (remove the file first)"
        raise BadInput(path, "the file", "a scikit-learn estimator", str(error), hint) from error
