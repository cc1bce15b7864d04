"""The cross-match by hand: formats, columns, units, bad input, and what a kill leaves behind."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import crossmatch
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

import zladder.catalogs.match_read as reading

ARCSEC = 1 / 3600
ROOT = Path(__file__).resolve().parents[2]
N = 50


def left_frame():
    return pd.DataFrame({"ra": np.linspace(10, 11, N), "dec": np.linspace(-1, 1, N)})


def right_frame():
    """Return the left positions turned around, each 0.3 arcsec to the north."""
    frame = left_frame()[::-1].reset_index(drop=True)
    return frame.assign(dec=frame["dec"] + 0.3 * ARCSEC)


def write(frame, path, units=None, **header):
    """Write a table by its suffix; units of columns, words of a header or schema."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".fits":
        table = Table.from_pandas(frame)
        for name, unit in (units or {}).items():
            table[name].unit = unit
        hdu = fits.table_to_hdu(table)
        hdu.header.update(header)
        hdu.writeto(path)
    else:
        texts = frame.select_dtypes(object)
        frame = frame.assign(**{name: texts[name].map(str) for name in texts})
        fields = [pa.field(name, pa.array(frame[name]).type,
                           metadata={"unit": units[name]} if name in (units or {}) else None)
                  for name in frame]  # fmt: skip
        table = pa.table([pa.array(frame[name]) for name in frame], schema=pa.schema(fields))
        pq.write_table(table.replace_schema_metadata(header or None), path)
    return path


def match(folder, left, right, *more):
    """Run the program; return its exit code."""
    output = folder / "out" / "m.parquet"
    return crossmatch.main(["--left", str(left), "--right", str(right), "--radius-arcsec", "1",
                            "--output", str(output), *map(str, more)])  # fmt: skip


def found(folder):
    """Return pairs and quality."""
    quality = json.loads((folder / "out" / "m.quality.json").read_text(encoding="utf-8"))
    return pd.read_parquet(folder / "out" / "m.parquet"), quality


def refused(folder, capsys, code, *words):
    message = capsys.readouterr().err
    assert code == 2, message
    for word in ("bad input: ", "expected:", "found:", "hint:", *words):
        assert word in message, f"{word!r} is not in:\n{message}"
    assert not list((folder / "out").glob("**/*")), "something was left behind"


@pytest.mark.parametrize("suffix_left", [".parquet", ".fits", ".csv"])
@pytest.mark.parametrize("suffix_right", [".parquet", ".fits", ".csv"])
def test_any_two_formats_give_the_same_pairs(tmp_path, suffix_left, suffix_right):
    left = write(left_frame(), tmp_path / f"l{suffix_left}")
    right = write(right_frame(), tmp_path / f"r{suffix_right}")
    sidecar = tmp_path / "out" / "m.json"
    assert match(tmp_path, left, right, "--sidecar", sidecar) == 0
    pairs, quality = found(tmp_path)
    assert pairs.columns.tolist() == ["left_index", "right_index", "separation_arcsec"]
    assert pairs["left_index"].tolist() == list(range(N))
    assert pairs["right_index"].tolist() == list(range(N))[::-1]
    np.testing.assert_allclose(pairs["separation_arcsec"], 0.3, rtol=1e-6)
    told = json.loads(sidecar.read_text(encoding="utf-8"))
    assert told["quality"] == quality
    assert told["counts"]["n_matched"] == N


