"""``zladder predict``: one's own catalogue through a trained run, in the documented schema."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from tests import toys
from zladder.cli import predict as predict_module
from zladder.cli.main import main
from zladder.learning.controls import save_control
from zladder.learning.reference import write_card
from zladder.tables.read import read_table
from zladder.tables.standard import write_standard
from zladder.tables.units import read_units
from zladder.train.controls import train_control

ROOT = Path(__file__).resolve().parents[2]

SURVEY = """\
bands: [g, r, i]
file_format: csv
columns:
  object_id: id
  z_true: z spec
  mag_g: u-g
  mag_r: {native: flux r, unit: nJy}
  mag_i: i
sentinels: {-99: not_observed}
kind: photo
"""


@pytest.fixture
def predict(toy_results, tmp_path, capsys):
    """Run the command; return its exit code, its message and the path of its table."""

    def run(table, *options, run_name="toy.net-s0", output="out.parquet"):
        out = tmp_path / output
        code = main(["predict", run_name, str(table), "-o", str(out), "--results",
                     str(toy_results), *options])  # fmt: skip
        return code, capsys.readouterr().err, out

    return run


def refused(outcome, *parts):
    code, message, out = outcome
    assert code == 2, message
    assert message.startswith("bad input: ")
    for part in parts:
        assert part in message
    assert not out.exists()
    assert not list(out.parent.glob(".partial*"))


def test_every_format_gives_the_same_answers(predict, tmp_path):
    frame = toys.galaxies(30, seed=9).drop(columns="z_true_kind")
    frame.to_csv(tmp_path / "t.csv", index=False)
    write_standard(frame, tmp_path / "t.parquet")
    write_standard(frame, tmp_path / "t.fits")
    answers = []
    for suffix in ("csv", "parquet", "fits"):
        code, message, out = predict(tmp_path / f"t.{suffix}", output=f"{suffix}.parquet")
        assert code == 0
        assert "30 rows in, 0 left out as duplicates, 30 out, 0 without an answer" in message
        answers.append(pd.read_parquet(out))
    for other in answers[1:]:
        pd.testing.assert_frame_equal(answers[0], other, check_dtype=True, rtol=1e-6)
    assert (answers[0]["z_phot"] - frame["z_true"]).std() < 0.06
    assert {"_healpix_29", "flags", "z_true_kind"} <= set(answers[0])


@pytest.mark.parametrize("suffix", ["fits", "vot"])
def test_answers_leave_in_the_formats_of_the_border(predict, tmp_path, suffix):
    frame = toys.galaxies(10)
    frame.loc[3, "mag_r"] = np.nan
    frame.drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    code, message, out = predict(tmp_path / "t.csv", output=f"out.{suffix}")
    assert code == 0
    assert "10 rows in, 0 left out as duplicates, 10 out, 1 without an answer" in message
    table = read_table(out)
    assert len(table) == 10
    assert table["mag_r"][3] == -99.0  # not observed, as catalogues write it
    assert table["flags"][3] & (1 << 7)
    assert read_units(out)["mag_r"] == "mag"


def test_a_control_predicts_too(predict, tmp_path):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    code, _, out = predict(tmp_path / "t.csv", run_name="toy.knn-s0")
    assert code == 0
    assert pd.read_parquet(out)["z_phot"].notna().all()


def test_a_run_may_be_named_by_its_folder(predict, tmp_path, toy_results):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    folder = str(toy_results / "mock-test/runs/toy.net-s0")
    assert predict(tmp_path / "t.csv", run_name=folder)[0] == 0


def own_table(path):
    """Write a catalogue with columns of its own: a flux, a sentinel, names like `u-g`."""
    frame = toys.galaxies(20, seed=9)
    flux_njy = 3631e9 * 10 ** (-0.4 * frame["mag_r"])
    columns = {"id": frame["object_id"], "z spec": frame["z_true"], "u-g": frame["mag_g"],
               "flux r": flux_njy, "i": frame["mag_i"]}  # fmt: skip
    own = pd.DataFrame(columns)
    own.loc[4, "i"] = -99
    own.to_csv(path, index=False)
    return frame


def test_a_survey_file_maps_columns_units_and_sentinels(predict, tmp_path):
    frame = own_table(tmp_path / "own.csv")
    (tmp_path / "own.yaml").write_text(SURVEY, encoding="utf-8")
    code, message, out = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    assert code == 0, message
    assert "20 rows in, 0 left out as duplicates, 20 out, 1 without an answer" in message
    answers = pd.read_parquet(out)
    assert answers["mag_r"].to_numpy() == pytest.approx(frame["mag_r"].to_numpy(), abs=1e-4)
    assert np.isnan(answers["z_phot"][4])
    assert (answers["flags"] & (1 << 12) > 0).all()  # its labels are photo-z
    frame.drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    plain = pd.read_parquet(predict(tmp_path / "t.csv", output="plain.parquet")[2])
    rows = answers.index != 4
    assert answers["z_phot"][rows].to_numpy() == pytest.approx(plain["z_phot"][rows], abs=1e-4)


def test_other_bands_are_refused(predict, tmp_path):
    frame = toys.galaxies(10).drop(columns="z_true_kind").rename(columns={"mag_i": "mag_z"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    refused(predict(tmp_path / "t.csv"), "t.csv: column 'mag_i'", "['g', 'r', 'i']", "mag_z",
            "--survey")  # fmt: skip


def test_a_survey_of_other_bands_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    other = SURVEY.replace("[g, r, i]", "[g, r, z]").replace("mag_i", "mag_z")
    (tmp_path / "own.yaml").write_text(other, encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, "own.yaml: bands", "['g', 'r', 'i']", "['g', 'r', 'z']")


@pytest.mark.parametrize(
    ("unit", "found"), [(u.nJy, "the unit nJy"), (u.mJy, "the unit mJy"), (u.deg, "the unit deg")]
)
def test_other_units_are_refused(predict, tmp_path, unit, found):
    table = Table.from_pandas(toys.galaxies(10).drop(columns="z_true_kind"))
    table["mag_r"].unit = unit
    table.write(tmp_path / "t.fits")
    outcome = predict(tmp_path / "t.fits")
    refused(outcome, "t.fits: column 'mag_r'", "the unit mag", found, "--survey")


@pytest.mark.parametrize("spelling", ["mag", "ABmag", "mag(AB)"])
def test_another_spelling_of_the_same_unit_is_not(predict, tmp_path, spelling):
    path = tmp_path / "t.fits"
    table = Table.from_pandas(toys.galaxies(10).drop(columns="z_true_kind"))
    table["mag_r"].unit = "mag"
    table.write(path)
    number = table.colnames.index("mag_r") + 1
    fits.setval(path, f"TUNIT{number}", value=spelling, ext=1)
    assert predict(path)[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("sentinels", "sentinals", ["own.yaml: sentinals", "did you mean 'sentinels'?"]),
        (SURVEY[SURVEY.index("columns") :], "like: hsc_pdr2\n",
         ["own.yaml: columns", "like: hsc_pdr2", "its own 'columns:'"]),
        ("i: i", "i: I", ["own.csv: column 'I'"]),
        ("nJy", "parsec", ["columns.mag_r", "'parsec'"]),
    ],
)  # fmt: skip
def test_a_wrong_survey_file_is_refused(predict, tmp_path, old, new, parts):
    own_table(tmp_path / "own.csv")
    assert old in SURVEY
    (tmp_path / "own.yaml").write_text(SURVEY.replace(old, new, 1), encoding="utf-8")
    refused(predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml")), *parts)


def test_a_survey_file_that_is_not_there_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    refused(predict(tmp_path / "own.csv", "--survey", "nowhere.yaml"), "nowhere.yaml")


def test_an_unknown_run_is_told_with_the_nearest(predict, tmp_path):
    outcome = predict(tmp_path / "t.csv", run_name="toy.nett-s0")
    refused(outcome, "run 'toy.nett-s0'", "no such run", "did you mean 'toy.net-s0'?")


@pytest.mark.parametrize("table", ["nowhere.csv", "t.unknown"])
def test_a_table_that_cannot_be_read_is_refused(predict, tmp_path, table):
    refused(predict(tmp_path / table), table)


def test_csv_is_no_output(predict, tmp_path):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    refused(predict(tmp_path / "t.csv", output="out.csv"), ".parquet, .fits, .vot")


def trained(results, folder, bands=None, dereddened=False):
    """Train the toy's control on other inputs; return its folder, which names the run."""
    bands = bands or toys.BANDS
    card = toys.control_card(kind="knn", neighbours=5)
    card["inputs"] = card["inputs"] | {"bands": bands, "dereddened": dereddened}
    dataset = results / "mock-test/datasets/toy.parquet"
    if bands != toys.BANDS:
        frame = pd.read_parquet(dataset)
        for band in bands:
            frame[f"mag_{band}"] = frame.get(f"mag_{band}", frame["mag_i"])
        dataset = toys.write_dataset(folder / "wide.parquet", frame)
    folder.mkdir(exist_ok=True)
    arrays, reference = train_control(card, dataset)
    save_control(folder / "weights.safetensors", arrays, card)
    write_card(folder / "card.json", card, reference)
    return str(folder)


