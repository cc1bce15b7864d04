"""Every number says which splits it was scored on, and no other splits are scored."""

from __future__ import annotations

import hashlib
import json
import struct
from copy import deepcopy
from pathlib import Path

import judge_claims
import measure_collapse
import numpy as np
import pandas as pd
import pytest
import score_study
import score_truth
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests import toys
from zladder.config.references import require_references
from zladder.config.split_references import sees_tested
from zladder.datasets.build import build_dataset
from zladder.datasets.splits import SPLITS, shares_of
from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.provenance.errors import BadInput
from zladder.report.claims_page import claims_table
from zladder.report.split_words import split_caption, split_words, what_chose
from zladder.tables.split_notes import (
    SplitNote,
    dataset_metadata,
    note_of,
    notes_of,
    read_note,
    require_same_splits,
    with_notes,
)
from zladder.tables.standard import write_standard

BOTH = ("by_galaxy", "validation_as_test")
BUILDING = {
    "splits": {"train": 0.45, "validation": 0.10, "calibration": 0.05, "test": 0.40},
    "sky_cell_order": 13,
    "duplicate_radius_arcsec": 1.0,
    "pair_radius_arcsec": 3.0,
    "label_draws": 1,
    "photometry": {"one": "deep"},
}


def written(path: Path, frame: pd.DataFrame, conventions: tuple[str, ...] = ()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_standard(frame, path, dataset_metadata(frame, conventions))
    return path


def predicted(path: Path, datasets: list[Path]) -> Path:
    """Write the predictions of a method that knows everything to within 0.01."""
    asked = asked_galaxies(datasets, [])
    answers = [
        part.frame[["object_id", "z_true"]].assign(
            z_phot=part.frame["z_true"] + 0.01 * np.sin(part.frame["object_id"])
        )
        for part in asked
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"run": path.stem, "splits": notes_of(datasets)}
    write_standard(whole_table(asked, answers)[0], path, metadata=told)
    return path


def test_the_digest_is_that_of_the_sorted_pairs():
    frame = pd.DataFrame({"object_id": [7, -2], "split": ["test", "calibration"]})
    content = struct.pack("<qq", -2, 7) + b"calibration\0" + b"test".ljust(12, b"\0")
    assert note_of(frame).digest == hashlib.blake2b(content, digest_size=16).hexdigest()


@examples(deadline=None, max_examples=30)
@given(st.integers(2, 50), st.integers(0, 10**6))
def test_the_digest_knows_every_galaxy_and_its_split_and_nothing_else(n, seed):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"object_id": draw.permutation(n), "split": draw.choice(SPLITS, n)})
    digest = note_of(frame).digest
    assert note_of(frame.sample(frac=1, random_state=seed).assign(z_true=0.1)).digest == digest
    row = int(draw.integers(n))
    other = frame.copy()
    other.loc[row, "split"] = SPLITS[SPLITS.index(frame["split"][row]) - 1]
    assert note_of(other).digest != digest
    assert note_of(frame.drop(index=row)).digest != digest
    assert note_of(frame.assign(object_id=frame["object_id"].replace(row, n))).digest != digest


def test_splits_changed_by_hand_are_refused(tmp_path):
    frame = toys.dataset()
    path = written(tmp_path / "toy.parquet", frame, BOTH)
    assert read_note(path) == SplitNote(note_of(frame).digest, "by_galaxy + validation_as_test")
    changed = frame.assign(split=frame["split"].replace("calibration", "test"))
    write_standard(changed, path, dataset_metadata(frame))
    with pytest.raises(BadInput) as caught:
        read_note(path)
    assert (caught.value.file, caught.value.place) == (str(path), "split digest")
    changed.to_parquet(path)  # a table that says nothing
    assert read_note(path) == note_of(changed)


