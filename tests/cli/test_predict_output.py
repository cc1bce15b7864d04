"""Where the answers of ``zladder predict`` go: the formats, and a file that cannot be written."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from tests import toys
from tests.predicting import refused
from zladder.cli import predict as predict_module
from zladder.tables.read import read_table
from zladder.tables.units import read_units


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


def test_csv_is_no_output(predict, tmp_path):
    toys.galaxies(10).drop(columns="z_true_kind").to_csv(tmp_path / "t.csv", index=False)
    refused(predict(tmp_path / "t.csv", output="out.csv"), ".parquet, .fits, .vot")


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