@pytest.fixture
def dereddened(toy_results, tmp_path):
    """A run that was trained on magnitudes corrected for Galactic dust, named by its folder."""
    return trained(toy_results, tmp_path / "dereddened", dereddened=True)


@pytest.mark.parametrize(("rule", "left_out"), [("keep_first", 2), ("drop_all", 4)])
def test_rows_left_out_as_duplicates_are_counted(predict, tmp_path, rule, left_out):
    own_table(tmp_path / "own.csv")
    own = pd.read_csv(tmp_path / "own.csv")
    pd.concat([own, own.iloc[:2]]).to_csv(tmp_path / "own.csv", index=False)
    (tmp_path / "own.yaml").write_text(f"{SURVEY}duplicates: {rule}\n", encoding="utf-8")
    code, message, out = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    assert code == 0, message
    kept = 22 - left_out
    expected = f"22 rows in, {left_out} left out as duplicates, {kept} out, 1 without an answer"
    assert expected in message
    answers = pd.read_parquet(out)
    assert len(answers) == kept
    flagged = int((answers["flags"] != 0).sum())
    assert message.endswith(f"(not measured in every band), {flagged} with flags\n")


def test_a_table_of_duplicates_only_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    own = pd.read_csv(tmp_path / "own.csv")
    pd.concat([own, own]).to_csv(tmp_path / "own.csv", index=False)
    (tmp_path / "own.yaml").write_text(f"{SURVEY}duplicates: drop_all\n", encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, "own.csv: rows", "at least one row after duplicates: drop_all", "none of 40",
            "keep_first")  # fmt: skip


