"""The ordinary tools answer as scikit-learn does, also after a trip to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zladder.learning.controls import load_control, save_control
from zladder.provenance.errors import BadInput
from zladder.train.controls import fit_control, mode_of_n_z

if TYPE_CHECKING:
    from pathlib import Path

    from sklearn.base import BaseEstimator

SEED = 5
MODELS: dict[str, dict[str, Any]] = {
    "knn": {"kind": "knn", "neighbours": 20},
    "boosting": {"kind": "boosting", "iterations": 40, "learning_rate": 0.05},
    "forest": {"kind": "forest", "trees": 30, "leaf_min": 3},
}


def reference(kind: str) -> BaseEstimator:
    """Return scikit-learn's own estimator with the same settings."""
    if kind == "knn":
        return make_pipeline(StandardScaler(), KNeighborsRegressor(20, weights="distance"))
    if kind == "boosting":
        return HistGradientBoostingRegressor(
            max_iter=40, learning_rate=0.05, early_stopping=False, random_state=SEED
        )
    return RandomForestRegressor(30, min_samples_leaf=3, random_state=SEED)


@pytest.fixture(scope="module")
def galaxies() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    inputs = draw.normal(20, 1, (700, 4)).astype(np.float32)
    labels = 0.1 + 0.05 * np.abs(inputs[:, 0] - 20) + 0.02 * np.sin(inputs[:, 1])
    return inputs, labels


@pytest.mark.parametrize("kind", MODELS)
def test_answers_equal_scikit_learns(
    kind: str, galaxies: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    inputs, labels = galaxies
    train, asked = slice(0, 500), slice(450, 700)  # 50 of the asked are training galaxies
    arrays = fit_control(MODELS[kind], SEED, inputs[train], labels[train])
    path = tmp_path / "weights.safetensors"
    save_control(path, arrays, {"model": MODELS[kind]})
    ours = load_control(path)(inputs[asked])
    exact = inputs.astype(np.float64)  # scikit-learn's scaler would stay in single precision
    theirs = reference(kind).fit(exact[train], labels[train]).predict(exact[asked])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    assert np.std(theirs) > 0.01


def test_forest_of_many_rows_is_walked_in_chunks(
    galaxies: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    from zladder.learning import trees

    inputs, labels = galaxies
    arrays = fit_control(MODELS["forest"], SEED, inputs, labels)
    whole = trees.trees_answer(arrays, inputs)
    monkeypatch.setattr(trees, "CHUNK_ROWS", 33)
    assert np.array_equal(trees.trees_answer(arrays, inputs), whole)
    assert trees.trees_answer(arrays, inputs[:0]).shape == (0,)


def test_same_tool_gives_the_same_bytes(
    galaxies: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    written = []
    for name in ("a", "b"):
        arrays = fit_control(MODELS["forest"], SEED, *galaxies)
        save_control(tmp_path / name, arrays, {"model": MODELS["forest"]})
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_constant_answers(galaxies: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    inputs, labels = galaxies
    for kind, expected in (("mean_z", labels.mean()), ("trainz", mode_of_n_z(labels))):
        save_control(tmp_path / kind, fit_control({"kind": kind}, 1, inputs, labels),
                     {"model": {"kind": kind}})  # fmt: skip
        assert load_control(tmp_path / kind)(inputs[:3]).tolist() == [expected] * 3


def test_mode_is_the_centre_of_the_fullest_bin() -> None:
    labels = np.concatenate([np.linspace(0, 1, 11), np.full(50, 0.52)])
    assert abs(mode_of_n_z(labels) - 0.52) < 0.05


def test_damaged_file_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"not arrays")
    with pytest.raises(BadInput, match=r"weights\.safetensors"):
        load_control(path)
