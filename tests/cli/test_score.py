"""``zladder score`` gives strict JSON for every format, and exit code 2 for input it cannot use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from zladder.cli.main import main
from zladder.metrics.point import POINT_METRICS

Z_TRUE = np.array([0.5, 0.2, 1.0, 0.1, 0.3, 0.8, 0.6, 0.4, 1.5, 0.25])
DZ = np.array([-0.30, -0.02, -0.01, 0.005, 0.01, 0.015, 0.02, 0.03, 0.06, 1.20])
TEN = pd.DataFrame(
    {"u-g": Z_TRUE + DZ * (1 + Z_TRUE), "z spec": Z_TRUE, "name": list("abcdefghij")}
)
COLUMNS = ["--z-phot", "u-g", "--z-true", "z spec"]


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write the table as other programs would, in the format of its suffix."""
    if path.suffix in (".fits", ".vot"):
        kind = {".fits": "fits", ".vot": "votable"}[path.suffix]
        Table.from_pandas(frame).write(path, format=kind)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".hdf5":
        with h5py.File(path, "w") as file:
            for name, column in frame.select_dtypes("number").items():
                file[name] = column.to_numpy()
    else:
        frame.to_csv(path, index=False, sep="," if path.suffix == ".csv" else " ")
    return path


def score(capsys, path: Path, *options: str) -> dict:
    """Run the command; return its JSON, in which NaN and Infinity are not allowed."""
    assert main(["score", str(path), *options]) == 0

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    return json.loads(capsys.readouterr().out, parse_constant=refuse)


@pytest.fixture
def csv(tmp_path):
    return write(TEN, tmp_path / "ten.csv")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "fits", "hdf5", "vot", "txt", "dat"])
def test_every_format_gives_the_ten_objects(capsys, tmp_path, suffix):
    frame = TEN.rename(columns={"z spec": "z_spec"})
    path = write(frame, tmp_path / f"ten.{suffix}")
    result = score(capsys, path, "--z-phot", "u-g", "--z-true", "z_spec", "--bootstraps", "50")
    values = {metric_id: entry["value"] for metric_id, entry in result["metrics"].items()}
    assert set(values) == set(POINT_METRICS)
    assert round(values["bias_biweight"], 6) == 0.012727
    assert round(values["sigma_nmad"], 6) == 0.029652
    assert values["fout_15"] == 0.2
    assert (result["n_total"], result["n_used"], result["n_nonfinite"]) == (10, 10, 0)


def test_metrics_carry_intervals_and_the_threshold(capsys, csv):
    result = score(capsys, csv, *COLUMNS)
    assert (result["bootstraps"], result["seed"], result["convention"]) == (1000, 0, "hsc")
    for entry in result["metrics"].values():
        assert entry["lo95"] <= entry["lo68"] <= entry["hi68"] <= entry["hi95"]
        assert entry["se"] > 0
    assert result["metrics"]["fout_dc1"]["threshold"] == pytest.approx(0.075056, abs=5e-7)


def test_the_same_seed_gives_the_same_bytes(capsys, csv):
    runs = []
    for seed in ("7", "7", "8"):
        main(["score", str(csv), *COLUMNS, "--seed", seed, "--bootstraps", "30"])
        runs.append(capsys.readouterr().out)
    assert runs[0] == runs[1]
    assert runs[0].replace('"seed": 7', '"seed": 8') != runs[2]


def test_the_convention_orders_the_metrics(capsys, csv):
    result = score(capsys, csv, *COLUMNS, "--convention", "dc1", "--bootstraps", "20")
    assert list(result["metrics"])[:3] == ["bias_median", "sigma_iqr", "fout_dc1"]
    assert set(result["metrics"]) == set(POINT_METRICS)


