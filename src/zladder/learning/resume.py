"""The resume folder of a training: its checkpoint and its log (its lease: `learning.lease`).

The folder lies outside the outputs (Snakemake deletes those after a failure) and is named by a
digest of run card, code and data, so that a checkpoint never meets a training it does not fit.
It is removed when the training is complete.
"""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zladder.provenance.outputs import whole_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

log = logging.getLogger("zladder")


def save_checkpoint(
    folder: Path, tensors: dict[str, torch.Tensor], progress: dict[str, Any]
) -> None:
    """Write tensors and progress as one file, whole or not at all."""
    with whole_or_nothing([folder / "checkpoint.safetensors"]) as [partial]:
        metadata = {"progress": json.dumps(progress)}
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, partial, metadata=metadata)


def load_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Return (tensors, progress) of the last checkpoint, or None without a whole one."""
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            progress = json.loads(stored.metadata()["progress"])
    except SafetensorError as error:  # cut off by a failing disk or node
        log.info("%s is damaged (%s): starting from the beginning", path, error)
        return None
    return tensors, progress


@contextmanager
def cumulative_log(folder: Path) -> Iterator[None]:
    """Repeat the log of earlier attempts, and keep this one's for the next.

    Snakemake deletes the log of a failed attempt; the copy in the resume folder outlives it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "log.txt"
    if path.is_file():
        log.info("earlier attempts:\n%s", path.read_text(encoding="utf-8").rstrip())
        log.info("this attempt:")
    handler = logging.FileHandler(path, mode="a", encoding="utf-8")
    handler.setFormatter(logging.Formatter("  %(message)s"))
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()


def discard(folder: Path) -> None:
    """Remove the folder of a complete training."""
    shutil.rmtree(folder, ignore_errors=True)