@pytest.mark.parametrize("labelled", [True, False])
def test_labels_and_extra_columns_need_not_be_there(predict, tmp_path, labelled):
    own_table(tmp_path / "own.csv")
    own = pd.read_csv(tmp_path / "own.csv")
    (own if labelled else own.drop(columns="z spec")).to_csv(tmp_path / "own.csv", index=False)
    mapped = SURVEY.replace("  mag_g:", "  z_true_err: nowhere\n  mag_g:")
    mapped += "extra_columns: [quality]\n"
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    code, message, out = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    assert code == 0, message
    answers = pd.read_parquet(out)
    assert ("z_true" in answers, "z_true_kind" in answers) == (labelled, labelled)
    assert not {"z_true_err", "quality"} & set(answers)
    assert answers["z_phot"].notna().sum() == 19


@pytest.mark.parametrize("lost", ["id", "i", "flux r", "di"])
def test_any_other_mapped_column_must_be_there(predict, tmp_path, lost):
    own_table(tmp_path / "own.csv")
    own = pd.read_csv(tmp_path / "own.csv").assign(di=0.1).drop(columns=lost)
    own.to_csv(tmp_path / "own.csv", index=False)
    mapped = SURVEY.replace("  mag_i: i", "  mag_i: i\n  mag_err_i: di")
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, f"own.csv: column '{lost}'")


