"""A bad input leaves a stamp: the next attempt ends at once, until the input changes."""

from __future__ import annotations

import json
import time

import pytest

from zladder.provenance.errors import BadInput, PassingBadInput, Unfinished
from zladder.provenance.stamps import KnownBadInput, refuse_known_bad, stamp_path

ARGUMENTS = ["--table", "t.csv"]


class Tries:
    """An attempt that counts how often its block was entered."""

    def __init__(self, folder):
        self.log, self.table, self.entered = folder / "rule.log", folder / "t.csv", 0
        self.table.write_text("text")
        self.meanwhile = lambda: None

    def __call__(self, *, arguments=ARGUMENTS, code="c0de", error=None):
        with refuse_known_bad(self.log, arguments, code, [self.table]):
            self.entered += 1
            self.meanwhile()
            if error:
                raise error


@pytest.fixture
def tries(tmp_path):
    return Tries(tmp_path)


@pytest.fixture
def stamped(tries):
    with pytest.raises(BadInput):
        tries(error=BadInput(tries.table, "column 'z'", "a number", "'text'", "correct it"))
    return tries


def test_the_stamp_lies_beside_the_log(stamped):
    stamp = stamp_path(stamped.log)
    assert stamp.parent == stamped.log.parent
    assert "column 'z'" in json.loads(stamp.read_text())["message"]


def test_the_second_attempt_ends_at_once_with_the_same_message(stamped):
    with pytest.raises(KnownBadInput) as second:
        stamped()
    assert stamped.entered == 1
    for part in ("t.csv", "column 'z'", "a number", "'text'", "correct it", "not tried again"):
        assert part in str(second.value)


@pytest.mark.parametrize(
    "change", [{"arguments": ["--table", "t.csv", "--dpi", "2"]}, {"code": "beef"}]
)
def test_another_command_or_code_is_tried(stamped, change):
    stamped(**change)
    assert stamped.entered == 2


@pytest.mark.parametrize("change", ["changed", None])
def test_a_changed_or_removed_file_is_tried(stamped, change):
    if change:
        stamped.table.write_text(change)
    else:
        stamped.table.unlink()
    stamped()
    assert stamped.entered == 2


@pytest.fixture
def passing(tries, tmp_path):
    """A refusal that is due to a file which is no input, and to a folder with a file deep in it."""
    frame, folder = tmp_path / "frames/a.fits", tmp_path / "tiles"
    for path in (frame, folder / "deep/b.fits"):
        path.parent.mkdir(parents=True)
        path.write_text("damaged")
    time.sleep(0.05)  # a clock of files may lag behind by a tick
    tries.error = PassingBadInput(frame, "HDU 0", "a frame", "none", "mend it", [frame, folder])
    tries.frame, tries.folder = frame, folder
    with pytest.raises(PassingBadInput):
        tries(error=tries.error)
    with pytest.raises(KnownBadInput):
        tries()
    return tries


@pytest.mark.parametrize(
    "path",
    ["frames/a.fits", "frames/a.fits.bz2", "tiles/deep/b.fits", "tiles/deep/c.fits", "tiles/new/d"],
)
def test_what_is_due_to_files_that_are_no_inputs_holds_until_they_change(passing, tmp_path, path):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("mended!")  # as long as before
    passing()
    assert passing.entered == 2


def test_a_removed_cause_is_tried(passing):
    passing.frame.unlink()
    passing()
    assert passing.entered == 2


def test_a_cause_that_changed_during_the_attempt_leaves_no_stamp(tries, tmp_path):
    """It may have been read before it was mended."""
    frame = tmp_path / "a.fits"
    error = PassingBadInput(frame, "HDU 0", "a frame", "none", "mend it", [frame])
    tries.meanwhile = lambda: (time.sleep(0.05), frame.write_text("mended"))
    for _ in range(2):
        with pytest.raises(PassingBadInput):
            tries(error=error)
    assert tries.entered == 2


def test_what_is_due_to_nothing_that_is_known_leaves_no_stamp(tries):
    for _ in range(2):
        with pytest.raises(PassingBadInput):
            tries(error=PassingBadInput("disk", "p", "room", "none", "make room"))
    assert tries.entered == 2


def test_a_success_removes_the_stamp(stamped):
    stamped.table.write_text("good")
    stamped()
    assert not stamp_path(stamped.log).exists()
    stamped.table.write_text("text")  # the first content again: nothing remembers it
    stamped()
    assert stamped.entered == 3


@pytest.mark.parametrize("error", [Unfinished("later"), KeyboardInterrupt(), ValueError("defect")])
def test_other_endings_leave_no_stamp(tries, error):
    for _ in range(2):
        with pytest.raises(type(error)):
            tries(error=error)
    assert tries.entered == 2
    assert not stamp_path(tries.log).exists()


def test_without_a_log_there_is_no_stamp(tries, tmp_path):
    tries.log = None
    for _ in range(2):
        with pytest.raises(BadInput):
            tries(error=BadInput("f", "p", "e", "f", "h"))
    assert tries.entered == 2
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
