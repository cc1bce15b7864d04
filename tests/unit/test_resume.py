"""What a training leaves for its next attempt: checkpoint and log."""

from __future__ import annotations

import logging
import math

import pytest
import torch

from zladder.learning.engine import Progress
from zladder.learning.resume import cumulative_log, discard, load_checkpoint, save_checkpoint

TENSORS = {
    "network/a": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,  # not contiguous
    "optimizer/0/step": torch.tensor(3.0),
}


def test_a_checkpoint_comes_back_bit_by_bit(tmp_path):
    progress = Progress(epoch=2, step=3, loss_sum=0.1 + 0.2, history=[{"epoch": 0, "x": 1 / 3}])
    save_checkpoint(tmp_path, TENSORS, progress.as_json())
    tensors, values = load_checkpoint(tmp_path)
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype
    assert values.pop("best_loss") is None  # infinity, which JSON lacks
    assert math.isinf(progress.best_loss)
    assert Progress(**values) == progress


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert load_checkpoint(tmp_path) is None


def test_a_new_checkpoint_replaces_the_old_one_whole(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, TENSORS, {"epoch": 1})

    def full_disk(_tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zladder.learning.resume.save_file", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, TENSORS, {"epoch": 2})
    assert load_checkpoint(tmp_path)[1] == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]


@pytest.mark.parametrize("kept_bytes", [0, 5, 100])
def test_a_damaged_checkpoint_means_a_new_start(tmp_path, caplog, kept_bytes):
    save_checkpoint(tmp_path, TENSORS, {"epoch": 1})
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with caplog.at_level(logging.INFO, "zladder"):
        assert load_checkpoint(tmp_path) is None
    assert "is damaged" in caplog.text
    assert "starting from the beginning" in caplog.text


def test_the_log_repeats_all_earlier_attempts(tmp_path):
    log = logging.getLogger("zladder")
    log.setLevel(logging.INFO)
    said = []
    for attempt in ("one", "two", "three"):
        path = tmp_path / f"{attempt}.log"  # Snakemake deletes the log of a failed attempt
        handler = logging.FileHandler(path)
        log.addHandler(handler)
        with cumulative_log(tmp_path / "resume"):
            log.info("attempt %s", attempt)
        log.removeHandler(handler)
        handler.close()
        said.append(path.read_text())
    assert said[0].split() == ["attempt", "one"]
    for attempt in ("one", "two", "three"):
        assert said[2].count(f"attempt {attempt}") == 1
    assert said[2].index("one") < said[2].index("two") < said[2].index("three")


def test_discarding_removes_the_folder_and_forgives_its_absence(tmp_path):
    folder = tmp_path / "resume"
    folder.mkdir()
    save_checkpoint(folder, TENSORS, {})
    discard(folder)
    assert not folder.exists()
    discard(folder)
