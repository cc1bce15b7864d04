"""Tree ensembles of scikit-learn as plain arrays, and their answers without scikit-learn.

scikit-learn has no format of its own but pickles. A fitted forest or boosting machine is a few
arrays, however; walking the trees gives what `predict` gives, to rounding (a test compares them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

Arrays = dict[str, np.ndarray]
CHUNK_ROWS = 8192  # bounds the memory: one index a tree and row


def forest_arrays(forest: RandomForestRegressor) -> Arrays:
    """Return the arrays of a fitted forest: the mean over its trees."""
    trees = [
        {
            "feature": tree.tree_.feature,
            "threshold": tree.tree_.threshold,
            "left": tree.tree_.children_left,
            "right": tree.tree_.children_right,
            "value": tree.tree_.value[:, 0, 0],
        }
        for tree in forest.estimators_
    ]
    return _joined(trees, baseline=0.0, factor=1.0 / len(trees))


def boosting_arrays(boosting: HistGradientBoostingRegressor) -> Arrays:
    """Return the arrays of a fitted boosting machine: its baseline and the sum over its trees.

    The nodes are private to scikit-learn; the version is pinned, and a test compares the answers.
    """
    trees = []
    for [predictor] in boosting._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            {
                "feature": np.where(leaf, -1, nodes["feature_idx"]),
                "threshold": nodes["num_threshold"],
                "left": nodes["left"],
                "right": nodes["right"],
                "value": nodes["value"],
            }
        )
    return _joined(trees, baseline=float(boosting._baseline_prediction.item()), factor=1.0)


def _joined(trees: list[Arrays], baseline: float, factor: float) -> Arrays:
    """Return the trees one behind the other; a leaf has feature -1, children are positions."""
    sizes = [len(tree["feature"]) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    shifted = {
        side: np.concatenate([tree[side] + root for tree, root in zip(trees, roots, strict=True)])
        for side in ("left", "right")
    }
    joined = {key: np.concatenate([tree[key] for tree in trees]) for key in trees[0]}
    return {
        "feature": np.maximum(joined["feature"], -1).astype(np.int16),
        "threshold": joined["threshold"].astype(np.float64),
        "left": shifted["left"].astype(np.int32),
        "right": shifted["right"].astype(np.int32),
        "value": joined["value"].astype(np.float64),
        "roots": roots.astype(np.int32),
        "baseline": np.array([baseline]),
        "factor": np.array([factor]),
    }


def trees_answer(arrays: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Return the ensemble's answer for finite inputs (N, F), float64 (N,)."""
    parts = [
        _walked(arrays, inputs[start : start + CHUNK_ROWS])
        for start in range(0, len(inputs), CHUNK_ROWS)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _walked(arrays: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Walk all trees at once, one level a step: a node index for each (tree, row)."""
    node = np.repeat(arrays["roots"][:, None], len(inputs), axis=1)
    rows = np.arange(len(inputs))
    while True:
        feature = arrays["feature"][node]
        leaf = feature < 0
        if leaf.all():
            break
        left = inputs[rows, np.maximum(feature, 0)] <= arrays["threshold"][node]
        child = np.where(left, arrays["left"][node], arrays["right"][node])
        node = np.where(leaf, node, child)
    return arrays["baseline"][0] + arrays["factor"][0] * arrays["value"][node].sum(axis=0)