@pytest.mark.parametrize("batch_rows", [7, 10_000])
@pytest.mark.parametrize("turned", [False, True])
def test_rows_are_those_of_the_file_whichever_side_streams(
    tmp_path, monkeypatch, batch_rows, turned
):
    """Rows without a position and those that are not asked for are counted, not shifted over."""
    monkeypatch.setattr(reading, "BATCH_ROWS", batch_rows)
    left, right = left_frame(), right_frame()
    left = pd.concat([left, left.assign(ra=left["ra"] + 50)], ignore_index=True)  # the bigger one
    left.loc[[3, 60], "ra"] = np.nan
    right["keep"] = np.arange(N) % 2
    names = ("l", "r") if not turned else ("r", "l")
    paths = {"l": write(left, tmp_path / "l.parquet"), "r": write(right, tmp_path / "r.parquet")}
    side = "left" if turned else "right"
    more = ["--skip-unplaced", f"--{side}-keep", "keep == 1"]
    assert match(tmp_path, *(paths[name] for name in names), *more) == 0
    pairs, quality = found(tmp_path)
    if turned:
        pairs = pairs.rename(columns={"left_index": "right_index", "right_index": "left_index"})
    wanted = [k for k in range(N) if (N - 1 - k) % 2 and k != 3]
    assert sorted(pairs["left_index"]) == wanted
    assert (pairs["right_index"] == N - 1 - pairs["left_index"]).all()
    other = {"left": "right", "right": "left"}[side]
    assert quality["counts"][f"n_{other}_without_position"] == 2
    assert quality["counts"][f"n_{side}_not_candidates"] == N // 2
    counts = quality["counts"]
    lost = ("not_candidates", "without_position")
    assert counts["n_left"] == (sum(counts[f"n_left_{what}"] for what in lost)
                                + counts["n_no_neighbour"] + counts["n_matched"])  # fmt: skip


@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
def test_declared_units_are_converted(tmp_path, suffix):
    frame = right_frame()
    frame = pd.DataFrame(
        {"RAJ": np.deg2rad(frame["ra"]), "DEJ": np.deg2rad(frame["dec"]), "e": 200.0}
    )
    units = {"RAJ": "rad", "DEJ": "rad", "e": "mas"}
    right = write(frame, tmp_path / f"r{suffix}", units)
    left = write(left_frame().assign(s=0.3), tmp_path / f"l{suffix}", {"ra": "deg", "dec": "deg"})
    more = ["--right-ra", "RAJ", "--right-dec", "DEJ", "--right-error", "e", "--left-error", "s"]
    assert match(tmp_path, left, right, *more) == 0
    pairs, quality = found(tmp_path)
    np.testing.assert_allclose(pairs["separation_arcsec"], 0.3, rtol=1e-6)
    np.testing.assert_allclose(pairs["separation_sigma"], 0.3 / np.hypot(0.2, 0.3), rtol=1e-6)
    assert quality["warnings"] == []


def test_what_looks_like_radians_is_warned_of(tmp_path):
    frame = right_frame()
    frame = frame.assign(ra=np.deg2rad(frame["ra"]), dec=np.deg2rad(frame["dec"]))
    left, right = write(left_frame(), tmp_path / "l.csv"), write(frame, tmp_path / "r.csv")
    assert match(tmp_path, left, right) == 0
    [warning] = found(tmp_path)[1]["warnings"]
    assert "r.csv" in warning
    assert "may be radians" in warning
    # The same numbers, declared as degrees, are a small field near the origin, far from the left.
    right = write(frame, tmp_path / "r.parquet", {"ra": "deg", "dec": "deg"})
    assert match(tmp_path, left, right) == 0
    [warning] = found(tmp_path)[1]["warnings"]
    assert "radians" not in warning


def test_right_ascensions_west_of_zero_are_wrapped_and_counted(tmp_path):
    left = pd.DataFrame({"ra": [-0.0001, -180.0, 360.0, 0.0], "dec": [0.0, 5.0, 9.0, -9.0]})
    right = pd.DataFrame({"ra": [359.9999, 180.0, 0.0, 0.0], "dec": [0.0, 5.0, 9.0, -9.0]})
    paths = write(left, tmp_path / "l.parquet"), write(right, tmp_path / "r.parquet")
    assert match(tmp_path, *paths) == 0
    pairs, quality = found(tmp_path)
    assert pairs["right_index"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(pairs["separation_arcsec"], 0, atol=1e-6)
    counts = quality["counts"]
    assert (counts["n_left_ra_wrapped"], counts["n_right_ra_wrapped"]) == (2, 0)


def changed(row, **values):
    frame = right_frame()
    for name, value in values.items():
        frame[name] = frame[name].astype(object) if isinstance(value, str) else frame[name]
        frame.loc[row, name] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (right_frame().rename(columns={"ra": "RA"}), ["column 'ra'", "did you mean 'RA'?"]),
        (changed(30, dec=90.01), ["column 'dec', row 31", "90.01"]),
        (changed(30, dec=-91.0), ["column 'dec', row 31"]),
        (changed(30, ra=360.01), ["column 'ra', row 31"]),
        (changed(30, ra=-180.01), ["column 'ra', row 31"]),
        (changed(30, ra=np.nan), ["column 'ra', row 31", "--skip-unplaced"]),
        (changed(30, dec=np.inf), ["column 'dec', row 31", "inf"]),
        (changed(30, ra="east"), ["column 'ra', row 31", "a number", "'east'"]),
        (right_frame()[:0], ["rows", "at least one row"]),
    ],
)
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_bad_input_names_file_column_and_row(tmp_path, capsys, monkeypatch, suffix, frame, words):
    monkeypatch.setattr(reading, "BATCH_ROWS", 13)
    bad = write(frame, tmp_path / f"bad{suffix}")
    good = write(left_frame(), tmp_path / "good.csv")
    for sides in ((good, bad), (bad, good)):
        refused(tmp_path, capsys, match(tmp_path, *sides), f"bad{suffix}", *words)


