"""Outputs appear whole or not at all, and leave no temporary file behind."""

from __future__ import annotations

import pytest

from zladder.provenance.outputs import temporary_name, whole_or_nothing, write_text_whole


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def _write_half(partial, crash):
    *whole, last = partial
    for path in whole:
        path.write_text("whole")
    last.write_text("ha")
    raise crash


def test_outputs_carry_their_names_only_when_all_are_written(tmp_path):
    paths = [tmp_path / "new" / "a.fits", tmp_path / "b.csv"]
    with whole_or_nothing(paths) as partial:
        assert [path.suffix for path in partial] == [".fits", ".csv"]  # it tells the format
        for path in partial:
            path.write_text("whole")
            assert not any(final.exists() for final in paths)
    assert [path.read_text() for path in paths] == ["whole", "whole"]
    assert files(tmp_path) == ["a.fits", "b.csv"]


@pytest.mark.parametrize("crash", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_crash_in_the_middle_leaves_nothing(tmp_path, crash):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with pytest.raises(crash), whole_or_nothing(paths) as partial:
        _write_half(partial, crash)
    assert files(tmp_path) == []


def test_a_crash_leaves_the_earlier_result(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("earlier")
    with pytest.raises(KeyError), whole_or_nothing([path]) as partial:
        _write_half(partial, KeyError)
    assert path.read_text() == "earlier"
    assert files(tmp_path) == ["a.csv"]


def test_a_promised_output_must_be_written(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with (
        pytest.raises(FileNotFoundError, match=r"b\.csv was promised but not written"),
        whole_or_nothing(paths) as partial,
    ):
        partial[0].write_text("whole")
    assert files(tmp_path) == []


def test_temporary_names_are_hidden_and_stay_in_the_folder(tmp_path):
    name = temporary_name(tmp_path / "a.parquet")
    assert name.parent == tmp_path
    assert name.name.startswith(".")
    assert name.suffix == ".parquet"


def test_a_text_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    write_text_whole(path, "one")
    write_text_whole(path, "µ")
    assert path.read_text(encoding="utf-8") == "µ"
    assert files(tmp_path) == ["a.json"]
