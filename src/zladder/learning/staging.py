"""Copies of shards on the disk of a node, for trainings that read them again and again.

A copy is made once a node, under a lock, and named by what it is a copy of: path, size and time of
the shard. It stays for the next training; the folder is the user's to clear. Of what else lies in
it nothing is touched. What is wrong with the folder says nothing about the inputs: no training is
remembered as having failed for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zladder.provenance.digests import value_digest
from zladder.provenance.errors import PassingBadInput
from zladder.provenance.outputs import whole_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger("zladder")

STAGE_VARIABLE = "ZLADDER_STAGE"
_BLOCK_BYTES = 8 * 2**20


def stage_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder for copies that ``ZLADDER_STAGE`` names, None where it is not set.

    Other variables in it are filled in here, on the node: ``$TMPDIR/zladder``.

    Raises
    ------
    PassingBadInput
        If one of those is not set, or the path is not absolute.
    """
    given = environment.get(STAGE_VARIABLE, "").strip()
    if not given:
        return None
    filled = os.path.expandvars(given)
    if "$" in filled or not Path(filled).is_absolute():
        hint = f"name a folder on the node's own disk, or unset {STAGE_VARIABLE}"
        raise PassingBadInput("the environment", STAGE_VARIABLE, "an absolute path", filled, hint)
    return Path(filled)


def staged(shards: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Return copies of shards in a folder, made now unless they are there.

    Raises
    ------
    PassingBadInput
        Without room for those that are missing, if the folder cannot be written to, and if what was
        copied reads back as something else.
    """
    copies = tuple(folder / _name_of(path) for path in shards)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "zladder-stage.lock"):
            missing = [pair for pair in zip(shards, copies, strict=True) if not _is_whole(*pair)]
            _require_room(folder, sum(path.stat().st_size for path, _ in missing))
            for path, copy in missing:
                _copy(path, copy)
    except OSError as error:
        hint = f"let {STAGE_VARIABLE} name a folder with room on the node's disk, or unset it"
        expected = "a folder that can be written to"
        raise PassingBadInput(folder, "copies of shards", expected, str(error), hint) from error
    log.info("%d shards in %s, %d copied now", len(copies), folder, len(missing))
    return copies


def _name_of(path: Path) -> str:
    stat = path.stat()
    key = value_digest([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
    return f"zladder-{key}{path.suffix}"


def _record(copy: Path) -> Path:
    """Return the file that says what a copy was when it was compared: it comes last."""
    return copy.with_suffix(".digest")


def _is_whole(path: Path, copy: Path) -> bool:
    if not (copy.is_file() and _record(copy).is_file()):
        return False
    return copy.stat().st_size == path.stat().st_size


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        hint = f"let {STAGE_VARIABLE} name a folder with more room, or unset it: no copies then"
        raise PassingBadInput(
            folder, "free room", f"{needed} bytes for copies of shards", f"{free}", hint
        )


def _copy(path: Path, copy: Path) -> None:
    _record(copy).unlink(missing_ok=True)
    with whole_or_nothing([copy]) as [partial]:
        digest = hashlib.blake2b(digest_size=16)
        with path.open("rb") as source, partial.open("wb") as target:
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        found = _digest(partial)
        if found != digest.hexdigest():
            hint = f"the disk of the node does not keep what is written: unset {STAGE_VARIABLE}"
            expected = f"{digest.hexdigest()}, as {path}"
            raise PassingBadInput(copy, "the copy of a shard", expected, found, hint)
    _record(copy).write_text(f"{digest.hexdigest()}  {path.resolve()}\n", encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a folder; whoever comes later on this node waits."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
