"""``zladder predict --survey``: which column is what, in which unit, in one's own catalogue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.predicting import SURVEY, own_table, refused


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


def test_a_survey_of_other_bands_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    other = SURVEY.replace("[g, r, i]", "[g, r, z]").replace("mag_i", "mag_z")
    (tmp_path / "own.yaml").write_text(other, encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, "own.yaml: bands", "['g', 'r', 'i']", "['g', 'r', 'z']")


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


def test_a_column_without_a_name_is_refused(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    (tmp_path / "own.yaml").write_text(SURVEY.replace("mag_i: i", "mag_i: 5"), encoding="utf-8")
    outcome = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    refused(outcome, "own.yaml: columns.mag_i", "the name of a native column", "found:    5")
