"""Predictions: every row that goes in comes out, in the documented schema."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tests import toys
from zladder.evaluate import predict
from zladder.evaluate.predict import predict_datasets, predict_table
from zladder.evaluate.trained import load_run
from zladder.provenance.errors import BadInput

DTYPES = {
    "object_id": "int64", "ra": "float64", "dec": "float64", "_healpix_29": "int64",
    "z_true": "float32", "z_true_err": "float32", "z_true_kind": "str", "z_phot": "float32",
    "flags": "uint32",
    **{f"mag_{band}": "float32" for band in toys.BANDS},
    **{f"mag_err_{band}": "float32" for band in toys.BANDS},
    "ebv_mag": "float32",
}  # fmt: skip


@pytest.fixture
def run(toy_results):
    folder = toy_results / "mock-test/runs/toy.net-s0"
    return load_run(folder / "weights.safetensors", folder / "card.json")


def test_columns_stand_in_the_order_and_type_of_the_schema(run):
    table = toys.galaxies(20).assign(ebv_mag=0.03)[::-1]
    predicted = predict_table(table[sorted(table.columns)], run, "t")
    assert {name: str(dtype) for name, dtype in predicted.dtypes.items()} == DTYPES
    assert list(predicted.columns) == list(DTYPES)
    np.testing.assert_array_equal(predicted["object_id"], table["object_id"])


def test_only_what_is_known_is_given(run):
    table = toys.galaxies(5)[["object_id", "mag_g", "mag_r", "mag_i"]]
    predicted = predict_table(table, run, "t")
    assert list(predicted.columns) == ["object_id", "z_phot", "flags", "mag_g", "mag_r", "mag_i"]


def test_rows_in_are_rows_out_and_those_without_an_answer_say_why(run):
    table = toys.galaxies(50, seed=3)
    table.loc[7, "mag_r"] = np.nan
    table.loc[9, "mag_g"] = np.inf
    predicted = predict_table(table, run, "t")
    assert len(predicted) == 50
    assert list(np.flatnonzero(predicted["z_phot"].isna())) == [7, 9]
    assert predicted["flags"][7] & (1 << 7)
    assert predicted["flags"][9] & (1 << 6)
    whole = predict_table(toys.galaxies(50, seed=3), run, "t")
    others = table.index.difference([7, 9])
    assert predicted["z_phot"][others].to_numpy() == pytest.approx(
        whole["z_phot"][others].to_numpy(), abs=1e-6
    )


def test_a_table_without_any_answer_is_still_whole(run):
    predicted = predict_table(toys.galaxies(4).assign(mag_g=np.nan), run, "t")
    assert predicted["z_phot"].isna().all()
    assert len(predicted) == 4


def test_chunks_do_not_matter(run, monkeypatch):
    table = toys.galaxies(50)
    whole = predict_table(table, run, "t")["z_phot"]
    monkeypatch.setattr(predict, "CHUNK_ROWS", 7)
    parts = predict_table(table, run, "t")["z_phot"]
    assert parts.to_numpy() == pytest.approx(whole.to_numpy(), abs=1e-6)


def test_the_network_has_learned_something(run):
    table = toys.galaxies(400, seed=5)
    error = predict_table(table, run, "t")["z_phot"] - table["z_true"]
    assert error.std() < 0.5 * table["z_true"].std()


def test_a_missing_band_is_refused(run):
    with pytest.raises(BadInput) as caught:
        predict_table(toys.galaxies(4).drop(columns="mag_r"), run, "mine.csv")
    assert (caught.value.file, caught.value.place) == ("mine.csv", "column 'mag_r'")


def test_datasets_are_predicted_without_their_training_split(run, tmp_path):
    one = toys.write_dataset(tmp_path / "one.parquet", toys.dataset())
    two = toys.write_dataset(tmp_path / "two.parquet", toys.dataset(100, seed=2))
    predicted, counts = predict_datasets([one, two], [one], run)
    assert list(predicted.columns[:2]) == ["dataset", "split"]
    assert predicted["dataset"].value_counts().to_dict() == {"one": 80, "two": 40}
    assert set(predicted["split"]) == {"validation", "calibration", "test"}
    assert counts["one"] == {"n_in": 200, "n_training": 120, "n_out": 80, "n_without_answer": 0}
    frame = pd.read_parquet(one)
    asked = frame[frame["split"] != "train"]
    np.testing.assert_array_equal(predicted["object_id"][:80], asked["object_id"])
    np.testing.assert_array_equal(predicted["split"][:80], asked["split"])


def test_a_control_answers_as_a_network_does(toy_results):
    folder = toy_results / "mock-test/runs/toy.knn-s0"
    run = load_run(folder / "weights.safetensors", folder / "card.json")
    table = toys.galaxies(100, seed=6)
    error = predict_table(table, run, "t")["z_phot"] - table["z_true"]
    assert error.std() < 0.05


@pytest.mark.parametrize("content", [None, "{", "{}", '{"card": {}}'])
def test_a_run_without_its_card_is_refused(toy_results, tmp_path, content):
    card = tmp_path / "card.json"
    if content is not None:
        card.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_run(toy_results / "mock-test/runs/toy.net-s0/weights.safetensors", card)
    assert caught.value.file == str(card)
    assert caught.value.expected == "a run card"


@pytest.mark.parametrize("run_name", ["toy.net-s0", "toy.knn-s0"])
def test_a_damaged_model_is_refused(toy_results, tmp_path, run_name):
    model = tmp_path / "weights.safetensors"
    model.write_bytes(b"half a model")
    with pytest.raises(BadInput) as caught:
        load_run(model, toy_results / "mock-test/runs" / run_name / "card.json")
    assert caught.value.file == str(model)
    assert "train the run again" in caught.value.hint


def test_members_are_averaged(run):
    table = toys.galaxies(6)
    shifted = dataclasses.replace(run, answer=lambda inputs: run.answer(inputs) + 0.5)
    one, two = (predict_table(table, each, "t")["z_phot"] for each in (run, shifted))
    assert (two - one).to_numpy() == pytest.approx(0.5, abs=1e-6)


def test_test_galaxies_that_the_run_has_seen_are_refused(run, tmp_path):
    frame = toys.dataset()
    one = toys.write_dataset(tmp_path / "one.parquet", frame)
    swapped = frame.copy()
    swapped["split"] = swapped["split"].replace({"train": "test", "test": "train"})
    two = toys.write_dataset(tmp_path / "two.parquet", swapped)
    with pytest.raises(BadInput) as caught:
        predict_datasets([two], [one], run)
    assert caught.value.file == str(two)
    assert caught.value.place == "column 'object_id'"
    assert str(int((frame["split"] == "train").sum())) in caught.value.found