def test_infinity_is_no_missing_position(tmp_path, capsys):
    bad = write(changed(30, dec=np.inf), tmp_path / "bad.parquet")
    good = write(left_frame(), tmp_path / "good.csv")
    code = match(tmp_path, good, bad, "--skip-unplaced")
    refused(tmp_path, capsys, code, "bad.parquet", "column 'dec', row 31")


@pytest.mark.parametrize("value", [np.nan, 0.0, -0.1, np.inf])
def test_errors_that_are_none(tmp_path, capsys, value):
    bad = write(
        right_frame().assign(e=np.where(np.arange(N) == 7, value, 0.1)), tmp_path / "b.fits"
    )
    good = write(left_frame(), tmp_path / "good.csv")
    code = match(tmp_path, good, bad, "--right-error", "e")
    refused(tmp_path, capsys, code, "b.fits", "column 'e', row 8", "position error")


@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
@pytest.mark.parametrize(("column", "unit"), [("ra", "mag"), ("dec", "m"), ("e", "mag")])
def test_a_unit_that_contradicts(tmp_path, capsys, suffix, column, unit):
    bad = write(right_frame().assign(e=0.1), tmp_path / f"bad{suffix}", {column: unit})
    good = write(left_frame(), tmp_path / "good.csv")
    code = match(tmp_path, good, bad, "--right-error", "e")
    refused(tmp_path, capsys, code, f"bad{suffix}", f"column '{column}'", f"the unit '{unit}'")


@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
@pytest.mark.parametrize("header", [{"EQUINOX": "1950.0"}, {"RADESYS": "FK4"}, {"EPOCH": "B1950"}])
def test_other_equinoxes_are_refused(tmp_path, capsys, suffix, header):
    bad = write(right_frame(), tmp_path / f"bad{suffix}", **header)
    for same in ({}, {"RADESYS": "ICRS"}, {"EQUINOX": "J2000.0"}):
        good = tmp_path / f"good{suffix}"
        good.unlink(missing_ok=True)
        write(left_frame(), good, **same)
        refused(tmp_path, capsys, match(tmp_path, good, bad), f"bad{suffix}", "equinox", "1950")
    again = write(left_frame(), tmp_path / f"again{suffix}", **header)
    assert match(tmp_path, again, bad) == 0
    assert "equinox 1950" in found(tmp_path)[1]["warnings"][0]


def test_other_epochs_are_warned_of(tmp_path):
    left = write(left_frame().assign(ref_epoch=2016.0), tmp_path / "l.parquet")
    right = write(right_frame().assign(ref_epoch=2000.0), tmp_path / "r.fits")
    assert match(tmp_path, left, right) == 0
    [warning] = [words for words in found(tmp_path)[1]["warnings"] if "epochs" in words]
    assert "2000 to 2016" in warning


def damaged(path, how):
    if how == "absent":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(path.read_bytes()[:-100])
    return path