def test_predictions_of_other_splits_are_refused(tmp_path):
    path = written(tmp_path / "toy.parquet", toys.dataset())
    file = predicted(tmp_path / "toy.net-s0.parquet", [path])
    assert require_same_splits([file], [path]) == {"toy": read_note(path)}
    frame = toys.dataset()
    for changed, conventions in (
        (frame.assign(split=np.roll(frame["split"], 1)), ()),
        (frame, ("by_galaxy",)),
    ):
        written(path, changed, conventions)
        with pytest.raises(BadInput) as caught:
            require_same_splits([file], [path])
        assert (caught.value.file, caught.value.place) == (str(file), "splits of 'toy'")
        assert caught.value.found == note_of(frame).digest
        assert caught.value.expected.startswith(note_of(changed).digest)
    other = written(tmp_path / "other.parquet", frame)
    with pytest.raises(BadInput, match="'toy'"):
        require_same_splits([file], [other])
    pd.read_parquet(file).to_parquet(file)
    with pytest.raises(BadInput, match="the digest of each dataset"):
        require_same_splits([file], [path])


@pytest.mark.parametrize(
    ("program", "outputs", "more"),
    [
        (score_study, ("--scores", "--differences", "--curves"), ()),
        (score_truth, ("--scores",), ("--truth", "truth.parquet")),
        (measure_collapse, ("--collapse",), ()),
        (judge_claims, ("--claims",), ()),
    ],
)
def test_what_scores_ends_with_2_on_predictions_of_other_splits(
    program, outputs, more, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    frame = toys.dataset()
    frame.to_parquet("truth.parquet")
    path = written(tmp_path / "toy.parquet", frame)
    file = predicted(tmp_path / "toy.net-s0.parquet", [path])
    written(path, frame.assign(split=np.roll(frame["split"], 1)))
    files = [part for name in outputs for part in (name, f"{name[2:]}.parquet")]
    options = ["--predictions", str(file), "--datasets", str(path), *more, *files]
    assert program.main([*options, "--settings", "{}"]) == 2
    assert "splits of 'toy'" in capsys.readouterr().err
    assert not [name for name in files if Path(name).exists()]


def test_scores_say_their_splits_and_a_papers_convention(tmp_path):
    """From a dataset with validation as test to the tables, by the programs."""
    frame = toys.dataset(400)
    frame = frame[frame["split"] != "test"]
    path = written(tmp_path / "toy_as_published.parquet", frame, ("validation_as_test",))
    files = [
        str(predicted(tmp_path / f"toy.{name}-s0.parquet", [path])) for name in ("net", "mean_z")
    ]
    settings = {
        "label_range_z": [0.0, 1.0], "n_bootstraps": 10, "seed": 1, "networks": ["net"],
        "bin_width_z": 0.1,
    }  # fmt: skip
    tables = {name: tmp_path / f"{name}.parquet" for name in ("scores", "differences", "curves")}
    options = [part for name, file in tables.items() for part in (f"--{name}", str(file))]
    command = ["--predictions", *files, "--datasets", str(path), *options]
    assert score_study.main([*command, "--settings", json.dumps(settings)]) == 0
    for file in tables.values():
        table = pd.read_parquet(file)
        assert set(table["split_digest"]) == {note_of(frame).digest}
        assert set(table["split_convention"]) == {"validation_as_test"}
    scores = pd.read_parquet(tables["scores"]).set_index(["method", "metric", "split"])["value"]
    net = scores["net"]["sigma_nmad"]
    assert net["test"] == net["validation"] > 0
    shown = str(split_caption(pd.read_parquet(tables["scores"]), "toy_as_published"))
    assert note_of(frame).digest in shown
    assert "splits as published: validation_as_test" in shown


def test_validation_galaxies_answer_twice_where_they_are_the_test_set(tmp_path):
    frame = toys.dataset()
    rows = frame[frame["split"] != "test"]
    path = written(tmp_path / "a.parquet", rows, ("validation_as_test",))
    (part,) = asked_galaxies([path], [path])
    by_split = {name: rows["object_id"].tolist() for name, rows in part.frame.groupby("split")}
    assert by_split["test"] == by_split["validation"]
    assert (len(by_split["test"]), len(by_split["calibration"])) == (40, 20)
    assert (part.n_in, part.n_training) == (180, 120)
    # A galaxy of the training split still may not be tested.
    other = written(tmp_path / "b.parquet", frame.assign(split="train"))
    with pytest.raises(BadInput, match="that it saw"):
        asked_galaxies([path], [other])


def test_close_pairs_across_the_datasets_of_a_run_are_counted(tmp_path):
    """By hand: of three test galaxies one is 2.9 arcsec from two that were learned from."""
    north = np.array([0.0, 2.9, 60.0, 0.0, 2.9, 63.1, 120.0]) / 3600
    frame = pd.DataFrame({"object_id": np.arange(7), "ra": 150.0, "dec": north, "z_true": 0.1})
    frame["split"] = ["test", "test", "test", "train", "validation", "train", "calibration"]
    frame.loc[1, "dec"] += 100 / 3600
    asked, seen = frame.iloc[:3], frame.iloc[3:]
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, part in zip(paths, (asked, seen), strict=True):
        write_standard(part, path, dataset_metadata(part, (), 3.0))
    parts = asked_galaxies(paths[:1], paths[1:])
    assert parts[0].n_pairs_with_training == 2
    counts = whole_table(parts, [asked[["object_id"]].assign(z_phot=0.1)])[1]
    assert counts["a"]["n_pairs_with_training"] == 2
    assert asked_galaxies(paths[:1], [])[0].n_pairs_with_training is None
    for path, part in zip(paths, (asked, seen), strict=True):  # a file that does not say the radius
        write_standard(part, path, dataset_metadata(part))
    assert asked_galaxies(paths[:1], paths[1:])[0].n_pairs_with_training is None


def test_validation_as_test_leaves_the_training_galaxies_as_they_are():
    sample = toys.galaxies(900).assign(part="all")
    whole, published = (
        build_dataset({"one": sample}, BUILDING | more, {}, 1, "a")[0]
        for more in ({}, {"conventions": ["validation_as_test"]})
    )
    assert set(published["split"]) == {"train", "validation", "calibration"}
    ids = [frame.loc[frame["split"] == "train", "object_id"] for frame in (whole, published)]
    assert set(ids[0]) == set(ids[1])
    share = (published["split"] == "validation").mean()
    assert abs(share - 0.5) < 5 * np.sqrt(0.25 / 900)  # five standard deviations
    assert sum(shares_of(BUILDING["splits"], True).values()) == pytest.approx(1.0)


def test_figures_and_claims_name_the_convention():
    notes = {"a_as_published": SplitNote("12", "by_galaxy"), "b": SplitNote("34")}
    row = {"claim": "c", "text": "t", "source": "s", "metric": "m", "definition": "stated",
           "worse": "x", "better": "y", "published_ratio": np.nan, "at_least": 1.0,
           "ratio": 2.0, "lo95": 1.5, "hi95": 3.0, "n_used": 9, "verdict": "undecided",
           "reason": "r"}  # fmt: skip
    rows = [{**row, "dataset": name} for name in notes]
    table = with_notes(pd.DataFrame(rows), notes)
    shown = str(claims_table(table))
    assert shown.count("splits as published: by_galaxy") == 1
    assert "by sky cell" in split_words(table, "a_as_published")
    assert split_words(table, "b") == ""
    assert "as published" not in str(split_caption(table, "b"))
    assert split_caption(pd.DataFrame(rows), "b") is None  # scores from before the digest


def test_a_page_says_what_the_test_galaxies_chose():
    notes = {"a_as_published": SplitNote("1", " + ".join(BOTH)), "b": SplitNote("2", "by_galaxy")}
    both = with_notes(pd.DataFrame({"dataset": [*notes]}), notes)
    chose = "Test galaxies of a_as_published are the validation galaxies, and chose too."
    assert what_chose(both) == f"{chose} Others chose nothing."
    assert what_chose(both[:1]) == chose
    assert what_chose(both[1:]) == "The test galaxies chose nothing."


def test_a_name_says_whether_splits_are_a_papers_own(settings):
    tree = settings()
    datasets = tree["datasets"]["datasets"]
    marked = [name for name, entry in datasets.items() if "conventions" in entry]
    assert marked == [name for name in datasets if name.endswith("_as_published")] != []
    for name, entry in (
        ("main", {**datasets["main"], "conventions": ["by_galaxy"]}),
        ("main_as_published", datasets["main"]),
    ):
        tree = settings()
        tree["datasets"]["datasets"][name] = entry
        with pytest.raises(BadInput) as caught:
            require_references(tree)
        assert caught.value.place == f"datasets.{name}"
        assert "_as_published" in f"{caught.value.expected} {caught.value.hint}"


def test_a_published_test_set_stands_alone(settings):
    tree = settings()
    datasets = tree["datasets"]["datasets"]
    entry = {**datasets["sdss_main"], "conventions": ["validation_as_test"]}
    datasets["sdss_main_as_published"] = entry
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert caught.value.place == "datasets.sdss_main_as_published.given_parts.test"
    assert caught.value.found == "'test' and validation_as_test"
    entry["given_parts"] = {"validation": "test"}  # what the paper reported chose its models
    require_references(tree)


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"conventions": ["validation_as_test"]}, "", "stamps of two published parts may share"),
        ({"away_from": ["main_images"]}, "", "no parts beside away_from"),
        ({"given_parts": {"test": "tests"}}, ".test", "one of train, validation, test"),
        ({"given_parts": dict.fromkeys(SPLITS, "train")}, "", "none of ['validation', 'test']"),
    ],
)
def test_published_parts_are_those_of_the_survey_and_leave_none_without_a_split(
    settings, change, place, words
):
    tree, name = settings(), "photoz_images_as_published"
    tree["datasets"]["datasets"][name] |= change
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    if "validation_as_test" in change.get("conventions", ()):
        assert caught.value.found == "'test' and validation_as_test"  # refused before
        del tree["datasets"]["datasets"][name]["given_parts"]["test"]
        with pytest.raises(BadInput) as caught:
            require_references(tree)
    assert caught.value.place == f"datasets.{name}.given_parts{place}"
    assert words in f"{caught.value.expected} {caught.value.found}"


