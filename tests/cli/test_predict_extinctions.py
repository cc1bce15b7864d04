"""``zladder predict`` and Galactic dust: subtracted only where the run was trained so."""

from __future__ import annotations

import pandas as pd
import pytest

from tests import toys
from tests.predicting import SURVEY, own_table, refused


def test_extinctions_that_the_run_does_not_use_need_not_be_there(predict, tmp_path):
    own_table(tmp_path / "own.csv")
    mapped = SURVEY.replace("  mag_i: i", "  mag_i: i\n  extinction_i: nowhere")
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    code, message, _ = predict(tmp_path / "own.csv", "--survey", str(tmp_path / "own.yaml"))
    assert code == 0, message
    assert "extinction" not in message


def reddened(frame):
    """Return the galaxies behind 0.3, 0.2, 0.1 mag of dust in g, r, i."""
    extinctions = {f"extinction_{band}": 0.1 * (3 - i) for i, band in enumerate(toys.BANDS)}
    dimmed = {f"mag_{band}": frame[f"mag_{band}"] + extinctions[f"extinction_{band}"]
              for band in toys.BANDS}  # fmt: skip
    return frame.assign(**dimmed, **extinctions)


def test_a_dereddened_run_subtracts_the_extinctions(predict, tmp_path, dereddened):
    frame = toys.galaxies(20, seed=9).drop(columns="z_true_kind")
    reddened(frame).to_csv(tmp_path / "dusty.csv", index=False)
    frame.assign(**dict.fromkeys(["extinction_g", "extinction_r", "extinction_i"], 0.0)).to_csv(
        tmp_path / "clear.csv", index=False
    )
    code, message, out = predict(tmp_path / "dusty.csv", run_name=dereddened)
    assert code == 0, message
    assert "extinction_{band} was subtracted" in message.splitlines()[0]
    dusty = pd.read_parquet(out)
    clear = pd.read_parquet(predict(tmp_path / "clear.csv", run_name=dereddened)[2])
    pd.testing.assert_frame_equal(dusty, clear, rtol=1e-5)
    assert dusty["mag_g"].to_numpy() == pytest.approx(frame["mag_g"].to_numpy(), abs=1e-4)


def test_a_run_that_is_not_dereddened_subtracts_nothing(predict, tmp_path):
    frame = reddened(toys.galaxies(20, seed=9).drop(columns="z_true_kind"))
    frame.to_csv(tmp_path / "dusty.csv", index=False)
    code, message, out = predict(tmp_path / "dusty.csv")
    assert code == 0
    assert "extinction" not in message
    magnitudes = pd.read_parquet(out)["mag_g"].to_numpy()
    assert magnitudes == pytest.approx(frame["mag_g"].to_numpy(), abs=1e-4)


def test_a_dereddened_run_refuses_a_table_without_extinctions(predict, tmp_path, dereddened):
    frame = reddened(toys.galaxies(20).drop(columns=["z_true_kind"])).drop(columns="extinction_r")
    frame.to_csv(tmp_path / "t.csv", index=False)
    outcome = predict(tmp_path / "t.csv", run_name=dereddened)
    refused(outcome, "t.csv: column 'extinction_r'", "the Galactic extinction in mag",
            "no such column", "hint:     add the columns extinction_{band}, or")  # fmt: skip
    assert "deredden: false" not in outcome[1]


def test_a_dereddened_run_refuses_a_map_without_extinctions(predict, tmp_path, dereddened):
    own_table(tmp_path / "own.csv")
    (tmp_path / "own.yaml").write_text(SURVEY, encoding="utf-8")
    options = ("--survey", str(tmp_path / "own.yaml"))
    outcome = predict(tmp_path / "own.csv", *options, run_name=dereddened)
    refused(outcome, "own.yaml: column 'extinction_g'", "the Galactic extinction in mag",
            "no such column", "map it to a column of the table")  # fmt: skip
    mapped = SURVEY.replace("  mag_i: i", "  mag_i: i\n  extinction_g: a\n  extinction_r: a\n"
                            "  extinction_i: a")  # fmt: skip
    (tmp_path / "own.yaml").write_text(mapped, encoding="utf-8")
    refused(predict(tmp_path / "own.csv", *options, run_name=dereddened), "own.csv: column 'a'")