def test_the_range_is_open_below_and_closed_above(capsys, csv):
    result = score(capsys, csv, *COLUMNS, "--range", "0.3", "1.5", "--bootstraps", "20")
    assert result["range"] == [0.3, 1.5]
    # 0.3 itself is out, 1.5 is in: 0.5 1.0 0.8 0.6 0.4 1.5 remain.
    numbers = [result[name] for name in ("n_total", "n_used", "n_nonfinite", "n_out_of_range")]
    assert numbers == [10, 6, 0, 4]
    expected = np.mean([-0.30, -0.01, 0.015, 0.02, 0.03, 0.06])
    assert result["metrics"]["bias_mean"]["value"] == pytest.approx(expected)


def test_the_table_to_read_is_aligned_and_on_stderr(capsys, csv):
    main(["score", str(csv), *COLUMNS, "--range", "0.15", "2", "--bootstraps", "20"])
    text = capsys.readouterr().err
    assert "u-g against z spec (0.15 < z spec <= 2)" in text
    assert "10 objects, 9 used, 0 not finite, 1 out of range" in text
    rows = [line for line in text.splitlines() if line.lstrip("* ").split(" ")[0] in POINT_METRICS]
    assert len(rows) == len(POINT_METRICS)
    assert len({len(row) for row in rows}) == 1
    assert rows[0].startswith("*  bias_biweight")
    assert "threshold of fout_dc1: 0.0" in text


def test_values_that_are_not_finite_are_counted(capsys, tmp_path):
    frame = TEN.copy()
    frame.loc[[1, 2], "u-g"] = [np.nan, np.inf]
    frame.loc[2, "z spec"] = np.nan
    for name in ("gaps.csv", "gaps.parquet"):
        result = score(capsys, write(frame, tmp_path / name), *COLUMNS, "--bootstraps", "20")
        assert (result["n_total"], result["n_used"], result["n_nonfinite"]) == (10, 8, 2)


def test_integers_are_numbers(capsys, tmp_path):
    path = write(pd.DataFrame({"zp": [0, 1, 2, 3], "zs": [0, 1, 2, 2]}), tmp_path / "ints.csv")
    result = score(capsys, path, "--z-phot", "zp", "--z-true", "zs", "--bootstraps", "20")
    assert result["metrics"]["mse_z"]["value"] == 0.25


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_objects_give_null_and_a_warning(capsys, tmp_path, n):
    frame = TEN.copy()
    frame.loc[n:, "u-g"] = np.nan
    path = write(frame, tmp_path / "few.csv")
    result = score(capsys, path, *COLUMNS)
    assert (result["n_used"], result["flags"]) == (n, ["too_few"])
    for entry in result["metrics"].values():
        assert set(entry.values()) == {None}
    main(["score", str(path), *COLUMNS])
    assert "warning: fewer than two objects" in capsys.readouterr().err


def test_collapsed_residuals_are_flagged(capsys, tmp_path):
    path = write(pd.DataFrame({"zp": Z_TRUE, "zs": Z_TRUE}), tmp_path / "same.csv")
    result = score(capsys, path, "--z-phot", "zp", "--z-true", "zs", "--bootstraps", "20")
    assert result["flags"] == ["collapsed"]
    assert result["metrics"]["sigma_nmad"]["value"] == 0


def test_uncertainties_add_their_outlier_rate(capsys, tmp_path):
    path = write(TEN.assign(err=0.1), tmp_path / "ten.csv")
    result = score(capsys, path, *COLUMNS, "--z-phot-std", "err", "--bootstraps", "20")
    assert result["metrics"]["fout_3sig"]["value"] == pytest.approx(0.2)
    assert result["z_phot_std"] == "err"


