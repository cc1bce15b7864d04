"""How far dust moves galaxies in an embedding, in units of the distance between galaxies."""

from __future__ import annotations

import json

import h5py
import measure_drift as program
import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.drift import drift_of, measure_drift
from zladder.metrics.bootstrap import resamples
from zladder.provenance.errors import BadInput
from zladder.tables.split_notes import dataset_metadata, read_note
from zladder.tables.standard import write_standard

N, D = 300, 6
SETTINGS = {"n_bootstraps": 50, "seed": 4}
IDS = np.arange(1000, 1000 + N)
SPLIT = np.array(["train", "test", "validation"])[np.arange(N) % 3]
TEST = SPLIT == "test"


def embedding(seed: int = 1, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return (features, reddened), the latter moved along one axis; galaxies differ in it all."""
    features = np.random.default_rng(seed).standard_normal((N, D)).astype(np.float32)
    reddened = features.copy()
    reddened[:, 0] += shift
    return features, reddened


def test_the_drift_by_hand():
    # two galaxies: every pair is the two of them, at distance 5
    features = np.array([[0.0, 0.0], [3.0, 4.0]], dtype=np.float32)
    reddened = np.array([[0.0, 1.0], [6.0, 8.0]], dtype=np.float32)
    drift, typical = drift_of(features, reddened, 1)
    assert typical == 5.0
    assert drift.tolist() == [0.2, 1.0]


def test_the_typical_distance_is_the_median_over_random_pairs():
    """The median of 20,000 pairs has an error of 0.5 %; 3 % is six of them."""
    features, reddened = embedding(shift=0.5)
    drift, typical = drift_of(features, reddened, 1)
    every = np.linalg.norm(features[:, None] - features[None], axis=-1)[np.triu_indices(N, 1)]
    assert typical == pytest.approx(np.median(every), rel=0.03)
    np.testing.assert_allclose(drift, 0.5 / typical, rtol=1e-5)


def test_no_galaxy_is_paired_with_itself():
    features = np.array([[0.0], [1.0]], dtype=np.float32)
    assert drift_of(features, features, 5)[1] == 1.0  # a pair with itself would lower the median


def test_the_scale_of_an_embedding_does_not_matter():
    features, reddened = embedding()
    small = drift_of(features, reddened, 1)[0]
    np.testing.assert_allclose(small, drift_of(64 * features, 64 * reddened, 1)[0], rtol=1e-6)


def test_a_collapsed_embedding_has_no_drift():
    features, reddened = embedding()
    drift, typical = drift_of(np.zeros_like(features), reddened, 1)
    assert typical == 0.0
    assert np.isnan(drift).all()


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "images.parquet"
    pd.DataFrame({"object_id": IDS, "split": SPLIT}).to_parquet(path)
    return path


@pytest.fixture
def write(tmp_path):
    """Write a file of features, its rows shuffled, after a change of what it holds."""

    def make(name: str, pair, change=lambda stored: None):
        order = np.random.default_rng(9).permutation(N)
        stored = {"object_id": IDS[order], "features": pair[0][order], "reddened": pair[1][order]}
        change(stored)
        path = tmp_path / f"toy.{name}.h5"
        with h5py.File(path, "w") as file:
            for key, values in stored.items():
                file[key] = values
        return path

    return make


def test_only_the_test_galaxies_count(write, dataset):
    features, reddened = embedding()
    reddened[~TEST] += 100.0
    summary, galaxies = measure_drift([write("moco-s0", (features, reddened))], dataset, SETTINGS)
    wanted, typical = drift_of(features[TEST], reddened[TEST], SETTINGS["seed"])
    assert galaxies["object_id"].tolist() == IDS[TEST].tolist()
    np.testing.assert_allclose(galaxies["drift"], wanted)
    row = summary.iloc[0]
    assert row[["method", "dataset", "quantity"]].tolist() == ["moco", "images", "embedding_drift"]
    assert row["value"] == pytest.approx(wanted.mean())
    assert row["typical_distance"] == pytest.approx(typical)
    assert row[["n_seeds", "n_total", "n_used"]].tolist() == [1, 100, 100]


def test_where_validation_is_the_test_set_its_galaxies_count(write, tmp_path):
    frame = pd.DataFrame({"object_id": IDS, "split": np.where(TEST, "calibration", SPLIT)})
    path = tmp_path / "images_as_published.parquet"
    write_standard(frame, path, dataset_metadata(frame, ["validation_as_test"]))
    galaxies = measure_drift([write("moco-s0", embedding())], path, SETTINGS)[1]
    assert galaxies["object_id"].tolist() == IDS[SPLIT == "validation"].tolist()


def test_the_interval_is_that_of_the_bootstrap_over_galaxies(write, dataset):
    features, reddened = embedding()
    reddened[:, 0] += np.linspace(0, 1, N)
    summary, galaxies = measure_drift([write("moco-s0", (features, reddened))], dataset, SETTINGS)
    drift = galaxies["drift"].to_numpy()
    means = [drift[rows].mean() for rows in resamples(100, 50, SETTINGS["seed"])]
    found = summary[["lo95", "hi95"]].to_numpy()[0]
    np.testing.assert_allclose(found, np.quantile(means, [0.025, 0.975]))


def test_a_summary_averages_seeds_and_galaxies_keep_them_apart(write, dataset):
    files = [write("moco-s0", embedding(1, 0.5)), write("moco-s1", embedding(2, 1.5)),
             write("untrained-s0", embedding(3, 2.0))]  # fmt: skip
    summary, galaxies = measure_drift(files, dataset, SETTINGS)
    assert summary["method"].tolist() == ["moco", "untrained"]
    assert summary["n_seeds"].tolist() == [2, 1]
    singles = [measure_drift([path], dataset, SETTINGS)[0]["value"].iloc[0] for path in files[:2]]
    assert summary["value"].iloc[0] == pytest.approx(np.mean(singles))
    assert summary["seed_std"].iloc[0] == pytest.approx(np.std(singles, ddof=1))
    assert galaxies.groupby(["method", "seed"]).size().tolist() == [100, 100, 100]
    mean = galaxies[galaxies["method"] == "moco"]["drift"].mean()
    assert mean == pytest.approx(summary["value"].iloc[0])


def refused(files, dataset) -> BadInput:
    with pytest.raises(BadInput) as caught:
        measure_drift(files, dataset, SETTINGS)
    return caught.value


def test_a_test_galaxy_without_features_is_bad_input(write, dataset):
    def cut(stored):
        for key in stored:
            stored[key] = stored[key][:200]

    path = write("moco-s0", embedding(), cut)
    error = refused([path], dataset)
    assert error.file == str(path)
    assert "object_id" in error.place
    assert "every galaxy" in error.expected
    assert "are not there" in error.found


def test_features_that_are_not_finite_are_bad_input(write, dataset):
    pair = embedding()
    pair[1][1, 2] = np.nan  # row 1 is a test galaxy
    path = write("moco-s0", pair)
    error = refused([path], dataset)
    assert (error.file, error.place) == (str(path), "features")
    assert "finite" in error.expected
    assert f"object_id {IDS[1]}" in error.found
    pair[1][1, 2] = 0.0
    pair[0][0, 2] = np.nan  # row 0 is not
    measure_drift([write("moco-s0", pair)], dataset, SETTINGS)


def test_features_of_another_width_than_the_reddened_are_bad_input(write, dataset):
    def narrow(stored):
        stored["reddened"] = stored["reddened"][:, :3]

    path = write("moco-s0", embedding(), narrow)
    error = refused([path], dataset)
    assert (error.file, error.place) == (str(path), "dataset 'reddened'")
    assert "(100, 6)" in error.expected
    assert error.found == "(100, 3)"


def test_features_without_the_reddened_are_bad_input(write, dataset):
    path = write("moco-s0", embedding(), lambda stored: stored.pop("reddened"))
    error = refused([path], dataset)
    assert (error.file, error.place) == (str(path), "file")
    assert "'reddened'" in error.expected


def test_a_dataset_without_test_galaxies_is_bad_input(write, tmp_path):
    path = tmp_path / "images.parquet"
    pd.DataFrame({"object_id": IDS, "split": "train"}).to_parquet(path)
    error = refused([write("moco-s0", embedding())], path)
    assert (error.file, error.place) == (str(path), "column 'split'")
    assert error.expected == "two or more test galaxies"
    assert error.found == "0"


def test_the_program_writes_both_tables(write, dataset, tmp_path):
    files = [write("moco-s0", embedding(1, 0.5)), write("untrained-s0", embedding(3, 2.0))]
    made = {name: tmp_path / f"{name}.parquet" for name in ("drift", "galaxies")}
    sidecar = tmp_path / "drift.json"
    code = program.main(
        ["--features", *map(str, files), "--dataset", str(dataset), "--settings",
         json.dumps(SETTINGS), "--drift", str(made["drift"]), "--galaxies", str(made["galaxies"]),
         "--sidecar", str(sidecar), "--log", str(tmp_path / "log")]
    )  # fmt: skip
    assert code == 0
    drift = pd.read_parquet(made["drift"])
    assert drift["method"].tolist() == ["moco", "untrained"]
    assert set(drift["split_digest"]) == {read_note(dataset).digest}
    assert len(pd.read_parquet(made["galaxies"])) == 200
    counts = json.loads(sidecar.read_text(encoding="utf-8"))["counts"]
    assert counts == {"galaxies": 100, "encoders": 2}
