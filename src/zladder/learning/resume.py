"""The resume folder of a training: its checkpoint, its lease, its log.

The folder lies outside the outputs (Snakemake deletes those after a failure) and is named by a
digest of run card, code and data, so that a checkpoint never meets a training it does not fit.
It is removed when the training is complete.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from safetensors import safe_open
from safetensors.torch import save_file

from zladder.provenance.errors import Unfinished
from zladder.provenance.outputs import whole_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

log = logging.getLogger("zladder")

HEARTBEAT_SECONDS = 15.0
STALE_SECONDS = 600.0


@contextmanager
def lease(folder: Path) -> Iterator[None]:
    """Hold a folder alone; a second writer is refused while the first one lives.

    Raises
    ------
    Unfinished
        If another process holds the lease: on this host one that is alive, on another host one
        whose last heartbeat is younger than `STALE_SECONDS`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lease.json"
    _clear_stale(path)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        message = f"another process trains in {folder}: {path.read_text(encoding='utf-8')}"
        raise Unfinished(message) from None
    with os.fdopen(descriptor, "w") as stream:
        stream.write(json.dumps({"host": platform.node(), "pid": os.getpid()}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def beat(folder: Path) -> None:
    """Renew the lease; called at every step, it touches the disk every `HEARTBEAT_SECONDS`."""
    path = folder / "lease.json"
    if time.time() - path.stat().st_mtime > HEARTBEAT_SECONDS:
        os.utime(path)


def _clear_stale(path: Path) -> None:
    """Remove the lease of a process that is no more; only one of several rivals succeeds."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8") or "{}")
        age_seconds = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return
    here = holder.get("host") == platform.node()
    alive = _is_alive(holder["pid"]) if here else age_seconds < STALE_SECONDS
    if not alive:
        grave = path.with_name(f"lease-stale-{os.getpid()}.json")
        try:
            path.rename(grave)
        except FileNotFoundError:
            return
        grave.unlink()


def _is_alive(pid: int) -> bool:
    """Return whether a process of this host exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def save_checkpoint(
    folder: Path, tensors: dict[str, torch.Tensor], progress: dict[str, Any]
) -> None:
    """Write tensors and progress as one file, whole or not at all."""
    with whole_or_nothing([folder / "checkpoint.safetensors"]) as [partial]:
        metadata = {"progress": json.dumps(progress)}
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        save_file(contiguous, partial, metadata=metadata)


def load_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Return (tensors, progress) of the last checkpoint, or None before the first."""
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        progress = json.loads(stored.metadata()["progress"])
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


def describe(folder: Path) -> str:
    """Return one line on how far an unfinished training has come."""
    state = load_checkpoint(folder)
    return "no checkpoint yet" if state is None else f"epoch {state[1]['epoch']}"
