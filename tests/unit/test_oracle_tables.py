"""What is written of the oracle: for each loss its best estimate, for each galaxy its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.oracle_scores import BEST_ESTIMATE, score_oracles
from zladder.evaluate.oracle_tables import (
    WINDOWS,
    estimates,
    held_out,
    observed_of,
    oracle_predictions,
)
from zladder.evaluate.study import read_answers
from zladder.metrics.point import POINT_METRICS
from zladder.pdf.pdf_file import ClassPdfs, write_pdfs
from zladder.provenance.errors import BadInput
from zladder.report.methods import roles_of

EDGES = np.linspace(0.0, 2.0, 201)
CENTRES = 0.5 * (EDGES[1:] + EDGES[:-1])


def densities(n: int) -> np.ndarray:
    """Return lopsided densities, some with two peaks, shape (n, 200)."""
    rng = np.random.default_rng(4)
    peak, width = rng.uniform(0.2, 1.0, (2, n, 1)) * [[[1.0]], [[0.2]]]
    second = np.exp(-0.5 * ((CENTRES - peak - 0.6) / 0.1) ** 2)
    p = np.exp(-np.abs(CENTRES - peak) / width) + rng.uniform(0, 0.5, (n, 1)) * second
    return (p / p.sum(axis=1, keepdims=True)).astype(np.float32)


LOSSES = {
    "z_mean": lambda dz, z: (dz * (1 + z)) ** 2,
    "z_mean_dz": lambda dz, z: dz**2,
    "z_median": lambda dz, z: np.abs(dz * (1 + z)),
    "z_risk": lambda dz, z: 1 - 1 / (1 + (dz / 0.15) ** 2),
    "z_cat1": lambda dz, z: (np.abs(dz * (1 + z)) > 1.0).astype(float),
    **{name: lambda dz, z, limit=limit: (np.abs(dz) > limit).astype(float)
       for name, limit in WINDOWS.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_each_estimate_has_the_least_expected_loss(name):
    pmf = densities(40)
    found = estimates(EDGES, pmf)[name]
    # truths as the density is: even within a class
    truth = np.linspace(0.0005, 1.9995, 2000)
    weight = np.repeat(pmf.astype(float), 10, axis=1) / 10
    for z_phot, p in zip(found, weight, strict=True):
        dz = (np.append(CENTRES, z_phot)[:, None] - truth) / (1 + truth)
        expected = LOSSES[name](dz, truth) @ p
        assert expected[-1] <= expected[:-1].min() + 2e-3 * expected[:-1].max()


def frame(ids: np.ndarray, split: str) -> pd.DataFrame:
    columns = {
        "mag_r": 17.0,
        "z_true": 0.5,
        "z_true_kind": "spec",
        "split": split,
        "sample": "sample",
    }
    return pd.DataFrame({"object_id": ids}).assign(**columns)


@pytest.fixture
def world(tmp_path):
    """A dataset of a training and a test split, and the oracle's answers for the latter."""
    ids = np.arange(60)
    table = pd.concat([frame(ids[:20], "train"), frame(ids[20:40], "validation"),
                       frame(ids[40:], "test")], ignore_index=True)  # fmt: skip
    table["z_true"] = np.linspace(0.1, 1.0, 60)
    table.to_parquet(tmp_path / "toy.parquet")
    answers = tmp_path / "sample.pdf.h5"
    order = np.random.default_rng(2).permutation(ids[20:])
    write_pdfs(answers, ClassPdfs(order, EDGES, densities(60)[order]), "oracle")
    return tmp_path / "toy.parquet", answers


