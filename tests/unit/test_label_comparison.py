"""The comparison of many-band labels with the truth, by hand and on the mock sky."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mock_sky import large_sky

from zladder.config.names import INDEPENDENT, SHARED
from zladder.evaluate.label_comparison import compare_labels, error_correlation, of_blends
from zladder.provenance.errors import BadInput
from zladder.survey.catalogues import write_native

NAMES = ("cosmos", "hsc", "cosmos_other_noise", "truth")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("labels")
    paths = {name: folder / name for name in NAMES}
    write_native(large_sky(), paths)
    return list(paths.values())


def test_both_cases_of_one_sky(files: list[Path]):
    table = compare_labels(*files, shares_hsc_noise=True).set_index("case")
    assert list(table.index) == [SHARED, INDEPENDENT]
    assert list(table["in_catalogue"]) == [True, False]
    assert table.loc[SHARED, "n"] == 2000  # those asked for; flagged blends are not among them
    assert table["n"].between(1800, 2200).all()
    assert table["sigma_nmad"].between(0.01, 0.03).all()
    assert table["fout_15"].between(0.002, 0.05).all()
    assert (table["bias_mean"].abs() < 0.02).all()
    # R squared of independent errors scatters by 0.005 about 0 with 10 bins of 200 galaxies, and
    # of shared ones is near 0.02: the difference itself is tested on fluxes, where it is large
    assert table.loc[SHARED, "error_correlation"] > 0.1
    assert table.loc[SHARED, "error_correlation"] > table.loc[INDEPENDENT, "error_correlation"]


def test_metrics_are_those_of_the_usable_labels(files: list[Path]):
    sky = large_sky()
    other = sky["cosmos_other_noise"].merge(sky["truth"], left_on="ID", right_on="cosmos_id")
    hsc = sky["hsc"].set_index("object_id")
    listed = other["object_id"].isin(hsc.index)
    seen = hsc.reindex(other["object_id"])
    whole = (seen["i_extendedness_value"] == 1) & (seen["i_blendedness_abs"] < 0.42)
    assert (listed & ~whole.to_numpy() & other["usable"]).sum() > 10  # so that the flags count
    used = other[other["usable"] & ~other["is_star"] & whole.to_numpy()]
    dz = (used["lp_zPDF"] - used["z_true"]) / (1 + used["z_true"])
    row = compare_labels(*files, shares_hsc_noise=True).set_index("case").loc[INDEPENDENT]
    assert row["n"] == len(used)
    assert row["bias_mean"] == pytest.approx(dz.mean(), rel=1e-5)
    assert row["fout_15"] == pytest.approx((dz.abs() > 0.15).mean(), rel=1e-6)
    clean = used["manyband_blended_share"] == 0
    assert row["fout_15_unblended"] == pytest.approx((dz[clean].abs() > 0.15).mean(), rel=1e-6)
    assert row["blended"] == pytest.approx(1 - clean.mean())
    assert 0.04 < row["blended"] < 0.08
    assert row["fout_15_unblended"] < row["fout_15"]  # most failures are blends


def test_blends_among_the_outliers_by_hand():
    z = np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    off = np.array([0.0, 0.0, 0.16, -0.16, 0.16])
    blended = np.array([False, True, True, False, True])
    found = of_blends(z + off * (1 + z), z, blended)
    assert found == {"blended": 0.6, "fout_15_unblended": 0.5, "outliers_blended": 2 / 3}
    none = of_blends(z, z, np.ones(5, dtype=bool))
    assert none["blended"] == 1.0
    assert np.isnan([none["fout_15_unblended"], none["outliers_blended"]]).all()


def test_the_switch_names_the_catalogues_case(files: list[Path]):
    table = compare_labels(*files, shares_hsc_noise=False).set_index("case")
    assert list(table["in_catalogue"]) == [False, True]


def test_files_of_different_skies_are_refused(files: list[Path], tmp_path: Path):
    other = pd.read_parquet(files[2])
    other.iloc[1:].to_parquet(tmp_path / "other")
    with pytest.raises(BadInput) as caught:
        compare_labels(*files[:2], tmp_path / "other", files[3], shares_hsc_noise=True)
    assert caught.value.place == "ID"
    assert caught.value.file == str(tmp_path / "other")


def test_the_correlation_is_that_of_the_explained_variance():
    # dz = 0.02 (0.6 noise + 0.8 other), with a sign that turns with redshift: R = 0.6
    rng = np.random.default_rng(1)
    z = np.sort(rng.uniform(0.2, 2.0, 8000))
    noise = rng.normal(size=(8000, 5))
    sign = np.where(z > 1.0, -1.0, 1.0)
    dz = 0.02 * (0.6 * sign * noise[:, 2] + 0.8 * rng.normal(size=8000))
    assert error_correlation(z + dz * (1 + z), z, noise) == pytest.approx(0.6, abs=0.03)
    # without a link R squared is 0 +- 0.001
    unrelated = 0.02 * rng.normal(size=8000)
    assert abs(error_correlation(z + unrelated * (1 + z), z, noise)) < 0.06


def test_too_few_galaxies_have_no_correlation():
    assert np.isnan(error_correlation(np.ones(9), np.ones(9), np.zeros((9, 5))))