def unlabelled(survey_name):
    """Return a shipped survey's file, its settings, and a table of native columns, no labels."""
    file = ROOT / f"config/surveys/{survey_name}.yaml"
    survey = yaml.safe_load(file.read_text(encoding="utf-8"))
    frame = toys.galaxies(12, seed=9)
    own = {}
    for name, native in survey["columns"].items():
        if isinstance(native, str) and not name.startswith("z_true"):
            like = name[:-1] + "i" if name.startswith("mag_") else name
            own[native] = frame.get(name, frame[like])
    return file, survey, pd.DataFrame(own)


@pytest.mark.parametrize("survey_name", ["sdss_mgs", "galaxiesml"])
def test_the_shipped_surveys_work_on_tables_without_labels(
    predict, toy_results, tmp_path, survey_name
):
    file, survey, own = unlabelled(survey_name)
    run_name = trained(toy_results, tmp_path / "wide", survey["bands"])
    blanks = survey["file_format"] == "whitespace"
    own.to_csv(tmp_path / "own.txt", index=False, sep=" " if blanks else ",")
    code, message, out = predict(tmp_path / "own.txt", "--survey", str(file), run_name=run_name)
    assert code == 0, message
    answers = pd.read_parquet(out)
    assert answers["z_phot"].notna().all()
    assert "z_true" not in answers
    for band in survey["bands"]:
        native = own[survey["columns"][f"mag_{band}"]].to_numpy()
        assert answers[f"mag_{band}"].to_numpy() == pytest.approx(native, abs=1e-4)


def test_declared_names_and_a_header_that_disagree_are_refused(predict, toy_results, tmp_path):
    file, survey, own = unlabelled("sdss_mgs")
    rest = [name for name in survey["names"] if name not in own and name != "zs"]
    own = own.assign(**dict.fromkeys([*rest, "last"], 0.5))  # as many columns as names
    assert len(own.columns) == len(survey["names"])
    run_name = trained(toy_results, tmp_path / "wide", survey["bands"])
    own.to_csv(tmp_path / "own.txt", index=False, sep=" ")
    outcome = predict(tmp_path / "own.txt", "--survey", str(file), run_name=run_name)
    refused(outcome, "own.txt: column 'u'", "column 2, as 'names' say", "column 1 in the header",
            "take 'names' out")  # fmt: skip


def test_a_table_without_header_must_be_that_of_the_declared_names(predict, toy_results, tmp_path):
    file, survey, own = unlabelled("sdss_mgs")
    run_name = trained(toy_results, tmp_path / "wide", survey["bands"])
    own.to_csv(tmp_path / "own.txt", index=False, header=False, sep=" ")
    outcome = predict(tmp_path / "own.txt", "--survey", str(file), run_name=run_name)
    refused(outcome, "own.txt: header", "10 column names, as row 1 has values", "19: zs u g")


def test_an_unrelated_column_does_not_matter(predict, tmp_path):
    frame = toys.galaxies(10).drop(columns="z_true_kind")
    frame.to_parquet(tmp_path / "plain.parquet")
    # Extinctions that the run does not use, a list, a standard column without meaning here.
    strange = frame.assign(extinction_g="none", pixels=[[1.0, 2.0]] * 10, mag_y=-9999.0, part=3)
    strange.to_parquet(tmp_path / "strange.parquet")
    answers = []
    for name in ("plain", "strange"):
        code, message, out = predict(tmp_path / f"{name}.parquet", output=f"{name}_out.parquet")
        assert code == 0, message
        answers.append(pd.read_parquet(out))
    pd.testing.assert_frame_equal(*answers)