def refused(capsys, argv: list[str]) -> str:
    """Run the command, assert exit 2 and an empty stdout, return the message."""
    assert main(["score", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def spoil(column: str, row: int, value: object) -> pd.DataFrame:
    """Return the ten objects with one value changed, row from 1."""
    frame = TEN.astype({column: object})
    frame.loc[row - 1, column] = value
    return frame


BAD_TABLES = {
    "text in a number": (
        spoil("u-g", 4, "O.5"),
        ("bad.csv", "column 'u-g', row 4", "a number", "'O.5'"),
    ),
    "a sentinel": (
        spoil("u-g", 3, -99.0),
        ("bad.csv", "column 'u-g', row 3", "NaN where there is none", "-99 (1 such", "write NaN"),
    ),
    "a sentinel for the truth": (
        spoil("z spec", 10, 9999),
        ("bad.csv", "column 'z spec', row 10", "NaN where there is none", "9999 (1 such"),
    ),
    "no redshift": (
        spoil("z spec", 2, -1.5),
        ("bad.csv", "column 'z spec', row 2", "above -1", "-1.5", "divides by 1 + z_true"),
    ),
    "no rows": (TEN.iloc[:0], ("bad.csv", "rows", "at least one row", "none")),
    "a missing column": (
        TEN.rename(columns={"z spec": "zspec"}),
        ("bad.csv", "column 'z spec'", "u-g, zspec, name", "did you mean 'zspec'?"),
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_exit_with_2(capsys, tmp_path, case):
    frame, parts = BAD_TABLES[case]
    message = refused(capsys, [str(write(frame, tmp_path / "bad.csv")), *COLUMNS])
    for part in ("expected:", "found:", "hint:", *parts):
        assert part in message


@pytest.mark.parametrize("suffix", ["parquet", "fits", "hdf5"])
def test_truncated_files_exit_with_2(capsys, tmp_path, suffix):
    frame = pd.concat([TEN.drop(columns="name")] * 500)
    path = write(frame.rename(columns={"z spec": "z_spec"}), tmp_path / f"cut.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    argv = [str(path), "--z-phot", "u-g", "--z-true", "z_spec"]
    message = refused(capsys, argv)
    for part in (f"cut.{suffix}", "expected:", "found:", "hint:"):
        assert part in message


def test_a_missing_file_exits_with_2(capsys, tmp_path):
    message = refused(capsys, [str(tmp_path / "none.csv"), *COLUMNS])
    for part in ("none.csv", "a file", "no such file"):
        assert part in message


def test_an_unknown_suffix_exits_with_2(capsys, tmp_path):
    path = tmp_path / "ten.xls"
    path.write_text("u-g,z spec\n1,1\n")
    message = refused(capsys, [str(path), *COLUMNS])
    for part in ("ten.xls", "suffix", ".parquet", "'.xls'"):
        assert part in message


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--range", "1.5", "0.3"], ("--range", "LO < HI", "1.5 0.3")),
        (["--range", "nan", "1"], ("--range", "LO < HI", "nan 1")),
        (["--bootstraps", "1"], ("--bootstraps", "an integer of 2 or more", "1")),
        (["--seed", "-1"], ("--seed", "an integer of 0 or more", "-1")),
        (["--convention", "hcs"], ("convention", "one of dc1", "'hcs'", "did you mean 'hsc'?")),
    ],
)
def test_bad_options_exit_with_2(capsys, csv, options, parts):
    message = refused(capsys, [str(csv), *COLUMNS, *options])
    for part in parts:
        assert part in message


@pytest.mark.parametrize("value", [np.nan, -0.1, np.inf])
def test_an_uncertainty_must_be_there_for_every_object_used(capsys, tmp_path, value):
    frame = TEN.assign(err=0.1)
    frame.loc[6, "err"] = value
    path = write(frame, tmp_path / "err.csv")
    message = refused(capsys, [str(path), *COLUMNS, "--z-phot-std", "err"])
    for part in ("err.csv", "column 'err', row 7", "a finite uncertainty >= 0", f"{value:g}"):
        assert part in message
    frame.loc[6, "u-g"] = np.nan  # an object that is not used needs none
    score(capsys, write(frame, tmp_path / "unused.csv"), *COLUMNS, "--z-phot-std", "err")


def test_a_missing_option_and_no_command_exit_with_2(csv):
    for argv in (["score", str(csv), "--z-phot", "u-g"], []):
        with pytest.raises(SystemExit) as caught:
            main(argv)
        assert caught.value.code == 2


def test_the_installed_command_works(csv):
    command = [str(Path(sys.executable).parent / "zladder"), "score", str(csv), *COLUMNS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["metrics"]["fcat_1"]["value"] == 0.1
    assert "sigma_nmad" in done.stderr
