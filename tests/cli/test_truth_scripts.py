"""The leak alarm by the commands that the rules run, on a study of the toy universe."""

from __future__ import annotations

import json

import check_leaks
import check_side_information
import numpy as np
import pandas as pd
import pytest
import score_truth
import tabulate_scores

from tests.toy_universe import LEVEL, write_toy_results
from zladder.config.names import LEAK
from zladder.evaluate.study import compare_with_peer, read_answers, score_methods
from zladder.tables.split_notes import dataset_metadata, read_note
from zladder.tables.standard import write_standard

METHODS = ("same", "leaky", "worse", "classes")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Files of the toy universe."""
    return write_toy_results(tmp_path_factory.mktemp("toy") / "results")


def run(program, folder, *options: object, **settings) -> int:
    return program.main([*map(str, options), "--settings", json.dumps(settings), "--log",
                         str(folder / f"{program.__name__}.log"), "--sidecar",
                         str(folder / f"{program.__name__}.json")])  # fmt: skip


def check(toy, folder, pdfs=None, truth=None, datasets=None) -> int:
    return run(check_leaks, folder, "--answers", *toy.predictions(*METHODS), toy.pdfs("classes"),
               "--datasets", datasets or toy.dataset,
               "--oracle", *toy.predictions("oracle"), "--oracle-pdfs", pdfs or toy.pdfs("oracle"),
               "--truth", truth or toy.truth, "--leaks", folder / "leaks.parquet",
               level=LEVEL, images=["resnet"])  # fmt: skip


def write_sample(toy, path) -> None:
    frame = pd.read_parquet(toy.predictions("same")[0])
    rng = np.random.default_rng(1)
    frame["ra"], frame["dec"] = 150 + rng.random(len(frame)), 2 + rng.random(len(frame))
    frame["mag_i"] = 17 + 8 * toy.seen.x
    frame["mag_err_i"] = frame["extinction_i"] = 0.1 * rng.random(len(frame))
    frame.to_parquet(path)


def test_from_predictions_to_the_page_a_leak_is_told_and_stops_nothing(toy, tmp_path):
    assert check(toy, tmp_path) == 0
    leaks = pd.read_parquet(tmp_path / "leaks.parquet")
    assert set(leaks[leaks["verdict"] == LEAK]["method"]) == {"leaky"}
    assert set(leaks["split_digest"]) == {read_note(toy.dataset).digest}
    sidecar = json.loads((tmp_path / "check_leaks.json").read_text())
    assert sidecar["counts"] == {"comparisons": 8, "leaks": 2}

    scoring = {"label_range_z": [0.0, 4.0], "n_bootstraps": 20, "seed": 3}
    files = toy.predictions(*METHODS)
    scores = tmp_path / "truth_scores.parquet"
    assert run(score_truth, tmp_path, "--predictions", *files, "--datasets", toy.dataset,
               "--truth", toy.truth, "--scores", scores, **scoring) == 0  # fmt: skip

    write_sample(toy, tmp_path / "mock.parquet")
    side = tmp_path / "side_information.parquet"
    assert run(check_side_information, tmp_path, "--sample", tmp_path / "mock.parquet",
               "--found", side, level=LEVEL, seed=1) == 0  # fmt: skip

    text = page(toy, tmp_path, leaks=tmp_path / "leaks.parquet", truth=scores, side=side)
    assert "LEAK: leaky on toy (nll); leaky on toy (crps)." in text
    assert "Against the label and against the truth" in text
    assert "they see more than this oracle does: resnet." in text


def page(toy, folder, **found) -> str:
    """Return the page of numbers of a study with these methods."""
    answers = read_answers(toy.predictions(*METHODS))
    scores = score_methods(answers, (0.0, 4.0), 20, 3)
    settings = {"networks": ["leaky", "worse"], "n_bootstraps": 20, "seed": 3}
    scores.to_parquet(folder / "scores.parquet")
    compare_with_peer(answers, scores, settings).to_parquet(folder / "differences.parquet")
    about = {"study": "toy", "title": "Toy", "question": "Why?", "convention": "hsc",
             "estimated": []}  # fmt: skip
    assert run(tabulate_scores, folder, "--scores", folder / "scores.parquet", "--differences",
               folder / "differences.parquet", "--found", *found.values(), "--page",
               folder / "page.html", **about) == 0  # fmt: skip
    return (folder / "page.html").read_text(encoding="utf-8")


def test_an_oracle_of_another_study_is_refused(toy, tmp_path, capsys):
    other = write_toy_results(tmp_path / "other", n=900)
    assert check(toy, tmp_path, other.pdfs("oracle")) == 2
    told = capsys.readouterr().err
    assert "toy.oracle-s0.pdf.h5" in told
    assert "row by row" in told
    assert not (tmp_path / "leaks.parquet").exists()


def test_leaks_are_not_looked_for_on_other_splits(toy, tmp_path, capsys):
    frame = pd.read_parquet(toy.dataset).assign(split="test")
    (tmp_path / "now").mkdir()
    changed = tmp_path / "now/toy.parquet"
    write_standard(frame, changed, dataset_metadata(frame))
    assert check(toy, tmp_path, datasets=changed) == 2
    assert "splits of 'toy'" in capsys.readouterr().err
    assert not (tmp_path / "leaks.parquet").exists()


def test_a_truth_that_lost_rows_is_refused_and_not_taken_for_one_of_stars(toy, tmp_path, capsys):
    truth = tmp_path / "truth.parquet"
    pd.read_parquet(toy.truth).iloc[100:].to_parquet(truth)
    scores = tmp_path / "truth_scores.parquet"
    assert check(toy, tmp_path, truth=truth) == 2
    scoring = {"label_range_z": [0.0, 4.0], "n_bootstraps": 20, "seed": 3}
    files = toy.predictions("same")
    assert run(score_truth, tmp_path, "--predictions", *files, "--datasets", toy.dataset,
               "--truth", truth, "--scores", scores, **scoring) == 2  # fmt: skip
    told = capsys.readouterr().err
    assert f"100 of {len(toy.seen.z)} are not there" in told
    for part in (
        "are not there",
        str(truth),
        "identifiers",
        "every object asked for",
        "simulate and predict",
    ):
        assert told.count(part) >= 2
    assert not scores.exists()
    assert not (tmp_path / "leaks.parquet").exists()