def test_extinctions_that_the_run_does_not_use_need_not_be_there(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    mapped = SURVEY.replace("  mag_i: i", "  mag_i: i\n  extinction_i: nowhere")
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    code, message, _ = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    assert code == 0, message
    assert "extinction" not in message


def reddened(frame):
    """Return the galaxies behind 0.3, 0.2, 0.1 mag of dust in g, r, i."""
    extinctions = {f"extinction_{band}": 0.1 * (3 - i) for i, band in enumerate(toys.BANDS)}
    dimmed = {f"mag_{band}": frame[f"mag_{band}"] + extinctions[f"extinction_{band}"]
              for band in toys.BANDS}  # fmt: skip
    return frame.assign(**dimmed, **extinctions)


def test_a_dereddened_run_subtracts_the_extinctions(predict, tmp_path, dereddened):
    frame = toys.galaxies(20, seed=9).drop(columns="z_true_kind")
    reddened(frame).to_csv(tmp_path / "dusty.csv", index=False)
    frame.assign(**dict.fromkeys(["extinction_g", "extinction_r", "extinction_i"], 0.0)).to_csv(
        tmp_path / "clear.csv", index=False
    )
    code, message, out = predict(tmp_path / "dusty.csv", run_name=dereddened)
    assert code == 0, message
    assert "extinction_{band} was subtracted" in message.splitlines()[0]
    dusty = pd.read_parquet(out)
    clear = pd.read_parquet(predict(tmp_path / "clear.csv", run_name=dereddened)[2])
    pd.testing.assert_frame_equal(dusty, clear, rtol=1e-5)
    assert dusty["mag_g"].to_numpy() == pytest.approx(frame["mag_g"].to_numpy(), abs=1e-4)


def test_a_run_that_is_not_dereddened_subtracts_nothing(predict, tmp_path):
    frame = reddened(toys.galaxies(20, seed=9).drop(columns="z_true_kind"))
    frame.to_csv(tmp_path / "dusty.csv", index=False)
    code, message, out = predict(tmp_path / "dusty.csv")
    assert code == 0
    assert "extinction" not in message
    magnitudes = pd.read_parquet(out)["mag_g"].to_numpy()
    assert magnitudes == pytest.approx(frame["mag_g"].to_numpy(), abs=1e-4)


def test_a_dereddened_run_refuses_a_table_without_extinctions(predict, tmp_path, dereddened):
    frame = reddened(toys.galaxies(20).drop(columns=["z_true_kind"])).drop(columns="extinction_r")
    frame.to_csv(tmp_path / "t.csv", index=False)
    outcome = predict(tmp_path / "t.csv", run_name=dereddened)
    refused(outcome, "t.csv: column 'extinction_r'", "the Galactic extinction in mag",
            "no such column", "add the columns extinction_{band}, or map them with --survey")  # fmt: skip
    assert "deredden: false" not in outcome[1]


def test_a_dereddened_run_refuses_a_map_without_extinctions(predict, tmp_path, dereddened):
    own_table(tmp_path / "own.csv")
    (tmp_path / "own.yaml").write_text(SURVEY, encoding="utf-8")
    options = ("--survey", str(tmp_path / "own.yaml"))
    outcome = predict(tmp_path / "own.csv", *options, run_name=dereddened)
    refused(outcome, "own.yaml: column 'extinction_g'", "the Galactic extinction in mag",
            "no such column", "map it to a column of the table")  # fmt: skip
    mapped = SURVEY.replace("  mag_i: i", "  mag_i: i\n  extinction_g: a\n  extinction_r: a\n"
                            "  extinction_i: a")  # fmt: skip
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    refused(predict(tmp_path / "own.csv", *options, run_name=dereddened), "own.csv: column 'a'")


def test_a_column_without_a_name_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    (tmp_path / "own.yaml").write_text(SURVEY.replace("mag_i: i", "mag_i: 5"), encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, "own.yaml: columns.mag_i", "the name of a native column", "found:    5")


def test_an_output_folder_that_cannot_be_made_is_refused(predict, tmp_path):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    code, message, _ = predict(tmp_path / "t.csv", output="taken/out.parquet")
    assert code == 2
    assert message.startswith(f"bad input: {tmp_path / 'taken'}: the file\n  expected: a path that")
    assert "found:    File exists" in message
    assert "hint:     a file stands where a folder is needed" in message


@pytest.mark.parametrize("named", [True, False])  # libraries do not always name the file
def test_a_full_disk_is_told_with_the_output(predict, tmp_path, monkeypatch, named):
    def full(_frame, path, _note):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([str(path)] if named else []))

    monkeypatch.setattr(predict_module, "write_standard", full)
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    refused(predict(tmp_path / "t.csv"), f"bad input: {tmp_path / 'out.parquet'}: the file",
            "found:    No space left on device", "hint:     make room on the disk")  # fmt: skip


def test_a_reader_that_has_gone_away_is_no_error(toy_results):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "zladder.cli.main", "runs", "--results", str(toy_results)]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")
