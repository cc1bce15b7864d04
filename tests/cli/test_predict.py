"""``zladder predict``: one's own catalogue through a trained run, in the documented schema."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from tests import toys
from zladder.cli.main import main
from zladder.tables.read import read_table
from zladder.tables.standard import write_standard
from zladder.tables.units import read_units

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
        assert "30 rows in, 30 out, 0 without an answer" in message
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
    assert "10 rows in, 10 out, 1 without an answer" in message
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
    assert "20 rows in, 20 out, 1 without an answer" in message
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
