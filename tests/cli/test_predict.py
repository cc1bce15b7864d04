"""``zladder predict``: one's own catalogue through a trained run, in the documented schema."""

from __future__ import annotations

import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from tests import toys
from tests.predicting import refused
from zladder.tables.standard import write_standard


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


def test_a_control_predicts_too(predict, tmp_path):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    code, _, out = predict(tmp_path / "t.csv", run_name="toy.knn-s0")
    assert code == 0
    assert pd.read_parquet(out)["z_phot"].notna().all()


def test_a_run_may_be_named_by_its_folder(predict, tmp_path, toy_results):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    folder = str(toy_results / "mock-test/runs/toy.net-s0")
    assert predict(tmp_path / "t.csv", run_name=folder)[0] == 0


def test_other_bands_are_refused(predict, tmp_path):
    frame = toys.galaxies(10).drop(columns="z_true_kind").rename(columns={"mag_i": "mag_z"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    refused(predict(tmp_path / "t.csv"), "t.csv: column 'mag_i'", "['g', 'r', 'i']", "mag_z",
            "--survey")  # fmt: skip


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


def test_an_unknown_run_is_told_with_the_nearest(predict, tmp_path):
    outcome = predict(tmp_path / "t.csv", run_name="toy.nett-s0")
    refused(outcome, "run 'toy.nett-s0'", "no such run", "did you mean 'toy.net-s0'?")


@pytest.mark.parametrize("table", ["nowhere.csv", "t.unknown"])
def test_a_table_that_cannot_be_read_is_refused(predict, tmp_path, table):
    refused(predict(tmp_path / table), table)


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
