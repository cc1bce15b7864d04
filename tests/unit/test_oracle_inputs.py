"""Damaged inputs of the oracle: exit code 2, what is wrong and where, nothing left behind."""

from __future__ import annotations

import json

import compute_oracle
import numpy as np
import pandas as pd
import pytest
from mock_sky import settings

BANDS = ("g", "r", "i", "z", "y")
SDSS_BANDS = ("u", "g", "r", "i", "z")
BLOCKS = {
    "main": ("population", "sed", "dust", "sdss", "morphology"),
    "spectroscopic": ("population", "sed", "dust", "hsc", "spectroscopy"),
    "photometric": ("population", "sed", "dust", "hsc", "manyband"),
}


def told(kind: str) -> dict:
    """Return the settings of the program as the rule writes them."""
    sky = settings()
    block = sky["sdss" if kind == "main" else "hsc"]
    scale = {
        band: block["extinction_per_ebv"][band]
        for band in (SDSS_BANDS if kind == "main" else BANDS)
    }
    listed = {"dereddened": False, "extinction_per_ebv": scale}
    return {"kind": kind, "listed": listed, **{name: sky[name] for name in BLOCKS[kind]}}


def sample(kind: str, n: int = 6) -> pd.DataFrame:
    columns = {"object_id": 10 + np.arange(n), "split": "test"}
    for band in SDSS_BANDS if kind == "main" else BANDS:
        columns |= {f"mag_{band}": 18.0, f"extinction_{band}": 0.1}
    shapes = {"expRad_r": 2.0, "expAB_r": 0.5, "fracDeV_r": 0.3, "mag_err_r": 0.02}
    return pd.DataFrame({**columns, **(shapes if kind == "main" else {})})


def areas() -> pd.DataFrame:
    names = sorted(settings()["spectroscopy"]["programmes"])
    return pd.DataFrame({"programme": names, "area_deg2": 1.5})


def draws(n: int = 200) -> pd.DataFrame:
    columns = {"object_id": np.arange(n), "z_true": 0.5, "stored_ebv_mag": 0.02}
    columns |= {f"flux_{band}_njy": 1000.0 for band in BANDS}
    return pd.DataFrame({**columns, "usable": np.arange(n) % 2 == 0})


def compute(folder, kind: str, galaxies: pd.DataFrame, selection: pd.DataFrame | None) -> int:
    """Run the program as its rule does; every output lies in folder/out."""
    galaxies.to_parquet(folder / "sample.parquet")
    galaxies[["object_id", "split"]].to_parquet(folder / "dataset.parquet")
    options = []
    if selection is not None:
        options = ["--selection", str(folder / "selection.parquet")]
        selection.to_parquet(folder / "selection.parquet")
    out = folder / "out"
    return compute_oracle.main(
        ["--sample", str(folder / "sample.parquet"), "--datasets", str(folder / "dataset.parquet"),
         *options, "--settings", json.dumps(told(kind)), "--pdfs", str(out / "a.pdf.h5"),
         "--structure-pdfs", str(out / "b.pdf.h5"), "--sidecar", str(out / "a.json"),
         "--log", str(folder / "log" / "a.log")]
    )  # fmt: skip


GOOD = {"main": None, "spectroscopic": areas, "photometric": draws}
DAMAGED_SAMPLES = {
    "no extinction": ("main", lambda t: t.drop(columns="extinction_u"), "column 'extinction_u'"),
    "no shape": ("main", lambda t: t.drop(columns="expAB_r"), "column 'expAB_r'"),
    "a shape is missing": ("main", lambda t: t.assign(expRad_r=[1, 2, np.nan, 1, 1, 1]),
                           "nan of object 12"),
    "renamed magnitude": ("photometric", lambda t: t.rename(columns={"mag_i": "mag_i2"}),
                          "did you mean 'mag_i2'?"),
    "not observed": ("spectroscopic", lambda t: t.assign(mag_y=[18, np.nan, 18, 18, 18, 18.0]),
                     "nan of object 11"),
    "without flux": ("spectroscopic", lambda t: t.assign(mag_g=[18, 18, 18, 18, 18, np.inf]),
                     "inf of object 15"),
    "text": ("spectroscopic", lambda t: t.assign(mag_g="bright"), "column 'mag_g', row 1"),
}  # fmt: skip
DAMAGED_SELECTIONS = {
    "no table": ("spectroscopic", lambda _: None, "--selection"),
    "renamed area": ("spectroscopic", lambda t: t.rename(columns={"area_deg2": "area"}),
                     "column 'area_deg2'"),
    "renamed programme": ("spectroscopic", lambda t: t.rename(columns={"programme": "name"}),
                          "column 'programme'"),
    "unknown programme": ("spectroscopic", lambda t: t.replace("faint", "faintt"),
                          "did you mean 'faint'?"),
    "missing programme": ("spectroscopic", lambda t: t[t["programme"] != "red"], "'red' 0 times"),
    "doubled programme": ("spectroscopic", lambda t: pd.concat([t, t.iloc[:1]]),
                          "'bright' 2 times"),
    "no area": ("spectroscopic", lambda t: t.assign(area_deg2=[1, 1, 0, 1, 1.0]),
                "column 'area_deg2', row 3"),
    "negative area": ("spectroscopic", lambda t: t.assign(area_deg2=-1.0), "an area above 0"),
    "unknown area": ("spectroscopic", lambda t: t.assign(area_deg2=np.nan), "finite numbers"),
    "no identifiers": ("photometric", lambda t: t.drop(columns="object_id"), "column 'object_id'"),
    "renamed flux": ("photometric", lambda t: t.rename(columns={"flux_y_njy": "y"}),
                     "column 'flux_y_njy'"),
    "no redshift": ("photometric", lambda t: t.assign(z_true=np.nan), "column 'z_true'"),
    "usable in words": ("photometric", lambda t: t.assign(usable="yes"), "true or false"),
    "all usable": ("photometric", lambda t: t.assign(usable=True), "200 of 200 are true"),
    "none usable": ("photometric", lambda t: t.assign(usable=False), "0 of 200 are true"),
    "too few": ("photometric", lambda t: t.iloc[:50], "25 of 50 are true"),
    "another's table": ("photometric", lambda _: areas(), "column 'object_id'"),
}  # fmt: skip


def refused(folder, capsys, code: int, words: str) -> None:
    message = capsys.readouterr().err
    assert code == 2
    for part in ("bad input: ", "expected:", "found:", "hint:", words):
        assert part in message, message
    assert not list((folder / "out").glob("**/*")), "something was left behind"


@pytest.mark.parametrize("damage", DAMAGED_SAMPLES)
def test_a_damaged_sample_is_refused(tmp_path, capsys, damage):
    kind, change, words = DAMAGED_SAMPLES[damage]
    selection = GOOD[kind]
    code = compute(tmp_path, kind, change(sample(kind)), selection() if selection else None)
    refused(tmp_path, capsys, code, words)


@pytest.mark.parametrize("damage", DAMAGED_SELECTIONS)
def test_a_damaged_selection_is_refused(tmp_path, capsys, damage):
    kind, change, words = DAMAGED_SELECTIONS[damage]
    code = compute(tmp_path, kind, sample(kind), change(GOOD[kind]()))
    refused(tmp_path, capsys, code, words)
