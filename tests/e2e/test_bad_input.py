"""Bad input: exit code 2, one message with file, place, expected, found and hint, nothing left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import build_dataset
import crossmatch
import numpy as np
import pandas as pd
import pytest
import read_catalog
import train_network
from astropy.table import Table

SURVEY: dict[str, Any] = {
    "name": "own",
    "bands": ["u", "g"],
    "file_format": "csv",
    "columns": {"object_id": "id", "z_true": "z", "mag_u": "u", "mag_g": "g"},
    "extra_columns": ["u-g"],
    "sentinels": {"-9999": "not_observed"},
    "kind": "spec",
}


def rows(n: int = 5) -> pd.DataFrame:
    u = 20.0 + 0.001 * np.arange(n)
    columns = {"id": np.arange(n) + 2**60, "z": 0.1 + 1e-4 * np.arange(n), "u": u, "g": u - 1}
    return pd.DataFrame(columns).assign(**{"u-g": 1.0})


def read(tmp_path: Path, path: Path, **changes: Any) -> int:
    """Run read_catalog as its rule does; every output lies in tmp_path/out."""
    survey = {**SURVEY, **changes}
    out = tmp_path / "out"
    return read_catalog.main(
        ["--files", str(path), "--parts", "all", "--survey", json.dumps(survey),
         "--catalog", str(out / "own.parquet"), "--sidecar", str(out / "own.json"),
         "--log", str(tmp_path / "log" / "own.log")]
    )  # fmt: skip


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, *words: str) -> None:
    """Assert the contract of bad input."""
    message = capsys.readouterr().err
    assert code == 2
    assert message.count("bad input: ") == 1
    for word in ("expected:", "found:", "hint:", *words):
        assert word in message, f"{word!r} is not in:\n{message}"
    assert not list((tmp_path / "out").glob("**/*")), "something was left behind"


def written(tmp_path: Path, frame: pd.DataFrame) -> Path:
    path = tmp_path / "own.csv"
    frame.to_csv(path, index=False)
    return path


def test_good_table_with_a_column_named_u_minus_g_passes(tmp_path: Path) -> None:
    assert read(tmp_path, written(tmp_path, rows())) == 0
    catalog = pd.read_parquet(tmp_path / "out" / "own.parquet")
    assert catalog["object_id"].tolist() == (np.arange(5) + 2**60).tolist()
    assert catalog["u-g"].tolist() == [1.0] * 5
    sidecar = json.loads((tmp_path / "out" / "own.json").read_text(encoding="utf-8"))
    assert (sidecar["counts"]["rows_in"], sidecar["counts"]["rows_out"]) == (5, 5)


def test_missing_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, rows().rename(columns={"u": "umag"}))
    refused(tmp_path, capsys, read(tmp_path, path), "own.csv", "'u'", "umag")


def test_undeclared_sentinel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rows()
    frame.loc[2, "g"] = -99.0
    code = read(tmp_path, written(tmp_path, frame))
    refused(tmp_path, capsys, code, "'g'", "row 3", "-99", "sentinels")


def test_undeclared_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rows()
    frame.loc[1, "u"] = np.nan
    refused(tmp_path, capsys, read(tmp_path, written(tmp_path, frame)), "'u'", "row 2", "nan")


def test_declared_sentinel_passes(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[2, "g"] = -9999
    assert read(tmp_path, written(tmp_path, frame)) == 0
    assert pd.read_parquet(tmp_path / "out" / "own.parquet")["mag_g"].isna().sum() == 1


def test_text_in_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rows().astype({"u": object})
    frame.loc[3, "u"] = "bright"
    refused(tmp_path, capsys, read(tmp_path, written(tmp_path, frame)), "row 4", "bright")


def test_empty_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(tmp_path, capsys, read(tmp_path, written(tmp_path, rows(0))), "own.csv")


def test_duplicate_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rows()
    frame.loc[4, "id"] = frame.loc[0, "id"]
    refused(tmp_path, capsys, read(tmp_path, written(tmp_path, frame)), str(2**60))


@pytest.mark.parametrize("suffix", ["parquet", "fits"])
def test_truncated_file(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"own.{suffix}"
    frame = rows(3000)
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        Table({name: frame[name].to_numpy() for name in frame}).write(path)
    assert read(tmp_path, path, file_format=suffix) == 0
    for made in (tmp_path / "out").iterdir():
        made.unlink()
    path.write_bytes(path.read_bytes()[:-2000])
    refused(tmp_path, capsys, read(tmp_path, path, file_format=suffix), f"own.{suffix}")


def test_positions_are_needed_for_a_match(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels, photometry = tmp_path / "labels.parquet", tmp_path / "photometry.parquet"
    pd.DataFrame({"object_id": [1], "z_true": [0.1]}).to_parquet(labels)
    pd.DataFrame({"object_id": [1], "ra": [10.0], "dec": [0.0]}).to_parquet(photometry)
    code = crossmatch.main(
        ["--left", str(labels), "--right", str(photometry), "--radius-arcsec", "1",
         "--output", str(tmp_path / "out" / "match.parquet")]
    )  # fmt: skip
    refused(tmp_path, capsys, code, "labels.parquet", "ra")


def dataset(tmp_path: Path, **changes: Any) -> Path:
    """Write a dataset of 40 galaxies, 10 a split."""
    n = 40
    columns = {
        "object_id": np.arange(n), "z_true": np.linspace(0.1, 1.0, n),
        "mag_g": np.linspace(18, 22, n), "mag_r": np.linspace(17.5, 21, n) ** 1.01,
        "split": np.repeat(["train", "validation", "calibration", "test"], 10),
        "fraction_rank": np.linspace(0, 0.99, n),
    }  # fmt: skip
    path = tmp_path / "own.parquet"
    pd.DataFrame({**columns, **changes}).to_parquet(path)
    return path


CARD = {
    "run": "own.net-s0",
    "data": {"dataset": "own", "label_fraction": 1.0},
    "inputs": {"bands": ["g", "r"], "dereddened": False, "colours": False},
    "label_range_z": [0.0, 4.0],
    "input_scaling": "min_max",
    "fitted_output": False,
    "seed": 1,
    "model": {"kind": "mlp", "hidden": [4], "activation": "relu", "input_skip": True, "members": 1},
    "loss": {"name": "tanaka", "gamma": 0.15},
    "optimizer": {"learning_rate": 1e-3, "weight_decay": 0.0},
    "schedule": {"epochs": 2, "patience": 2, "batch_size": 5, "decay": "constant"},
    "parent": None,
    "trainable": "all",
    "precision": "float32",
}


def train(tmp_path: Path, path: Path) -> int:
    out = tmp_path / "out"
    return train_network.main(
        ["--dataset", str(path), "--card-json", json.dumps(CARD),
         "--resume-folder", str(tmp_path / "resume"), "--weights", str(out / "w.safetensors"),
         "--card", str(out / "card.json"), "--history", str(out / "history.csv"),
         "--log", str(tmp_path / "log" / "train.log")]
    )  # fmt: skip


def test_label_outside_the_range_at_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    z_true = np.linspace(0.1, 1.0, 40)
    z_true[3] = 7.5
    path = dataset(tmp_path, z_true=z_true)
    refused(tmp_path, capsys, train(tmp_path, path), "own.parquet", "z_true", "7.5", "object_id 3")


def test_test_object_inside_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = np.arange(40)
    ids[35] = 2
    path = dataset(tmp_path, object_id=ids)
    refused(tmp_path, capsys, train(tmp_path, path), "own.parquet", "object_id", "the first is 2")


def test_second_attempt_on_the_same_input_ends_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dataset(tmp_path, z_true=np.full(40, -3.0))
    refused(tmp_path, capsys, train(tmp_path, path), "z_true")
    monkeypatch.setattr("zladder.train.network.train_network", None)  # not to be reached again
    assert train(tmp_path, path) == 2
    assert "not tried again" in capsys.readouterr().err


def test_dataset_whose_shares_do_not_add_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "own.parquet"
    pd.DataFrame({"object_id": [1, 2], "z_true": [0.1, 0.2], "part": "all"}).to_parquet(sample)
    settings = {
        "splits": {"train": 0.5, "validation": 0.2, "calibration": 0.2, "test": 0.2},
        "sky_cell_order": 13, "given_parts": {}, "master_seed": 1,
    }  # fmt: skip
    out = tmp_path / "out"
    code = build_dataset.main(
        ["--samples", str(sample), "--settings", json.dumps(settings),
         "--dataset", str(out / "own.parquet")]
    )  # fmt: skip
    refused(tmp_path, capsys, code, "splits", "1.1")


@pytest.mark.parametrize("missing", [{"ra": [4]}, {"dec": [7]}, {"ra": [4, 9], "dec": [4]}])
def test_galaxies_without_a_position_in_a_sample_that_has_positions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: dict[str, list[int]]
) -> None:
    table = pd.DataFrame({"object_id": np.arange(40), "z_true": 0.1, "part": "all"})
    table = table.assign(ra=np.linspace(10.0, 50.0, 40), dec=np.linspace(-5.0, 5.0, 40))
    whole, holed = tmp_path / "whole.parquet", tmp_path / "holed.parquet"
    table.assign(object_id=np.arange(40) + 100, ra=table["ra"] + 90).to_parquet(whole)
    for name, rows_without in missing.items():
        table.loc[rows_without, name] = np.nan
    table.to_parquet(holed)
    settings = {
        "splits": {"train": 0.4, "validation": 0.2, "calibration": 0.2, "test": 0.2},
        "sky_cell_order": 13, "given_parts": {}, "master_seed": 1, "label_draws": 1,
        "photometry": {"whole": "own", "holed": "own"}, "conventions": [],
        "duplicate_radius_arcsec": 1.0, "pair_radius_arcsec": 3.0,
    }  # fmt: skip
    code = build_dataset.main(
        ["--samples", str(whole), str(holed), "--settings", json.dumps(settings),
         "--dataset", str(tmp_path / "out" / "own.parquet")]
    )  # fmt: skip
    rows_without = sorted(set().union(*missing.values()))
    row, n_such = rows_without[0] + 1, f"({len(rows_without)} such rows)"
    refused(tmp_path, capsys, code, "holed.parquet", f"row {row}", n_such, "finite: [ra, dec]")