@pytest.mark.parametrize("how", ["absent", "empty", "cut"])
@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
def test_damaged_files(tmp_path, capsys, how, suffix):
    bad = damaged(write(right_frame(), tmp_path / f"bad{suffix}"), how)
    good = write(left_frame(), tmp_path / "good.csv")
    for sides in ((good, bad), (bad, good)):
        refused(tmp_path, capsys, match(tmp_path, *sides), f"bad{suffix}")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--mode", "closest"], ["mode", "nearest, mutual, all"]),
        (["--mode", "all", "--one-to-one"], ["one-to-one"]),
        (["--radius-arcsec", "0"], ["radius-arcsec"]),
        (["--engine", "hat"], ["engine", "did you mean 'hats'?"]),
        (["--right-keep", "flag == 1"], ["column 'flag'"]),
        (["--right-keep", "ra > 400"], ["keep", "none where ra > 400"]),
    ],
)
def test_what_cannot_be_asked(tmp_path, capsys, more, words):
    left = write(left_frame(), tmp_path / "l.parquet")
    right = write(right_frame(), tmp_path / "r.parquet")
    refused(tmp_path, capsys, match(tmp_path, left, right, *more), *words)


KILLED = """
import os, signal, sys
import zladder.catalogs.crossmatch as core
import zladder.tables.standard as standard
calls = []
whole, pairs = standard.write_standard, core.close_pairs
def half(frame, path, *more):
    whole(frame, path, *more)
    path.write_bytes(path.read_bytes()[:100])
    os.kill(os.getpid(), signal.SIGKILL)
def stop(*arguments):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return pairs(*arguments)
if sys.argv[1] == "writing":
    standard.write_standard = half
else:
    core.close_pairs = stop
import crossmatch
crossmatch.main(sys.argv[2:])
"""


@pytest.mark.parametrize("moment", ["streaming", "writing"])
def test_a_killed_match_leaves_nothing_half_written(tmp_path, moment):
    left = write(left_frame(), tmp_path / "l.parquet")
    right = tmp_path / "r.parquet"
    many = pd.concat([right_frame()] * 6000, ignore_index=True)  # two batches
    write(many, right)
    out = tmp_path / "out"
    names = ["m.parquet", "m.quality.json", "m.json"]
    command = ["--left", str(left), "--right", str(right), "--radius-arcsec", "1",
               "--output", str(out / "m.parquet"), "--sidecar", str(out / "m.json")]  # fmt: skip
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    paths = [str(ROOT / "workflow" / "scripts"), str(ROOT / "src")]
    killed = [sys.executable, str(script), moment, *command]
    done = subprocess.run(killed, env={"PYTHONPATH": ":".join(paths)}, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not [name for name in names if (out / name).exists()]
    assert crossmatch.main(command) == 0
    before = {name: (out / name).read_bytes() for name in names}
    done = subprocess.run(killed, env={"PYTHONPATH": ":".join(paths)}, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert {name: (out / name).read_bytes() for name in names} == before
    assert len(pd.read_parquet(out / "m.parquet")) == N


def test_errors_of_one_side_alone_are_not_used_and_it_is_said(tmp_path, capsys):
    left = write(left_frame().assign(err=0.1), tmp_path / "l.parquet")
    right = write(right_frame(), tmp_path / "r.parquet")
    assert match(tmp_path, left, right, "--left-error", "err") == 0
    pairs, quality = found(tmp_path)
    assert "separation_sigma" not in pairs
    assert "one side alone" in quality["warnings"][0]
    assert "one side alone" in capsys.readouterr().err


def test_skies_that_do_not_overlap_are_told(tmp_path, capsys):
    left = write(left_frame(), tmp_path / "l.parquet")
    away = right_frame()
    right = write(away.assign(ra=away["ra"] + 100.0), tmp_path / "r.parquet")
    assert match(tmp_path, left, right) == 0
    said = capsys.readouterr().err
    assert "0 of" in said
    assert "do the two skies overlap" in said


@pytest.mark.skipif(importlib.util.find_spec("lsdb") is not None, reason="LSDB is installed")
def test_the_engine_of_clusters_asks_for_its_package(tmp_path, capsys):
    left = write(left_frame(), tmp_path / "l.parquet")
    code = match(tmp_path, left, left, "--engine", "hats")
    refused(tmp_path, capsys, code, "engine hats", "cluster-match")