@pytest.mark.parametrize(
    ("name", "given", "place", "words"),
    [
        ("specz_images_as_published", {"test": "images_tests"}, ".test", "images_validation"),
        ("specz_images_as_published", {"test": "all"}, ".test", "of images_train, "),
        ("specz_images_as_published", {"test": "images_train"}, "", "none of ['images_test']"),
        ("sdss_main", {"test": "images_test"}, ".test", "one of train, test '"),
    ],
)
def test_parts_of_images_are_splits_of_images_alone(settings, name, given, place, words):
    tree = settings()
    entry = tree["datasets"]["datasets"][name]
    entry["given_parts"] = entry["given_parts"] | given
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert caught.value.place == f"datasets.{name}.given_parts{place}"
    assert words in f"{caught.value.expected} {caught.value.found}"


def test_every_seed_has_a_draw_of_labels(settings):
    tree = settings()
    tree["train"]["n_seeds"] = tree["datasets"]["label_draws"] + 1
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert (caught.value.place, caught.value.found) == ("label_draws", 5)


def test_no_training_sees_the_test_galaxies_of_splits_of_another_kind(settings):
    """Said before anything is trained; which galaxies two samples share is not known by then."""
    tree = settings()
    known = tree["datasets"]["datasets"]
    known["drawn_as_published"] = {**known["main"], "conventions": ["by_galaxy"]}
    for one, other, seen in (
        (
            "main_images",
            "main_images_as_published",
            False,
        ),  # the paper's own: it chose, and reports
        ("main_images_as_published", "main_images", True),  # what chose the model is our test set
        ("drawn_as_published", "main", True),
        ("main", "drawn_as_published", True),
        ("main", "main_images", True),  # cells of another size
        ("deep_images", "main_images_as_published", False),  # other samples
        ("specz", "combined", False),  # the same cells
    ):
        assert sees_tested(tree, one, other) is seen, (one, other)
    studies = tree["study_files"]
    study = studies["label_efficiency"]
    study["test_on"] = ["main_images", "main_images_as_published"]
    require_references(tree)
    for place in ("networks.catalogue", "controls"):
        block, _, name = place.partition(".")
        changed = deepcopy(study)
        entry = changed[block][name] if name else changed[block]
        entry["dataset"] = "main_images_as_published"
        with pytest.raises(BadInput) as caught:
            require_references({**tree, "study_files": {**studies, "label_efficiency": changed}})
        assert caught.value.place == f"{place}.dataset"
        assert "'main_images'" in caught.value.expected
