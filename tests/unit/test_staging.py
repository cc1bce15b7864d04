"""Copies on the disk of a node: made once, compared, and nobody else's files are touched."""

from __future__ import annotations

import shutil
import threading
from types import SimpleNamespace

import pytest

from tests import toy_images
from tests.toy_images import pretrain_card
from zladder.learning import staging
from zladder.learning.image_index import shard_files
from zladder.learning.image_set import Room, open_images
from zladder.learning.staging import stage_folder, staged
from zladder.provenance.errors import PassingBadInput
from zladder.tables.read import read_table


@pytest.fixture
def shards(tmp_path):
    """Two files of some bytes, of one name in two folders."""
    paths = []
    for number in range(2):
        path = tmp_path / f"sample{number}" / "0.h5"
        path.parent.mkdir()
        path.write_bytes(bytes([number]) * 10_000)
        paths.append(path)
    return paths


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_copies_are_equal_and_made_once(shards, tmp_path, monkeypatch):
    folder = tmp_path / "node" / "stage"
    copies = staged(shards, folder)
    assert [copy.read_bytes() for copy in copies] == [path.read_bytes() for path in shards]
    assert {copy.parent for copy in copies} == {folder}
    monkeypatch.setattr(staging, "_copy", None)  # a second copy would fail
    assert staged(shards, folder) == copies


def test_a_shard_that_changed_is_copied_again_and_one_cut_short_too(shards, tmp_path):
    folder = tmp_path / "stage"
    before = staged(shards, folder)
    shards[0].write_bytes(b"other" * 2000)
    after = staged(shards, folder)
    assert after[0] != before[0]
    assert after[0].read_bytes() == shards[0].read_bytes()
    assert before[0].exists()  # perhaps another training reads it
    after[1].write_bytes(b"short")
    assert staged(shards, folder)[1].read_bytes() == shards[1].read_bytes()


def test_a_copy_that_was_never_compared_is_no_copy(shards, tmp_path):
    folder = tmp_path / "stage"
    copy = staged(shards[:1], folder)[0]
    copy.write_bytes(b"x" * 10_000)  # of the right size, by a process that was killed
    copy.with_suffix(".digest").unlink()
    assert staged(shards[:1], folder)[0].read_bytes() == shards[0].read_bytes()


def test_nothing_else_in_the_folder_is_touched(shards, tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    others = {"0.h5": b"mine", "data.digest": b"mine too"}
    for name, content in others.items():
        (folder / name).write_bytes(content)
    staged(shards, folder)
    found = contents(folder)
    assert {name: found[name] for name in others} == others
    ours = set(found) - set(others)
    assert all(name.startswith("zladder-") for name in ours)
    assert len(ours) == 5  # two copies, two digests, the lock


def test_without_room_nothing_is_written(shards, tmp_path, monkeypatch):
    folder = tmp_path / "stage"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=19_999))
    with pytest.raises(PassingBadInput) as caught:
        staged(shards, folder)
    assert (caught.value.file, caught.value.place) == (str(folder), "free room")
    assert caught.value.expected == "20000 bytes for copies of shards"
    assert caught.value.found == "19999"
    assert set(contents(folder)) == {"zladder-stage.lock"}


def test_a_folder_that_is_none_is_refused(shards, tmp_path):
    (tmp_path / "stage").write_text("a file")
    with pytest.raises(PassingBadInput) as caught:
        staged(shards, tmp_path / "stage")
    assert caught.value.file == str(tmp_path / "stage")
    assert "ZLADDER_STAGE" in caught.value.hint


def test_what_reads_back_as_something_else_is_refused_and_removed(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "_digest", lambda _: "0" * 32)
    with pytest.raises(PassingBadInput) as caught:
        staged(shards, tmp_path / "stage")
    assert caught.value.found == "0" * 32
    assert set(contents(tmp_path / "stage")) == {"zladder-stage.lock"}


def test_of_several_trainings_one_copies_and_all_find_copies(shards, tmp_path, monkeypatch):
    copied, plain = [], staging._copy
    monkeypatch.setattr(staging, "_copy", lambda *pair: (copied.append(pair), plain(*pair)))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(staged(shards, tmp_path / "stage")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(copied) == 2


def test_the_folder_is_named_by_the_environment_of_the_node(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/scratch/job7")
    monkeypatch.delenv("NOWHERE", raising=False)
    assert stage_folder({}) is None
    assert stage_folder({"ZLADDER_STAGE": " "}) is None
    assert str(stage_folder({"ZLADDER_STAGE": "$TMPDIR/zladder"})) == "/scratch/job7/zladder"
    for wrong in ("$NOWHERE/zladder", "zladder"):
        with pytest.raises(PassingBadInput) as caught:
            stage_folder({"ZLADDER_STAGE": wrong})
        assert (caught.value.place, caught.value.found) == ("ZLADDER_STAGE", wrong)


def test_a_streamed_training_reads_the_copies(tmp_path):
    sky = toy_images.write_sky(tmp_path, "own", 30, seed=8, split="train")
    card, folder = pretrain_card(), tmp_path / "stage"

    def opened(room: Room):
        frame = read_table(sky[0])
        return open_images(
            frame, shard_files(sky[1]), card["inputs"], 14, sky[0], room, with_sky=True
        )

    found = opened(Room(0, folder))
    assert {path.read_bytes() for path in found.paths} == {path.read_bytes() for path in sky[1]}
    assert all(path.parent == folder for path in found.paths)
    folder = tmp_path / "unused"
    assert opened(Room(10**9, folder)).paths is None
    assert not folder.exists()  # what fits in memory is read once
