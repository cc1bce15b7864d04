"""The shipped surveys with ``zladder predict``: tables without labels, headers against names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests import toys
from tests.predicting import refused, trained

ROOT = Path(__file__).resolve().parents[2]
UNASKED = ("z_true", "extinction_", "psf_fwhm_arcsec_")  # a table of one's own may lack them


def unlabelled(survey_name):
    """Return a shipped survey's file, its settings, and a table of native columns, no labels."""
    file = ROOT / f"config/surveys/{survey_name}.yaml"
    survey = yaml.safe_load(file.read_text(encoding="utf-8"))
    frame = toys.galaxies(12, seed=9)
    own = {}
    for name, native in survey["columns"].items():
        if isinstance(native, str) and not name.startswith(UNASKED):
            like = name[:-1] + "i" if name.startswith("mag_") else name
            own[native] = frame.get(name, frame[like])
    return file, survey, pd.DataFrame(own)


@pytest.mark.parametrize("survey_name", ["sdss_mgs", "galaxiesml", "mock_sdss"])
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
