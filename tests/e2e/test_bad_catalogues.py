"""What can be wrong with a catalogue: exit code 2, one message, nothing left; else a warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import read_catalog
import select_sample

from tests.survey_files import DESCRIBED, FORMATS, write_native

SURVEY: dict[str, Any] = {
    "name": "own",
    "bands": ["u"],
    "columns": {"object_id": "id", "ra": "RA", "dec": "DEC", "z_true": "z", "mag_u": "u"},
    "kind": "spec",
}


def rows(n: int = 6) -> dict[str, np.ndarray]:
    return {
        "id": np.arange(n) + 2**60, "RA": np.linspace(10, 300, n), "DEC": np.linspace(-60, 60, n),
        "z": np.linspace(0.1, 0.2, n), "u": np.linspace(18, 20, n),
    }  # fmt: skip


def run(tmp_path: Path, *files: Path, file_format: str, **changes: Any) -> int:
    """Run read_catalog as its rule does; every output lies in tmp_path/out."""
    survey, out = {**SURVEY, "file_format": file_format, **changes}, tmp_path / "out"
    return read_catalog.main(
        ["--files", *map(str, files), "--parts", *[f"part{i}" for i in range(len(files))],
         "--survey", json.dumps(survey), "--catalog", str(out / "own.parquet"),
         "--sidecar", str(out / "own.json"), "--log", str(tmp_path / "log" / "own.log")]
    )  # fmt: skip


@pytest.fixture
def refused(tmp_path, capsys):
    """Assert the contract of bad input."""

    def check(code: int, *words: str) -> None:
        message = capsys.readouterr().err
        assert code == 2
        assert message.count("bad input: ") == 1
        for word in ("expected:", "found:", "hint:", *words):
            assert word in message, f"{word!r} is not in:\n{message}"
        assert not list((tmp_path / "out").glob("**/*")), "something was left behind"

    return check


@pytest.mark.parametrize("kind", FORMATS)
def test_a_renamed_column(tmp_path, refused, kind):
    table = rows()
    table["umag"] = table.pop("u")
    path = write_native(tmp_path, kind, table)
    code = run(tmp_path, path, file_format=kind)
    refused(code, str(path), "column 'u'", "the columns", "umag")


@pytest.mark.parametrize("kind", DESCRIBED)
def test_a_unit_that_contradicts_the_map(tmp_path, refused, kind):
    path = write_native(tmp_path, kind, rows(), {"DEC": "rad"})
    refused(run(tmp_path, path, file_format=kind), str(path), "column 'DEC'", "the unit rad", "deg")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_declination_beyond_the_pole(tmp_path, refused, kind):
    table = rows()
    table["DEC"][4] = 90.5
    path = write_native(tmp_path, kind, table)
    refused(run(tmp_path, path, file_format=kind), str(path), "column 'dec', row 5", "90.5")


@pytest.mark.parametrize("kind", FORMATS)
def test_one_identifier_twice(tmp_path, refused, kind):
    table = rows()
    table["id"][5] = table["id"][1]
    path = write_native(tmp_path, kind, table)
    refused(run(tmp_path, path, file_format=kind), f"object_id {2**60 + 1}, row 6", "row 2 of")


@pytest.mark.parametrize("kind", DESCRIBED)
def test_positions_of_another_equinox(tmp_path, refused, kind):
    path = write_native(tmp_path, kind, rows(), None, {"EQUINOX": "1950.0"})
    refused(run(tmp_path, path, file_format=kind), str(path), "equinox", "1950", "J2000")


def test_parts_of_two_epochs(tmp_path, refused):
    files = []
    for part, epoch in enumerate(("J2015.5", "J2016.0")):
        (tmp_path / str(part)).mkdir()
        table = rows()
        table["id"] += 100 * part
        files.append(write_native(tmp_path / str(part), "votable", table, None, {"EPOCH": epoch}))
    code = run(tmp_path, *files, file_format="votable")
    refused(code, str(files[1]), str(files[0]), "epoch", "J2015.5", "J2016.0")


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_table(tmp_path, refused, kind):
    path = write_native(tmp_path, kind, rows(0))
    refused(run(tmp_path, path, file_format=kind), str(path), "at least one row", "none")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_no_bytes(tmp_path, refused, kind):
    path = write_native(tmp_path, kind, rows())
    path.write_bytes(b"")
    refused(run(tmp_path, path, file_format=kind), str(path), "0 bytes")


@pytest.mark.parametrize(
    ("kind", "lost", "words"),
    [
        ("parquet", 40, "a whole Parquet file"),  # the footer
        ("fits", 3000, "a whole FITS file"),
        ("votable", 300, "a whole VOTable"),
        ("hdf5", 3000, "a whole HDF5 file"),
    ],
)
def test_a_file_that_is_cut_off(tmp_path, refused, kind, lost, words):
    path = write_native(tmp_path, kind, rows(5000))
    path.write_bytes(path.read_bytes()[:-lost])
    refused(run(tmp_path, path, file_format=kind), str(path), words)


def test_a_later_part_that_is_bad_leaves_nothing_of_the_first(tmp_path, refused):
    good = write_native(tmp_path, "parquet", rows())
    (tmp_path / "later").mkdir()
    table = rows(5000)
    table["id"] += 1000
    table["u"][4321] = -99.0
    bad = write_native(tmp_path / "later", "parquet", table)
    code = run(tmp_path, good, bad, file_format="parquet")
    refused(code, str(bad), "column 'u' (mag_u), row 4322", "sentinels: {-99.0: not_observed}")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_only_suspicious_is_read_and_said_in_the_sidecar_and_the_log(tmp_path, kind):
    table = rows() | {"RA": np.linspace(-3, 3, 6), "DEC": np.linspace(-1.5, 1.5, 6)}
    path = write_native(tmp_path, kind, table)
    assert run(tmp_path, path, file_format=kind) == 0
    counts = json.loads((tmp_path / "out" / "own.json").read_text(encoding="utf-8"))["counts"]
    [warning] = counts["parts"]["part0"]["warnings"]
    assert "'RA' and 'DEC' were read as degrees" in warning
    assert warning in (tmp_path / "log" / "own.log").read_text(encoding="utf-8")
    assert counts["parts"]["part0"]["ra_wrapped"] == 3
    catalog = pd.read_parquet(tmp_path / "out" / "own.parquet")
    assert catalog["ra"].between(0, 360, inclusive="left").all()


# ---------------------------------------------------------------- selecting


def select(tmp_path: Path, catalog: Path, cuts: list[dict[str, Any]], **changes: Any) -> int:
    settings = {"name": "mine", "deredden": False, "cuts": cuts, **changes}
    out = tmp_path / "out"
    return select_sample.main(
        ["--labels", str(catalog), "--photometry", str(catalog), "--settings",
         json.dumps(settings), "--sample", str(out / "mine.parquet"),
         "--cutflow", str(out / "mine.csv"), "--sidecar", str(out / "mine.json")]
    )  # fmt: skip


@pytest.fixture
def catalog(tmp_path):
    """A standard catalogue in which one galaxy stands twice."""
    table = rows()
    table["id"][5] = table["id"][1]
    path = write_native(tmp_path, "csv", table)
    assert run(tmp_path, path, file_format="csv", duplicates="keep") == 0
    moved = tmp_path / "own.parquet"
    (tmp_path / "out" / "own.parquet").rename(moved)
    (tmp_path / "out" / "own.json").unlink()
    return moved


ONCE = {"name": "once", "duplicates": "drop_all", "of": "object_id"}


def test_a_good_selection_and_its_cut_flow(tmp_path, catalog):
    assert select(tmp_path, catalog, [{"name": "faint", "keep": "mag_u > 18.1"}, ONCE]) == 0
    flow = pd.read_csv(tmp_path / "out" / "mine.csv")
    assert flow["cut"].tolist() == ["faint", "once"]
    assert flow["n_in"].tolist() == [6, 5]
    assert flow["n_out"].tolist() == [5, 3]
    assert flow["fraction"].tolist() == pytest.approx([5 / 6, 3 / 5])
    counts = json.loads((tmp_path / "out" / "mine.json").read_text(encoding="utf-8"))["counts"]
    assert counts == {"n_in": 6, "n_out": 3}


@pytest.mark.parametrize(
    ("cuts", "words"),
    [
        ([], ["object_id", "every galaxy once in the sample", "duplicates: drop_all"]),
        ([ONCE, {"name": "far", "keep": "z_true > 5"}], ["cut 'far'", "0 of 4 rows left"]),
        ([ONCE, {"name": "x", "keep": "mag_v < 5"}], ["cut 'x', column 'mag_v'", "mag_u"]),
        ([ONCE, {"name": "x", "keep": "part < 5"}], ["cut 'x'", "a condition over columns"]),
        ([ONCE, {"name": "x", "duplicates": "drop_all", "of": "nme"}], ["cut 'x', column 'nme'"]),
    ],
)
def test_a_bad_selection(tmp_path, refused, catalog, cuts, words):
    refused(select(tmp_path, catalog, cuts), str(catalog), *words)


def test_dereddening_without_extinctions(tmp_path, refused, catalog):
    code = select(tmp_path, catalog, [ONCE], deredden=True)
    refused(code, str(catalog), "column 'extinction_u'", "deredden: false")


def test_a_catalogue_that_is_cut_off(tmp_path, refused, catalog):
    catalog.write_bytes(catalog.read_bytes()[:-100])
    refused(select(tmp_path, catalog, [ONCE]), str(catalog), "a whole")
