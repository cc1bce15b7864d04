"""On the built ladder nothing leaks, and every study stands against label and truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from zladder.config.names import AT_CHANCE, LEAK
from zladder.evaluate.truth import true_redshifts
from zladder.pdf.pdf_file import read_pdfs
from zladder.pdf.scores import pit

if TYPE_CHECKING:
    from tests.checkout import Checkout

pytestmark = pytest.mark.timeout(900)
FALSE_ALARMS = 1e-3  # of each oracle on each dataset
STUDIES = ("transfer", "main_sample", "label_efficiency", "class_residuals")


def metrics(climbed: Checkout, name: str) -> pd.DataFrame:
    return pd.read_parquet(climbed.folder / "results/mock-test/metrics" / f"{name}.parquet")


def test_no_model_that_sees_photometry_beats_the_oracle(climbed: Checkout) -> None:
    # all comparisons of all studies together go off by mistake in at most 1 % of skies
    folder = climbed.folder / "results/mock-test"
    oracles = {path.name.split(".")[0] for path in folder.glob("predictions/*.oracle-s0.parquet")}
    for study in oracles:
        found = metrics(climbed, f"{study}/leaks")
        assert (found["verdict"] != LEAK).all(), found[found["verdict"] == LEAK].to_string()
        assert (found[found["sees"] == "photometry"]["n"] > 0).all()


def test_every_oracle_is_calibrated_against_the_truth(climbed: Checkout) -> None:
    folder = climbed.folder / "results/mock-test"
    found = {}
    for path in sorted(folder.glob("predictions/*.oracle*-s0.parquet")):
        table = pd.read_parquet(path)
        pdfs = read_pdfs(path.with_name(f"{path.stem}.pdf.h5"))
        z = true_redshifts(folder / "survey/truth.parquet", table["object_id"].to_numpy())
        cdf = np.pad(np.cumsum(pdfs.pmf.astype(float), axis=1), ((0, 0), (1, 0)))
        for dataset, rows in table[table["split"] == "test"].groupby("dataset"):
            known = np.isfinite(z) & (z < pdfs.edges[-1]) & np.isfinite(cdf[:, -1])
            some = rows.index[known[rows.index]]
            values = pit(pdfs.edges, cdf[some], z[some])
            found[path.name, dataset] = (len(values), float(kstest(values, "uniform").pvalue))
    assert found
    assert all(n > 50 and p > FALSE_ALARMS for n, p in found.values()), found


def test_identifiers_order_and_position_tell_no_redshift(climbed: Checkout) -> None:
    # as above: they are of the same family
    samples = ("mock_specz", "mock_photoz", "mock_main")
    found = pd.concat([metrics(climbed, f"{name}/side_information") for name in samples])
    assert (found["verdict"] == AT_CHANCE).all(), found[found["verdict"] == LEAK].to_string()
    assert set(found["sample"]) == set(samples)


@pytest.mark.parametrize("study", STUDIES)
def test_labels_of_the_main_sample_are_the_truth_and_those_of_photoz_are_not(
    climbed: Checkout, study: str
) -> None:
    found = metrics(climbed, f"{study}/truth_scores")
    assert (found["n_used"] > 0).all()
    keys = ["dataset", "method", "metric"]
    value = found.set_index([*keys, "against"])["value"]
    differs = (value.xs("label", level="against") - value.xs("truth", level="against")).abs()
    for dataset, rows in differs.groupby("dataset"):
        if dataset == "photoz":
            assert rows.max() > 1e-3
        elif str(dataset).startswith("main"):
            # redshifts are measured to 1e-5; shares of galaxies beyond a limit go in steps of 1 / n
            n_used = found.loc[found["dataset"] == dataset, "n_used"].min()
            assert np.nanmax(rows) <= max(2e-4, 1.5 / n_used)


def test_the_pages_of_numbers_show_it(climbed: Checkout) -> None:
    for study in STUDIES:
        text = (climbed.folder / f"results/mock-test/report/{study}.numbers.html").read_text(
            "utf-8"
        )
        assert "Against the label and against the truth" in text
        assert "Leak alarm" in text
        assert "LEAK" not in text