def test_answers_stand_in_the_order_of_the_dataset(world):
    dataset, answers = world
    table, pdfs, counts = oracle_predictions([dataset], [answers])
    assert list(table["object_id"]) == list(range(20, 60)) == list(pdfs.object_id)
    np.testing.assert_allclose(pdfs.pmf, densities(60)[20:], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(table["z_phot"], estimates(EDGES, pdfs.pmf)["z_median"], rtol=1e-5)
    assert counts["toy"] == {"n_in": 60, "n_training": 20, "n_out": 40, "n_without_answer": 0}
    assert set(held_out(table, [dataset])["object_id"]) == set(range(20, 60))


def test_a_galaxy_without_an_answer_is_refused(world):
    dataset, answers = world
    write_pdfs(answers, ClassPdfs(np.arange(20, 59), EDGES, densities(39)), "oracle")
    with pytest.raises(BadInput, match="1 galaxies without an answer"):
        oracle_predictions([dataset], [answers])


def test_a_galaxy_in_two_samples_has_the_answer_of_its_own(world, tmp_path):
    ids, pmf = np.arange(20, 60), densities(80)
    table = pd.concat([frame(ids, "test"), frame(ids, "test").assign(sample="other")])
    table.sample(frac=1.0, random_state=1).to_parquet(tmp_path / "both.parquet")
    paths = tmp_path / "other.structure.pdf.h5", tmp_path / "sample.pdf.h5"
    for path, part in zip(paths, (pmf[40:], pmf[:40]), strict=True):
        write_pdfs(path, ClassPdfs(ids, EDGES, part), "oracle")
    shuffled = pd.read_parquet(tmp_path / "both.parquet")
    _, pdfs, _ = oracle_predictions([tmp_path / "both.parquet"], paths)
    place = shuffled["object_id"] - 20 + np.where(shuffled["sample"] == "other", 40, 0)
    np.testing.assert_allclose(pdfs.pmf, pmf[place], rtol=1e-5, atol=1e-9)


def test_without_an_answer_there_is_no_estimate():
    pmf = densities(5)
    whole = estimates(EDGES, pmf)
    pmf[[1, 4]] = np.nan
    for name, values in estimates(EDGES, pmf).items():
        assert np.isnan(values[[1, 4]]).all(), name
        np.testing.assert_array_equal(values[[0, 2, 3]], whole[name][[0, 2, 3]])
    assert np.isnan(estimates(EDGES, pmf[[1]])["z_mode"]).all()


def test_every_metric_is_taken_from_its_estimate_and_the_oracle_is_no_method(world, tmp_path):
    table, _, _ = oracle_predictions([world[0]], [world[1]])
    path, network = tmp_path / "toy.oracle-s0.parquet", tmp_path / "toy.net-s0.parquet"
    table.to_parquet(path)
    table.to_parquet(network)
    scores = score_oracles(read_answers([network]), [path], [0.0, 2.0], 20, 1)
    test = scores[scores["split"] == "test"].set_index("metric")
    assert set(test.index) == set(POINT_METRICS)
    assert len(scores) == 2 * len(POINT_METRICS)
    truth = table[table["split"] == "test"]
    dz = (truth["z_mean_dz"] - truth["z_true"]) / (1 + truth["z_true"])
    assert test.loc["rms_dz", "value"] == pytest.approx(np.sqrt((dz**2).mean()), rel=1e-5)
    assert set(BEST_ESTIMATE.values()) <= set(table.columns)
    both = pd.concat([scores.assign(method="net"), scores.assign(method="knn"), scores])
    difference = {"dataset": "toy", "method": "net", "chosen": True, "peer": "knn"}
    roles = roles_of(both, pd.DataFrame([difference]))
    assert (roles.networks, roles.controls, roles.oracles) == (["net"], ["knn"], ["oracle"])
    table.iloc[::-1].reset_index(drop=True).to_parquet(path)
    with pytest.raises(BadInput, match="the study's galaxies"):
        score_oracles(read_answers([network]), [path], [0.0, 2.0], 20, 1)


def test_fluxes_are_those_that_reached_the_telescope():
    table = pd.DataFrame({"object_id": [7], "mag_g": [18.0], "mag_r": [17.0],
                          "extinction_g": [0.33], "extinction_r": [0.23]})  # fmt: skip
    scale = {"g": 3.3, "r": 2.3}
    seen = observed_of(table, {"extinction_per_ebv": scale, "dereddened": True})
    np.testing.assert_allclose(seen.flux, 10 ** (-0.4 * (np.array([[18.33, 17.23]]) - 31.4)))
    np.testing.assert_allclose(seen.ebv_mag, 0.1)
    bare = observed_of(table, {"extinction_per_ebv": scale, "dereddened": False})
    np.testing.assert_allclose(bare.flux, 10 ** (-0.4 * (np.array([[18.0, 17.0]]) - 31.4)))
